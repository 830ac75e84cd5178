"""HL7 v2 SIU, of appointments, as our appointments.

| HL7 v2 | here |
|---|---|
| MSH-9 S12, S13, S14, S18–S22 | booked, unless SCH-25 says otherwise |
| S15, S16, S17 | cancelled, whatever SCH-25 says |
| S26 | noshow |
| S23, S24 | ignored: slots, and nobody's appointment |
| MSH-7 | revision, in milliseconds; the record's offset breaks ties |
| SCH-2.1, else SCH-1.1 | appointment |
| SCH-24.1, else SCH-23.1, else its own id | series |
| SCH-11.4/.5, else TQ1-7/-8, else AIS-4 | start, end; without an offset in the producer's zone |
| SCH-9, else SCH-11.3, else AIS-7: how long | end, where there is none |
| SCH-25 (table 0278) | status |
| PID-3 of each PID, the identifier of the producer's authority, never one of type NNNLD | clients |
| AIL-3: its name by the producer's table, else its description (.9), else its code (.1) | location |
| SCH-8.1, else SCH-7.1 | label, and by the producer's table kind |
| AIP-3 of the one carer: prefix, given name, family name | practitioner |
| the first NTE-3, where the producer's are for clients | instructions |

A segment that is absent leaves what is known (`keep`); `""` is empty. S12 is of a new one and must say who and when, S13 when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas.appointments import Appointment, Attendee, Kept, Location

from ..processing.places import spoken
from .er7 import EMPTY, Message, Segment
from .hl7_time import milliseconds, read_time
from .producers import BSN_SYSTEMS, BSN_TYPE
from .results import (
    UNREADABLE,
    Ignored,
    Origin,
    Refused,
    Result,
    Translated,
    UntranslatableError,
    check_years,
    own_id,
    own_label,
    results_of,
)

EVENTS = {
    "S12": "booked", "S13": "booked", "S14": "booked", "S18": "booked", "S19": "booked", "S20": "booked", "S21": "booked",
    "S22": "booked", "S15": "cancelled", "S16": "cancelled", "S17": "cancelled", "S26": "noshow", "S23": "", "S24": "",
}  # fmt: skip
"""What a trigger event (MSH-9.2) says of the appointment; '': nothing."""

NEW, MOVED = "S12", "S13"

STATUSES = {
    "pending": "cancelled", "waitlist": "cancelled", "booked": "booked", "overbook": "booked", "started": "arrived",
    "complete": "fulfilled", "cancelled": "cancelled", "canceled": "cancelled", "deleted": "cancelled",
    "discontinued": "cancelled", "dc": "cancelled", "noshow": "noshow", "blocked": "",
}  # fmt: skip
"""What SCH-25 says (table 0278), in small letters. What is not agreed yet is not told; it takes back what was."""

UNITS = {
    "S": 1,
    "SEC": 1,
    "": 60,
    "M": 60,
    "MIN": 60,
    "MINUTES": 60,
    "MINUTE": 60,
    "H": 3600,
    "HR": 3600,
    "HOUR": 3600,
    "HOURS": 3600,
}
"""Seconds of a unit of time, in capitals; without one minutes are meant."""

MOST_CLIENTS = 1000
_DURATION = re.compile(r"([A-Za-z]?)(\d{1,6})")


def translate_siu(value: bytes, origin: Origin) -> Iterator[Result]:
    """Yield what one message says."""
    yield from results_of(lambda: _read(value, origin))


def _read(value: bytes, origin: Origin) -> Iterator[Result]:
    message = Message(value)
    header, producer = message.header, origin.producer
    kind, event = header.get(9), header.get(9, 2)
    if kind != "SIU":
        yield Ignored("type")
        return
    if event not in EVENTS:
        raise UntranslatableError("an event that is not known here", "MSH-9.2")
    if producer.facilities and header.get(4) not in producer.facilities:
        raise UntranslatableError("it is of another producer than the record's key says", "MSH-4")
    if header.get(11) not in producer.processing:
        yield Ignored("test")
        return
    found = message.all("SCH")
    if EVENTS[event] == "":
        yield Ignored("slot")
        return
    if len(found) != 1:
        raise UntranslatableError("there must be one segment of it", "SCH")
    status = _status(found[0], event, producer.statuses)
    if status == "":
        yield Ignored("slot")
        return
    left: list[str] = []
    appointment = _appointment(message, found[0], origin, event, status, left)
    check_years(appointment, ("SCH-11.4", "SCH-11.5"))
    yield Translated(appointment)
    yield from map(Ignored, left)
    if message.unreadable:
        yield Refused("the bytes are not of the character set that it names", "MSH-18")


def _status(sch: Segment, event: str, own: dict[str, str]) -> str:
    """Return what is so: the event's word, or that of the status where the event leaves it open."""
    said = sch.get(25)
    if EVENTS[event] != "booked" or said in ("", EMPTY):
        return EVENTS[event]
    meant = own.get(said, STATUSES.get(said.lower()))
    if meant is None:
        raise UntranslatableError("a status that is neither of table 0278 nor in the producer's table", "SCH-25")
    return meant


