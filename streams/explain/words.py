"""What the delivery log's statuses and details mean, in a sentence for a help desk."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.deliveries import JUST_REMINDED, JUST_TOLD, NO_REST, NO_WORDS, NOT_SAID, NOTIFY, REROUTED, TOO_MANY, LogRecord
from schemas.events import View
from schemas.ledger import LedgerRow

from ..processing.local_time import day_of, local
from ..processing.places import said_place

SUPPRESSED = {
    "absent": "the client was not present on the appointment",
    "tell": "the appointment may not be told to this one who acts for the client (any more)",
    "ended": "the last day on which this one acts for the client was over",
    "same_address": "somebody else of the client's is told it at the same number or address: it counts as known",
    "client_off": "the client's notifications were off, no channel was listed, or each listed one was opted out",
    "contact_unconfirmed": "no listed channel had a number or address that was confirmed and can get messages",
    "organisation_off": "the organisation's notifications were off, or its settings not known",
    "employee_off": "the employee wanted no messages, named no channel, or had opted out of each",
    "own": "the employee hears of what others change alone, and made every revision since the last message",
    "not_soon": "the employee hears of today and tomorrow alone",
    "too_many": "as many requests as may wait for the client waited already",
    "not_said": "it waited in a hold, and the organisation had nothing said of it: it counts as known from elsewhere",
    "just_told": "a message that went out shortly before said all that the reminder would have said",
    "just_reminded": "another reminder of that day had gone out shortly before",
    "notify": "the appointment's `notify` says that no such message may be the first to tell of it",
    "series": "an earlier message about the series says it already: “en de daarop volgende”",
    "same": "nothing changed in words: another appointment is where this one was, or this one is where something is known",
    "outcome": "the client came, or stayed away, before this was told: it is known as it then was",
}
"""A closed gate, as it was at that moment."""


_IN_PART = re.compile(r"(?:^|; )([0-9]+ of [0-9]+ pieces)$")


def moment(instant: datetime, zone: str) -> str:
    """Say a local time to the second."""
    return f"{local(instant, zone):%Y-%m-%d %H:%M:%S}"


def period(view: View, zone: str) -> str:
    """Say when and where, in local time."""
    start, end = local(view.start, zone), local(view.end, zone)
    until = f"{end:%H:%M}" if day_of(view.start, zone) == day_of(view.end, zone) else f"{end:%Y-%m-%d %H:%M}"
    place = f", {view.location}" if view.location is not None else ""
    if view.location is not None and said_place(view.location, view.kind) is None:
        place += " (not said)" if view.kind in ("phone", "video") else " (an address: it is not said)"
    place = f", {view.kind}{place}" if view.kind is not None else place
    series = f", series {view.series}" if view.series is not None else ""
    arrival = " (arrival)" if view.arrival else ""
    return f"{start:%Y-%m-%d %H:%M} to {until}{arrival}{place}{series}"


def kinds(one: LogRecord) -> str:
    """Say what a message speaks of: kinds with the ids of appointments."""
    told = []
    for note in one.notices:
        names = [name for name in (note.appointment, *note.others) if name is not None]
        told.append(f"{note.kind} {', '.join(names)}".rstrip())
    return "; ".join(told)


def sentence(one: LogRecord) -> str:
    """Say why a record has its status."""
    if one.detail is not None and (found := _IN_PART.search(one.detail)) is not None:
        return f"{sentence(replace(one, detail=one.detail[: found.start()] or None))}; {found[1]} had gone out"
    if one.status == "suppressed":
        return f"{one.detail} – {SUPPRESSED.get(one.detail or '', 'not sent')}{_when(one)}"
    if one.status == "superseded":
        return _superseded(one)
    said = STATUSES[one.status]
    if one.status == "expired" and one.reason == "request":
        said = "its `expires_at` had passed"
    elif one.detail == "gave_up":
        return "gave_up – no time was left for another try before it would have said nothing any more"
    elif one.detail == NO_REST:
        said = "it came back again and again with nothing changed: a fault of this service; it counts as said"
    elif one.detail == NO_WORDS and one.status == "failed":
        said = "no words could be found for it: a fault of this service"
    elif one.detail == "not_made":
        said = "the call to the provider was not made: nothing was sent, and it is tried again at once"
    elif one.status == "failed" and (one.detail or "").startswith("report:"):
        said = "the provider took it, then reported that it did not arrive"
    elif one.status == "sent" and one.channel is not None and not CHANNELS[one.channel].has_reports:
        said = "the mail server took it; whether it arrived is not reported for e-mail"
    attempt = f"; attempt {one.attempt}" if one.attempt > 1 else ""
    return f"{said}{attempt}" + (f" ({one.detail})" if one.detail else "")


STATUSES = {
    "sent": "the provider took it; whether it arrived follows as `delivered` or `failed`, if the provider reports it",
    "delivered": "the provider reported that it arrived",
    "expired": "nothing that it would have said was still ahead",
    "retrying": "this attempt did not succeed, and is made again",
    "failed": "it was refused for good",
    "unknown": "the call ended without an answer: it may have been sent",
}


def _superseded(one: LogRecord) -> str:
    """Why a message came back; what it said was decided anew."""
    if one.detail == REROUTED:
        return f"{REROUTED} – nobody can have got it there: it was decided anew, for the next channel if there is one"
    if one.detail in SUPPRESSED:
        return (
            f"{one.detail} – {SUPPRESSED[one.detail]} when it was about to be sent (by {one.channel} only): it was decided anew"
        )
    said = "the appointments of the day were no longer as it would have said: it was decided anew"
    if one.reason != "reminder":
        said = "not all of it was still so when it was about to be sent: what is so was decided anew"
    return said


def _when(one: LogRecord) -> str:
    """At which of its two checks a gate was closed: a message without a way has no channel at its decision."""
    if one.detail in ("series", "same", "outcome", TOO_MANY, JUST_TOLD, JUST_REMINDED, NOT_SAID, NOTIFY):
        return ""
    if one.detail in ("client_off", "contact_unconfirmed"):
        return " when it was decided" if one.channel is None else f" when it was about to be sent (by {one.channel} only)"
    return " when it was decided or about to be sent"


def became(one: LogRecord, zone: str) -> str:
    """Say what became of a telling, in a few words: told is not the same as received."""
    when = moment(one.at, zone)
    if one.status in ("sent", "delivered"):
        return f"{one.status} by {one.channel} on {when}"
    if one.status == "retrying":
        return f"not sent yet: an attempt by {one.channel} did not succeed on {when}"
    if one.status == "unknown":
        return f"perhaps sent by {one.channel} on {when}, nobody knows"
    if one.detail == JUST_TOLD:
        return f"not sent on {when}: a message that went out shortly before said all of it ({JUST_TOLD})"
    if one.detail == JUST_REMINDED:
        return f"not sent on {when}: another reminder of that day had gone out shortly before ({JUST_REMINDED})"
    why = f" ({one.detail})" if one.detail is not None else ""
    return f"but the client did not get that: {one.status}{why} on {when}"


def at_sender(channel: str, row: LedgerRow, zone: str) -> str:
    """Say where an open message stands."""
    if row.status == "claimed":
        return f"being sent by {channel} since {moment(row.at, zone)}"
    return f"{row.status} at the {channel} sender since {moment(row.at, zone)}"
