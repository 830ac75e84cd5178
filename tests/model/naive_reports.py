"""The naive model's part on final reports: an SMS of which the provider says later that its number takes none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model.naive import Fact
    from tests.model.naive_state import Client, Known, Reminded, Waiting

IN_TIME = timedelta(hours=24)


@dataclass
class Sms:
    """One that went out.

    Attributes:
        number: of the message, as what it told has it (`Told.by`); of a request 0.
        until: when nothing of it is ahead any more; None where it has no such moment.
        days: of a reminder, the days that it speaks of.
        request: of a request, what is asked.
    """

    fact: Fact
    number: int
    until: datetime | None = None
    days: list[tuple[date, Reminded]] = field(default_factory=list)
    request: Waiting | None = None
    is_reported: bool = False


def nobody_can_have_it_in_time(sms: Sms, now: datetime) -> bool:
    return now < sms.fact.at + IN_TIME and (sms.until is None or now < sms.until)


def is_simple(client: Client, sms: Sms, now: datetime) -> bool:
    """Whether what it told was last told by it, after what was heard, and all of that is ahead.

    Of the rest records do not say what a client knows: `tests/belief` has the word.
    """
    if any(client.reminded[day][-1] is not reminded for day, reminded in sms.days):
        return False
    return all(_is_simple(known, sms.number, now) for known in client.known.values())


def _is_simple(known: Known, number: int, now: datetime) -> bool:
    told, own = known.told, [each for each in known.told if each.by == number]
    if not own:
        return True
    before = told[: len(told) - len(own)]
    views = [each.view for each in (own[-1], *before[-1:]) if each.view is not None]
    return told[len(before) :] == own and all(each.heard for each in told) and all(view.start > now for view in views)


def take_back(client: Client, sms: Sms) -> None:
    """Have nobody have read it: it is decided anew."""
    for known in client.known.values():
        known.told = [each for each in known.told if sms.number == 0 or each.by != sms.number]
    for day, _ in sms.days:
        client.reminded[day].pop()
    if sms.request is not None:
        client.waiting.append(sms.request)


def address_of(client: Client) -> str | None:
    found = (client.contact or {}).get("sms") or {}
    return found.get("number")


def heard_of_contact(client: Client, before: str | None) -> None:
    """A number that takes none is used again once upstream took it back and then confirmed it, or has another one."""
    if client.refused is None:
        return
    if address_of(client) != before:
        client.refused = None
    elif not ((client.contact or {}).get("sms") or {}).get("confirmed"):
        client.refused = "withdrawn"
    elif client.refused == "withdrawn":
        client.refused = None


def refuse(client: Client) -> None:
    """Note that the number takes none."""
    if client.refused is None and address_of(client) is not None:
        confirmed = ((client.contact or {}).get("sms") or {}).get("confirmed")
        client.refused = "refused" if confirmed else "withdrawn"
