"""What intake checks that one field of a schema cannot say. A refusal is a BadRecordError that names the field."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_args

import msgspec

from schemas.addresses import AddressError, mailbox
from schemas.agenda_snapshots import PolledAppointment
from schemas.appointments import Appointment, AppointmentStatus, Arrival, Attendee, Location, Notify, Outcome
from schemas.events import ClientEvent, Details, ForgetKind, View
from schemas.holds import Hold
from schemas.inputs import NAME_MOST, SETTINGS_MOST, Organisation, OrganisationOverride, Request
from schemas.state import Snapshot
from schemas.topics import INPUTS, REQUESTS
from schemas.wire import BadRecordError, check, encode, loads, read

from ..processing.local_time import KEPT, zone
from ..processing.places import spoken
from ..processing.record_checks import instant, key_parts, present
from ..processing.turn import Record
from .details import with_usable_details
from .employees import Doubts, employees_of, with_usable_employees
from .representatives import attendees_of, tells_of, without_bad_tells
from .tidying import tidied, tidied_appointment

MOST_CLIENTS = 1000
MOST_REPLACES = 1 << 20
"""Bytes of what an appointment replaces, said to each of its clients: all of them must fit into one append."""
NO_DETAILS = Details()
OFF = ("cancelled", "entered-in-error")
"""Statuses of what does not take place."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
AHEAD = timedelta(days=1)
"""How far the clock of who decided on an erasure may be ahead of ours."""
LINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#]*)")
"""A link: its scheme, and who and where."""
NO_LINK = re.compile(r"(?i)\b(?:javascript|vbscript|data|file):\S|(?<!:)//\w|(?<![\w./@-])www\.\w")
"""What a phone or a mail program makes a link of, and is none of https."""
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Controls that show a text, and so a link, in another order than it has."""


def match_key(record: Record, *ids: str) -> None:
    """Refuse a key that does not say what the value says: it decides the order of events and the owner of their state."""
    if record.key != "/".join(ids).encode():
        raise BadRecordError("the key does not match the value: expected " + "/".join(NAMES[record.topic]))


NAMES = {topic.name: topic.key.split("/") for topic in INPUTS}


def forgotten(record: Record, what: ForgetKind) -> ClientEvent:
    """Return the deletion of a client's consent or contact."""
    organisation, client = key_parts(record, 2)
    return ClientEvent(organisation=organisation, client=client, forget=what)


def appointment_of(record: Record) -> tuple[Appointment, Doubts]:
    """Read the appointment in a record that has a value, and what of its parts cannot be used; its key must fit."""
    plain, faults = with_usable_details(tidied_appointment(loads(present(record))))
    faults += without_bad_tells(plain)
    doubts = with_usable_employees(plain)
    event = check(Appointment, plain)
    match_key(record, event.organisation, event.appointment)
    return event, Doubts([*faults, *doubts.faults], doubts.unclear)


def snapshot_of(event: Appointment, now: datetime, last: Snapshot | None = None) -> Snapshot:
    """Return a checked appointment as its row; what it keeps, or a cancelled one leaves out, is as at the `last` revision."""
    if event.keep:
        event = _kept(event, last)
    if event.status == "booked" or (event.status in OUTCOMES and last is None):
        for name in ("start", "end", "clients"):
            if getattr(event, name) is None:
                raise BadRecordError(f"Object missing required field `{name}`")
    times = _times(event, now, last)
    place = event.location.name if event.location is not None else None
    if last is not None and _leaves_out(event, "location"):
        place = last.view.location
    remote = event.kind if event.kind != "on_site" else None
    if last is not None and _leaves_out(event, "kind"):
        remote = last.view.kind
    details = details_of(event, last.details if last is not None and event.status != "booked" else None)
    notify = own_notify(event.notify, details)
    if last is not None and _leaves_out(event, "notify"):
        notify = last.notify
    clients = _clients(event.clients) if event.clients is not None else dict(last.clients if last is not None else {})
    tells = tells_of(event.clients) if event.clients is not None else dict(last.tells if last is not None else {})
    return Snapshot(
        revision=event.revision,
        booked=event.status not in OFF,
        replaces=last.replaces if last is not None and _leaves_out(event, "replaces") else _replaces(event, len(clients)),
        view=View(times.start, times.end, place, event.series, remote, times.arrival),
        clients=clients,
        outcomes=_outcomes(event, clients),
        keep_until=max(times.end, now) + KEPT,
        order=event.order,
        notify=notify,
        details=details,
        tells=tells,
        employees=employees_of(event, last),
    )


