"""How much is kept of one client. Without bounds one row grows, is written anew with each event, and at last fits no append.

What is known of already is never refused for the number of things: a cancellation or a move of it always comes through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from msgspec.structs import replace

from schemas.events import AppointmentEvent
from schemas.state import Agenda
from schemas.wire import encode

from .dead_letters import dead_letter
from .turn import Decision, Record

MOST_APPOINTMENTS = 2000
"""Appointments ahead that are on."""

MOST_REQUESTS = 100
"""Requests that wait for their moment."""

ROW = 1 << 20
"""Bytes of a client's agenda, beyond which it takes in nothing that makes it grow. What is known of it may add as much again."""

REQUESTS = 256 << 10
"""Bytes of it for requests, those that are remembered included: third parties must leave room for appointments."""

LARGE = 256 << 10
"""Bytes of it that are counted, so that somebody looks before it is full."""

SURE = 50
"""So few appointments or requests fit, however long their fields are: nothing is measured."""

ENTRY = 300
"""Bytes of an appointment in the agenda without its id, time and place."""


CAPS = ("appointments", "requests", "bytes")
"""Names of the caps, for the metrics."""


class Capped(NamedTuple):
    """The cap that refuses an event, and why in words, with the number."""

    name: str
    reason: str


def capped_appointment(
    agenda: Agenda, event: AppointmentEvent, now: datetime, whose: Literal["client", "employee"] = "client"
) -> Capped | None:
    """Return the cap that refuses an appointment, None where it is taken in. `agenda`: as it is before it."""
    known = agenda.appointments.get(event.appointment)
    if (not event.booked and known is not None) or len(agenda.appointments) < SURE:
        return None
    if event.booked and event.view.end > now and (known is None or not known.booked):
        ahead = sum(entry.booked and entry.actual.end > now for entry in agenda.appointments.values())
        if ahead >= MOST_APPOINTMENTS:
            return Capped("appointments", f"more than {MOST_APPOINTMENTS} appointments ahead of one {whose}")
    was = len(encode((known.actual, known.replaces))) if known is not None else -len(event.appointment) - ENTRY
    more = len(encode((event.view, event.replaces))) - was
    own = replace(agenda, known=None, rules=(), flight={})
    if more > 0 and len(encode(own)) + more > ROW:
        return Capped("bytes", f"more than {ROW} bytes of one {whose}")
    return None


def capped_request(agenda: Agenda) -> Capped | None:
    """Return the cap that refuses any other request."""
    if len(agenda.requests) + len(agenda.seen) >= SURE and len(encode((agenda.requests, agenda.seen))) > REQUESTS:
        return Capped("bytes", f"more than {REQUESTS} bytes of requests for one client")
    return None


def capped_waiting(agenda: Agenda) -> Capped | None:
    """Return the cap that refuses the last of the requests that wait. `agenda`: as it would be with it."""
    if len(agenda.requests) > MOST_REQUESTS:
        return Capped("requests", f"more than {MOST_REQUESTS} requests wait for one client")
    return None


def set_aside_capped(decision: Decision, record: Record, cap: Capped) -> None:
    """Set aside an event that a cap refuses."""
    decision.count("capped", cap.name)
    decision.emit(dead_letter(record, cap.reason))
