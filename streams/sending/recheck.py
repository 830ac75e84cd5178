"""What still may go out when its turn to be sent has come (`streams/README.md`, "Gates", "A message flies")."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.deliveries import Delivery, Gate, Status
from schemas.keys import is_person
from schemas.notices import Notice
from schemas.state import Agenda

from ..notices.agenda import zone_of
from ..notices.flights import still_so
from ..notices.gates import ClientFacts, eligibility_of
from ..notices.reminders import at_sending
from ..notices.unsaid_places import says_places_to_others

TELL: Gate = "tell"


class Verdict(NamedTuple):
    """What is sent of a delivery; or why it is not, and whether what it says is decided anew: nobody can have got it."""

    delivery: Delivery
    status: Status | None = None
    detail: str | None = None
    back: bool = False


def recheck(
    delivery: Delivery, facts: ClientFacts, agenda: Agenda, now: datetime, *, unsure: bool, begun: bool = False
) -> Verdict:
    """Check a message again, as a whole.

    `unsure`: perhaps it was sent before, so that it goes again as it was, or ends. `begun`: some pieces of it were, so that the
    rest goes as it was, unless a gate is closed: the client has read what they say, and the difference follows.
    """
    if is_person(delivery.recipient) and not may_be_read(delivery, facts, agenda):
        return Verdict(delivery, "superseded", TELL, back=True) if not unsure else Verdict(delivery, "suppressed", TELL)
    verdict = _check(delivery, agenda, zone_of(facts.organisation), now, as_it_was=unsure or begun)
    closed = eligibility_of(facts, delivery.channel).closed_gate
    if verdict.status is not None or closed is None:
        return verdict
    if unsure or (delivery.reason == "direct" and delivery.message not in agenda.flight):
        return Verdict(delivery, "suppressed", closed)
    return Verdict(delivery, "superseded", closed, back=True)


def may_be_read(delivery: Delivery, facts: ClientFacts, agenda: Agenda) -> bool:
    """Tell whether one who acts for the client may still be told all that a message says, its places too."""
    notices = delivery.notices
    named = {id_ for notice in notices for id_ in (*notice.appointments, *[member.id for member in notice.members])}
    if not named <= agenda.appointments.keys():
        return False
    said = [view.location for notice in notices for view in (notice.was, notice.now) if view is not None]
    said += [words.place for notice in notices for one in notice.members for words in (one.was, one.now) if words is not None]
    return says_places_to_others(facts.organisation) or not any(said)


def _check(delivery: Delivery, agenda: Agenda, zone: str, now: datetime, *, as_it_was: bool) -> Verdict:
    """Tell whether it still says something, and what is so."""
    if delivery.request is not None:
        expires = delivery.request.expires_at
        return Verdict(delivery, "expired") if expires is not None and now > expires else Verdict(delivery)
    if delivery.reason == "reminder":
        return _check_reminder(delivery, agenda, zone, now, as_it_was=as_it_was)
    over = [_is_over(notice, agenda, now) for notice in delivery.notices]
    if all(over):
        return Verdict(delivery, "expired")
    if as_it_was:
        return Verdict(delivery)
    if delivery.message not in agenda.flight:
        return _check_known(delivery, agenda)
    if any(over) or not still_so(agenda, delivery.notices, zone, now):
        return Verdict(delivery, "superseded", back=True)
    return Verdict(delivery)


def _check_reminder(delivery: Delivery, agenda: Agenda, zone: str, now: datetime, *, as_it_was: bool) -> Verdict:
    """Check the reminder of each day by itself. Where one does not hold any more, all of them are decided anew."""
    found = [at_sending(agenda, notice, zone, delivery.decided, now) for notice in delivery.notices]
    withheld = {one.withheld for one in found}
    if withheld == {"expired"}:
        return Verdict(delivery, "expired")
    if withheld != {None}:
        return Verdict(delivery) if as_it_was else Verdict(delivery, "superseded", back=True)
    return Verdict(replace(delivery, notices=tuple(one.notice for one in found)))


def _check_known(delivery: Delivery, agenda: Agenda) -> Verdict:
    """Of a message of a worker of before, that counted as known when it was decided: whether anything later was decided."""
    entries = [entry for notice in delivery.notices for id_ in notice.appointments if (entry := agenda.appointments.get(id_))]
    ids = {notice.id for notice in delivery.notices}
    if entries and all(entry.notice not in ids for entry in entries):
        return Verdict(delivery, "superseded")
    return Verdict(delivery, "suppressed", "absent") if entries and not any(one.present for one in entries) else Verdict(delivery)


def _is_over(notice: Notice, agenda: Agenda, now: datetime) -> bool:
    starts = [view.start for view in (notice.was, notice.now) if view is not None]
    starts += [entry.actual.start for id_ in notice.appointments if (entry := agenda.appointments.get(id_)) is not None]
    return all(start <= now for start in starts)