def details_of(event: Appointment | PolledAppointment, last: Details | None = None) -> Details | None:
    """Return what is known of an appointment besides its words; what it leaves out is as it was `last`."""
    label = event.label or (last.label if last is not None else None)
    details = Details(label=label, practitioner=event.practitioner, instructions=event.instructions, link=event.link)
    return details if details != NO_DETAILS else None


def own_notify(notify: Notify | None, details: Details | None) -> Notify | None:
    """Return what an appointment says itself of what alone may tell of it first. `all` says something beside a label only."""
    return None if notify == "all" and (details is None or details.label is None) else notify


def outcome_of(status: AppointmentStatus) -> Outcome | None:
    """Return what became of an appointment, where its status says it."""
    return status if status in OUTCOMES else None


def _outcomes(event: Appointment, clients: dict[str, bool]) -> dict[str, Outcome]:
    """Client -> what became of it, of those present; what was never on has none."""
    if event.status in OFF:
        return {}
    whole = outcome_of(event.status)
    own = {one.client: one.outcome for one in event.clients or () if one.outcome is not None}
    found = {client: own.get(client, whole) for client, present in clients.items() if present}
    return {client: outcome for client, outcome in found.items() if outcome is not None}


def _kept(event: Appointment, last: Snapshot | None) -> Appointment:
    """Return an appointment with what it keeps. Raises BadRecordError where there is no last revision."""
    if last is None:
        raise BadRecordError("no revision is known from which to keep it - at `$.keep`")
    found: dict[str, Any] = {}
    if "times" in event.keep:
        if event.arrival is not None:
            raise BadRecordError("the times are kept, and so is the arrival - at `$.arrival`")
        found |= {"start": last.view.start, "end": last.view.end}
    if "location" in event.keep:
        found["location"] = Location(name=last.view.location) if last.view.location is not None else None
    if "clients" in event.keep:
        found["clients"] = attendees_of(last)
    return msgspec.structs.replace(event, **found)


class Times(NamedTuple):
    """When an appointment is for its clients. `arrival`: that is between when it begins."""

    start: datetime
    end: datetime
    arrival: bool = False


def _times(event: Appointment, now: datetime, last: Snapshot | None) -> Times:
    """When it is; without start or end as at the last revision, and without that what there is, or now."""
    if last is not None and ("times" in event.keep or event.start is None or event.end is None):
        return Times(last.view.start, last.view.end, last.view.arrival)
    if event.start is None or event.end is None:
        given = event.start or event.end
        only = instant(given, "start" if event.start is not None else "end") if given is not None else now
        return Times(only, only)
    return times_of(event.start, event.end, event.arrival)


def times_of(start: datetime, end: datetime, arrival: Arrival | None) -> Times:
    """Return when an appointment is, in UTC: its arrival where it has one. Raises BadRecordError."""
    start, end = instant(start, "start"), instant(end, "end")
    if end < start:
        raise BadRecordError("the end is before the start - at `$.end`")
    if arrival is None:
        return Times(start, end)
    first, until = instant(arrival.from_, "arrival.from"), instant(arrival.until, "arrival.until")
    if until < first:
        raise BadRecordError("it is before `from` - at `$.arrival.until`")
    for field, moment in (("from", first), ("until", until)):
        if not start <= moment <= end:
            raise BadRecordError(f"it is not within start and end - at `$.arrival.{field}`")
    return Times(first, until, True)


def _leaves_out(event: Appointment, name: str) -> bool:
    """Tell whether it is not on, or is over, and does not say this: then that is as it was."""
    return event.status != "booked" and getattr(event, name) is None


def _replaces(event: Appointment, clients: int) -> tuple[str, ...]:
    """Return what it was made in the place of, each once. Raises BadRecordError where its clients are too many to be told."""
    if event.replaces is not None and len(encode(event.replaces)) * clients > MOST_REPLACES:
        raise BadRecordError(f"more than {MOST_REPLACES} bytes for all clients together - at `$.replaces`")
    return chain_of(event.replaces)


def chain_of(replaces: str | list[str] | None) -> tuple[str, ...]:
    """Return what something was made in the place of, each once."""
    listed = [replaces] if isinstance(replaces, str) else replaces or []
    return tuple(dict.fromkeys(listed))