def _appointment(
    message: Message, sch: Segment, origin: Origin, event: str, status: str, left: list[str]
) -> Appointment:  # fmt: skip
    """Return what a message says; what it says besides and cannot be used is noted in `left`, by its name."""
    producer = origin.producer
    revision = read_time(message.header.get(7), producer.time_zone, origin.written, "MSH-7")
    id_ = own_id(_said(sch, 2) or _said(sch, 1), "SCH-2")
    fields: dict[str, Any] = {"series": _series(_said(sch, 24) or _said(sch, 23), left) or id_}
    keep: list[Kept] = []
    times = _times(message, sch, origin)
    if times is not None:
        fields["start"], fields["end"] = times
    else:
        keep.append("times")
    clients = _clients(message, producer.clients)
    if clients is not None:
        fields["clients"] = clients
    else:
        keep.append("clients")
    place = _place(message, producer.places)
    if place is not None:
        fields["location"] = Location(name=place) if place else None
    elif event != NEW:
        keep.append("location")
    code = _said(sch, 8) or _said(sch, 7)
    notes = [text for nte in message.all("NTE") if (text := _word(nte, 3))] if producer.notes else []
    fields |= {
        "label": own_label(code, left), "kind": producer.kind(code), "practitioner": _practitioner(message),
        "instructions": notes[0] if notes else None,
    }  # fmt: skip
    if status == "cancelled":
        keep = []  # it may leave them out
    elif event == NEW and keep:
        raise UntranslatableError("a new one without it", {"times": "SCH-11.4", "clients": "PID-3"}[keep[0]])
    elif event == MOVED and times is None:
        raise UntranslatableError("it is moved, and nothing says to when", "SCH-11.4")
    return Appointment(
        organisation=producer.organisation, appointment=id_, revision=milliseconds(revision), order=origin.order,
        status=status, keep=keep, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def _series(text: str, left: list[str]) -> str | None:
    """Return the series that an appointment is of, where it says one that can be ours; else that is noted in `left`."""
    try:
        return own_id(text, "") if text else None
    except UntranslatableError:
        left.append("series")
        return None


def _said(segment: Segment, field: int, component: int = 1) -> str:
    """Return a component, '' where it is empty either way."""
    found = segment.get(field, component)
    return "" if found == EMPTY else found


def _word(segment: Segment, field: int, component: int = 1) -> str:
    """Return a component that is said to people, '' where it is empty or cannot be read."""
    found = _said(segment, field, component)
    return "" if UNREADABLE in found else found


# -- when --------------------------------------------------------------------------------------------------------------


def _times(message: Message, sch: Segment, origin: Origin) -> tuple[datetime, datetime] | None:
    """Return start and end as the first of the three segments that has a start says; None where none has."""

    def read(text: str, place: str) -> datetime:
        return read_time(text, origin.producer.time_zone, origin.written, place)

    services, timings = message.all("AIS"), message.all("TQ1")

    def lasts() -> timedelta | None:
        found = _duration(sch, 9, 10, "SCH-9") or _duration(sch, 11, None, "SCH-11.3", 3)
        return found or next((found for ais in services if (found := _duration(ais, 7, 8, "AIS-7"))), None)

    candidates = [(_said(sch, 11, 4), "SCH-11.4", _said(sch, 11, 5), "SCH-11.5")]
    candidates += [(_said(tq1, 7), "TQ1-7", _said(tq1, 8), "TQ1-8") for tq1 in timings]
    candidates += [(_said(ais, 4), "AIS-4", "", "AIS-7") for ais in services]
    for start_text, start_place, end_text, end_place in candidates:
        if not start_text:
            continue
        start = read(start_text, start_place)
        if end_text:
            return start, read(end_text, end_place)
        if (duration := lasts()) is None:
            raise UntranslatableError("there is neither an end nor a duration", end_place)
        return start, start + duration
    return None


def _duration(segment: Segment, field: int, unit: int | None, place: str, component: int = 1) -> timedelta | None:
    """Return a duration: a number with its unit beside it, or before it as in `M30`."""
    text = _said(segment, field, component)
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    seconds = UNITS.get((found[1] if found else "") or (_said(segment, unit).upper() if unit is not None else ""))
    if found is None or seconds is None:
        raise UntranslatableError("not a duration in seconds, minutes or hours", place)
    return timedelta(seconds=int(found[2]) * seconds)


# -- who and where -----------------------------------------------------------------------------------------------------


def _clients(message: Message, authority: str | None) -> list[Attendee] | None:
    """Return the clients, one for each patient; None where the message speaks of none."""
    patients = message.all("PID")
    if not patients:
        return None
    ids = dict.fromkeys(_client(pid, authority) for pid in patients)
    if len(ids) > MOST_CLIENTS:
        raise UntranslatableError(f"more than {MOST_CLIENTS} clients", "PID")
    return [Attendee(client=client, present=True) for client in ids]


def _client(pid: Segment, authority: str | None) -> str:
    usable: list[str] = []
    for components in pid.repetitions(3):
        issuers = {pid.part(components, 4), pid.part(components, 4, 2)} - {""}
        if pid.part(components, 5) == BSN_TYPE or issuers & BSN_SYSTEMS:
            continue
        if (id_ := pid.part(components, 1)) not in ("", EMPTY) and (authority is None or authority in issuers):
            usable.append(id_)
    if not usable:
        raise UntranslatableError("no identifier of the client's authority", "PID-3")
    if authority is None and len(set(usable)) > 1:
        raise UntranslatableError("several identifiers, and no authority is agreed that names the client", "PID-3")
    return own_id(usable[0], "PID-3.1")


def _place(message: Message, names: dict[str, str]) -> str | None:
    """Return where it is, '' where that is none now, None where nothing is said of it."""
    locations = [ail for ail in message.all("AIL") if ail.raw(3)]
    if not locations:
        return None
    for ail in filter(_is_there, locations):
        code = _said(ail, 3)
        name = spoken(names.get(code) or _word(ail, 3, 9) or _word(ail, 3))
        if name is not None:
            return name
    return ""


def _practitioner(message: Message) -> str | None:
    """Return the name of the one carer who takes part; of several none stands for the others."""
    names = set()
    for aip in message.all("AIP"):
        if _is_there(aip) and (name := " ".join(filter(None, (_said(aip, 3, part) for part in (6, 3, 2))))):
            names.add(name if UNREADABLE not in name else "")
    return (names.pop() or None) if len(names) == 1 else None


def _is_there(resource: Segment) -> bool:
    """Tell whether a resource takes part, and is not just taken off."""
    return resource.get(2) not in ("D", "DELETE") and resource.raw(3) != EMPTY
