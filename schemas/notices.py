"""Notices: what to tell, never the words; and the ids that make a repetition recognisable."""

from __future__ import annotations

import hashlib
from typing import Literal

from .events import Details, View
from .known import Member
from .wire import Wire

Kind = Literal[
    "created", "moved", "changed", "cancelled", "relocated", "reminder", "request",
    "series_created", "series_moved", "series_changed", "series_cancelled", "series_relocated",
]  # fmt: skip


WORDING = 2
"""The version of the sentences in `renderers/`: one more with each change of what a client reads. A test holds it to the golden
messages."""


class Notice(Wire, frozen=True, kw_only=True):
    """One thing to tell one client.

    `was` is what the client was told before, `now` what is so; of a series they are those of its first occurrence, of a
    reminder `now` is the first appointment of the day. `appointment` is the first one's id; `others` are the further ones of
    a series or a reminder, in order of start. `day` is the local day (ISO) under which it is grouped.

    Attributes:
        members: all of it, in words; what is said of it is said of the first. A reminder or request has none.
        timed, placed: of what is cancelled, moved or relocated, whether its times and its place must be named to make it clear.
        label: the type that all of its appointments are of, by the organisation's id; None: of several, or of none.
        details: of a reminder of one appointment, what it says besides, as it is when it is sent.
        number: of a reminder, which one of its day it is.
        weeks, off: of a series that is told: its rhythm (`schemas.known.Rule`), and days of it on which it is not.
    """

    id: str
    kind: Kind
    day: str | None = None
    appointment: str | None = None
    others: tuple[str, ...] = ()
    was: View | None = None
    now: View | None = None
    members: tuple[Member, ...] = ()
    timed: bool = False
    placed: bool = False
    label: str | None = None
    details: Details | None = None
    weeks: int | None = None
    off: tuple[str, ...] = ()
    number: int = 1

    @property
    def reminder(self) -> str | None:
        """Return the name of the reminder that it is, for its client."""
        return reminder_name(self.day, self.number) if self.kind == "reminder" and self.day is not None else None

    @property
    def appointments(self) -> tuple[str, ...]:
        """Every appointment that the notice speaks of."""
        return (self.appointment, *self.others) if self.appointment is not None else ()


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def change_id(organisation: str, client: str, appointment: str, kind: str, revision: int, *more: str) -> str:
    """Return the id of a notice of a change (`streams/README.md`, "Ids").

    `more` tells apart what is said of one revision again and again, such as when an organisation's time zone changes.
    """
    return _hash(organisation, client, appointment, kind, str(revision), *more)


def reminder_name(day: str, number: int) -> str:
    """Return the name of the n-th reminder of a local day: `DAY`, `DAY/2`, `DAY/3`."""
    return day if number == 1 else f"{day}/{number}"


def reminder_id(organisation: str, client: str, name: str) -> str:
    """Return the id of a client's reminder of that name: there is one, ever."""
    return _hash(organisation, client, "reminder", name)


def request_id(organisation: str, client: str, party: str, request: str) -> str:
    """Return the id of a third party's message: a second one with the same id of that party is the same message."""
    return _hash(organisation, client, "request", party, request)


def message_id(notices: list[str], unsaid: int = 0) -> str:
    """Return the id of the message of these notices, in their order. `unsaid`: how many of its client were not sent."""
    return _hash(*notices, str(unsaid)) if unsaid else _hash(*notices)