def _clients(attendees: list[Attendee]) -> dict[str, bool]:
    """Client -> present. One that is listed twice alike counts once."""
    listed: dict[str, Attendee] = {}
    for number, one in enumerate(attendees):
        first = listed.setdefault(one.client, one)
        if first.present != one.present:
            raise BadRecordError(f"a client is listed twice, present and not - at `$.clients[{number}]`")
        if first.outcome != one.outcome:
            raise BadRecordError(f"a client is listed twice, with two outcomes - at `$.clients[{number}]`")
    if len(listed) > MOST_CLIENTS:
        raise BadRecordError(f"more than {MOST_CLIENTS} clients - at `$.clients`")
    return {client: one.present for client, one in listed.items()}


def contradicts(new: Snapshot, old: Snapshot) -> bool:
    """Tell whether a repeated revision says something else than the row that keeps it, as far as that still tells."""
    if (new.booked, new.view.start, new.view.end, new.notify) != (old.booked, old.view.start, old.view.end, old.notify):
        return True
    if old.details is not None and new.details != old.details:  # rows of before have none
        return True
    if old.employees and new.employees != old.employees and not old.stripped:  # rows of before have none
        return True
    if old.stripped:
        return any(
            (new.clients.get(client), new.outcomes.get(client), new.tells.get(client))
            != (present, old.outcomes.get(client), old.tells.get(client))
            for client, present in old.clients.items()
        )
    if old.replaces and new.replaces != old.replaces:  # rows of before have none
        return True
    place = spoken(old.view.location) if old.view.location is not None else None  # rows of before have it as it came
    said = (new.clients, new.outcomes, new.tells, new.view.location, new.view.series, new.view.kind)
    return said != (old.clients, old.outcomes, old.tells, place, old.view.series, old.view.kind)


def settings_of(record: Record) -> Organisation:
    """Read the settings in a record of `organisations` that has a value."""
    event = check(Organisation, tidied(record.topic, loads(present(record), SETTINGS_MOST)))
    match_key(record, event.organisation)
    check_settings(event)
    return event


def override_of(record: Record) -> OrganisationOverride:
    """Read what is laid over them, in a record of `organisation-overrides` that has a value.

    Each field is checked as upstream's is, and none depends on another: laid over settings that are good, it makes good ones.
    """
    event = check(OrganisationOverride, tidied(record.topic, loads(present(record), SETTINGS_MOST)))
    match_key(record, event.organisation)
    return event


def hold_of(record: Record, now: datetime) -> Hold:
    """Read what is held, in a record of `holds` that has a value, its instants in UTC."""
    event = read(Hold, present(record))
    match_key(record, event.organisation)
    at, seen_at = instant(event.at, "at"), instant(event.seen_at, "seen_at") if event.seen_at is not None else None
    if event.notices and seen_at is not None:
        raise BadRecordError("only an end has nothing said of what was seen - at `$.seen_at`")
    for field, value in (("at", at), ("seen_at", seen_at)):
        if value is not None and value > now + AHEAD:
            raise BadRecordError(f"more than a day ahead - at `$.{field}`")
    return msgspec.structs.replace(event, at=at, seen_at=seen_at)


def check_settings(event: Organisation) -> None:
    """Check what one field of the schema cannot say."""
    if len(event.name) > NAME_MOST:
        raise BadRecordError(f"Expected `str` of length <= {NAME_MOST} - at `$.name`")
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
    addresses = {"email.from": event.email.from_, "email.reply_to": event.email.reply_to, "alerts_to": event.alerts_to}
    for field, value in addresses.items():
        try:
            _ = mailbox(value) if isinstance(value, str) else None
        except AddressError as error:
            raise BadRecordError(f"{error} - at `$.{field}`") from None


def request_of(plain: Any) -> Request:
    """Read a third party's message, its instants in UTC, from decoded JSON."""
    event = check(Request, tidied(REQUESTS.name, plain))
    if not event.text.strip():
        raise BadRecordError("it says nothing - at `$.text`")
    links = LINK.findall(event.text)
    if NO_LINK.search(event.text) or any(scheme.lower() != "https" for scheme, _ in links):
        raise BadRecordError("links must be https - at `$.text`")
    if any("@" in where for _, where in links):
        raise BadRecordError("a link must not name a user before its host - at `$.text`")
    for field, value in (("text", event.text), ("subject", event.subject or "")):
        if TURNED.search(value):
            raise BadRecordError(f"controls of the direction of text are not allowed - at `$.{field}`")
    send_at = instant(event.send_at, "send_at") if event.send_at is not None else None
    expires_at = instant(event.expires_at, "expires_at") if event.expires_at is not None else None
    if send_at is not None and expires_at is not None and expires_at < send_at:
        raise BadRecordError("it expires before it is to be sent - at `$.expires_at`")
    return msgspec.structs.replace(event, send_at=send_at, expires_at=expires_at)
