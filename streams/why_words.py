"""What the delivery log's statuses and details mean, in a sentence for a help desk."""

from __future__ import annotations

from datetime import datetime

from schemas.deliveries import LogRecord
from schemas.events import View
from schemas.state import LedgerRow

from .zones import day_of, local

SUPPRESSED = {
    "absent": "the client was not present on the appointment",
    "client_off": "the client's notifications were off, no channel was listed, or each listed one was opted out",
    "contact_unconfirmed": "no listed channel had a number or address that was confirmed and can get messages",
    "organisation_off": "the organisation's notifications were off, or its settings not known",
    "series": "an earlier message about the series says it already: “en de daarop volgende”",
}
"""A closed gate, as it was at that moment."""


def moment(instant: datetime, zone: str) -> str:
    """Local time to the second."""
    return f"{local(instant, zone):%Y-%m-%d %H:%M:%S}"


def period(view: View, zone: str) -> str:
    """When and where, in local time."""
    start, end = local(view.start, zone), local(view.end, zone)
    until = f"{end:%H:%M}" if day_of(view.start, zone) == day_of(view.end, zone) else f"{end:%Y-%m-%d %H:%M}"
    place = f", {view.location}" if view.location is not None else ""
    series = f", series {view.series}" if view.series is not None else ""
    return f"{start:%Y-%m-%d %H:%M} to {until}{place}{series}"


def kinds(one: LogRecord) -> str:
    """What a message speaks of: kinds with the ids of appointments."""
    told = []
    for note in one.notices:
        names = [name for name in (note.appointment, *note.others) if name is not None]
        told.append(f"{note.kind} {', '.join(names)}".rstrip())
    return "; ".join(told)


def sentence(one: LogRecord) -> str:
    """Why a record has its status."""
    if one.status == "suppressed":
        return f"{one.detail} – {SUPPRESSED.get(one.detail or '', 'not sent')}{_when(one)}"
    said = STATUSES[one.status]
    if one.status == "superseded" and one.reason == "reminder":
        said = "the appointments of the day were no longer as it would have said"
    elif one.status == "expired" and one.reason == "request":
        said = "its `expires_at` had passed"
    elif one.detail == "gave_up":
        return "gave_up – no time was left for another try before it would have said nothing any more"
    elif one.status == "failed" and (one.detail or "").startswith("report:"):
        said = "the provider took it, then reported that it did not arrive"
    elif one.status == "sent" and one.channel == "email":
        said = "the mail server took it; whether it arrived is not reported for e-mail"
    attempt = f"; attempt {one.attempt}" if one.attempt > 1 else ""
    return f"{said}{attempt}" + (f" ({one.detail})" if one.detail else "")


STATUSES = {
    "sent": "the provider took it; whether it arrived follows as `delivered` or `failed`, if the provider reports it",
    "delivered": "the provider reported that it arrived",
    "superseded": "a later change of the same appointment was decided before this went out",
    "expired": "nothing that it would have said was still ahead",
    "retrying": "this attempt did not succeed, and is made again",
    "failed": "it was refused for good",
    "unknown": "the call ended without an answer: it may have been sent",
}


def _when(one: LogRecord) -> str:
    """At which of its two checks a gate was closed: a message without a way has no channel at its decision."""
    if one.detail == "series":
        return ""
    if one.detail in ("client_off", "contact_unconfirmed"):
        return " when it was decided" if one.channel is None else f" when it was about to be sent (by {one.channel} only)"
    return " when it was decided or about to be sent"


def became(one: LogRecord, zone: str) -> str:
    """What became of a telling, in a few words: told is not the same as received."""
    when = moment(one.at, zone)
    if one.status in ("sent", "delivered"):
        return f"{one.status} by {one.channel} on {when}"
    if one.status == "retrying":
        return f"not sent yet: an attempt by {one.channel} did not succeed on {when}"
    if one.status == "unknown":
        return f"perhaps sent by {one.channel} on {when}, nobody knows"
    why = f" ({one.detail})" if one.detail is not None else ""
    return f"but the client did not get that: {one.status}{why} on {when}"


def at_sender(channel: str, row: LedgerRow, zone: str) -> str:
    """Where an open message stands."""
    if row.status == "claimed":
        return f"being sent by {channel} since {moment(row.at, zone)}"
    return f"{row.status} at the {channel} sender since {moment(row.at, zone)}"
