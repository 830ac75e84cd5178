"""What intake checks that one field of a schema cannot say. A refusal is a BadRecordError that names the field."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from schemas.events import ClientEvent, Forgotten, View
from schemas.inputs import Appointment, Organisation, OrganisationOverride, Request
from schemas.state import Snapshot
from schemas.topics import APPOINTMENTS, CONSENTS, CONTACTS, ERASURES, OPT_OUTS, ORGANISATIONS, OVERRIDES, REQUESTS
from schemas.wire import BadRecordError, read, utc

from .turn import Record
from .zones import zone

MOST_CLIENTS = 1000
KEPT = timedelta(days=30)
FIRST_YEAR, LAST_YEAR = 1970, 2199
LINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def present(record: Record) -> bytes:
    """The value of a record that must have one."""
    if record.value is None:
        raise BadRecordError("a value is missing: null is not allowed here")
    return record.value


def key_parts(record: Record, count: int) -> list[str]:
    """The ids in a key."""
    try:
        parts = (record.key or b"").decode().split("/")
    except UnicodeDecodeError:
        raise BadRecordError("the key is not UTF-8") from None
    if len(parts) != count or not all(parts):
        raise BadRecordError(f"the key does not have {count} ids joined by '/'")
    return parts


def match_key(record: Record, *ids: str) -> None:
    """The key must say what the value says: it decides the order of events and the owner of their state."""
    if record.key != "/".join(ids).encode():
        raise BadRecordError("the key does not match the value: expected " + "/".join(NAMES[record.topic]))


NAMES = {
    topic.name: topic.key.split("/")
    for topic in (APPOINTMENTS, CONSENTS, CONTACTS, OPT_OUTS, ORGANISATIONS, OVERRIDES, REQUESTS, ERASURES)
}


def forgotten(record: Record, what: Forgotten) -> ClientEvent:
    """The deletion of a client's consent or contact."""
    organisation, client = key_parts(record, 2)
    return ClientEvent(organisation=organisation, client=client, forget=what)


def instant(value: datetime, field: str) -> datetime:
    """An instant in UTC, in years that every zone can show."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise BadRecordError(f"the year must be {FIRST_YEAR} to {LAST_YEAR} - at `$.{field}`")
    return utc(value)


def snapshot_of(event: Appointment, now: datetime) -> Snapshot:
    """A checked appointment as its row."""
    start, end = instant(event.start, "start"), instant(event.end, "end")
    if end < start:
        raise BadRecordError("the end is before the start - at `$.end`")
    if len(event.clients) > MOST_CLIENTS:
        raise BadRecordError(f"more than {MOST_CLIENTS} clients - at `$.clients`")
    clients = {attendee.client: attendee.present for attendee in event.clients}
    if len(clients) != len(event.clients):
        raise BadRecordError("a client is listed twice - at `$.clients`")
    return Snapshot(
        revision=event.revision,
        booked=event.status == "booked",
        view=View(start, end, event.location.name if event.location is not None else None, event.series),
        clients=clients,
        keep_until=max(end, now) + KEPT,
    )


def settings_of(record: Record) -> Organisation:
    """The settings in a record of `organisations` that has a value."""
    event = read(Organisation, present(record))
    match_key(record, event.organisation)
    check_settings(event)
    return event


def override_of(record: Record) -> OrganisationOverride:
    """What is laid over them, in a record of `organisation-overrides` that has a value.

    Each field is checked as upstream's is, and none depends on another: laid over settings that are good, it makes good ones.
    """
    event = read(OrganisationOverride, present(record))
    match_key(record, event.organisation)
    return event


def check_settings(event: Organisation) -> None:
    """What one field of the schema cannot say."""
    try:
        zone(event.time_zone)
    except ValueError as error:
        raise BadRecordError(f"{error} - at `$.time_zone`") from None
    price = event.sms.unit_price
    try:
        wrong = not 0 <= float(price) < 1000
    except ValueError:
        wrong = True
    if wrong:
        raise BadRecordError("not a price of 0 or more - at `$.sms.unit_price`")
    if not event.sms.originator.lstrip("+").isdigit() and len(event.sms.originator) > 11:
        raise BadRecordError("a sender name has at most 11 characters - at `$.sms.originator`")
    for field, value in (("from", event.email.from_), ("reply_to", event.email.reply_to)):
        if value is not None and "@" not in value:
            raise BadRecordError(f"not an e-mail address - at `$.email.{field}`")


def check_request(event: Request) -> Request:
    """A third party's message, its instants in UTC."""
    for scheme in LINK.findall(event.text):
        if scheme.lower() != "https":
            raise BadRecordError("links must be https - at `$.text`")
    send_at = instant(event.send_at, "send_at") if event.send_at is not None else None
    expires_at = instant(event.expires_at, "expires_at") if event.expires_at is not None else None
    if send_at is not None and expires_at is not None and expires_at < send_at:
        raise BadRecordError("it expires before it is to be sent - at `$.expires_at`")
    return msgspec.structs.replace(event, send_at=send_at, expires_at=expires_at)
