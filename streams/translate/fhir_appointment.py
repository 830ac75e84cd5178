"""A FHIR Appointment as our appointment.

| FHIR | here |
|---|---|
| id | appointment |
| meta.lastUpdated | revision, in milliseconds; the record's offset breaks ties |
| proposed, pending, waitlist | cancelled: not agreed yet, so not told; it takes back what was |
| booked | booked |
| arrived, checked-in | arrived |
| fulfilled, noshow | the same |
| cancelled, entered-in-error | cancelled |
| start, end | start, end |
| participant: a Patient who accepted, may come, or has not answered | client, present |
| participant: a Patient who declined, or is `information-only` | client, not present |
| participant: the first Location that has a name | location: its display, else its name, never its address |
| participant: the display of the one Practitioner or PractitionerRole that has one and did not decline | practitioner |
| appointmentType: its first code | label, and by the producer's table kind |
| else virtualService (R5): at a telephone number, or elsewhere | kind: phone, video |
| else class HH (R5) | kind: home |
| virtualService.addressUrl (R5) of https | link |
| patientInstruction (R4, R4B: a text) | instructions |
| replaces (R5) | replaces |
| originatingAppointment (R5), else its own id | series |
| meta.security R or V | notify: none |
| recurrenceTemplate (R5) | never expanded: each occurrence is an Appointment of its own |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from schemas.appointments import Appointment, Attendee, KindOfAppointment, Location
from schemas.wire import BadRecordError, check

from ..processing.places import spoken
from .fhir_types import (
    AppointmentResource,
    Around,
    Concept,
    Identifier,
    Meta,
    Participant,
    PatientResource,
    Reference,
    Target,
    VirtualService,
    identifier_of,
    target_of,
)
from .hl7_time import milliseconds
from .results import Ignored, Origin, Result, Translated, UntranslatableError, check_years, checked, own_id, own_label

T = TypeVar("T")

STATUSES = {
    "proposed": "cancelled", "pending": "cancelled", "waitlist": "cancelled", "booked": "booked", "arrived": "arrived",
    "checked-in": "arrived", "fulfilled": "fulfilled", "noshow": "noshow", "cancelled": "cancelled",
    "entered-in-error": "cancelled",
}  # fmt: skip

CONFIDENTIAL = ("R", "V")
"""Codes of `meta.security`: restricted, very restricted."""

AT_HOME = "HH"
"""Of HL7's ActEncounterCode: home health."""

MOST_CLIENTS = 1000
MOST_REPLACED = 10


def appointment_of(plain: dict[str, Any], origin: Origin, around: Around) -> Iterator[Result]:
    """Yield what an Appointment says."""
    place, producer = around.place, origin.producer
    found = checked(AppointmentResource, plain, place)
    meta = check_source(found.meta, origin, place)
    status = STATUSES[found.status]
    if status != "cancelled":
        for name in ("start", "end"):
            if getattr(found, name) is None:
                raise UntranslatableError("it is missing", f"{place}.{name}")
    contained = {one["id"]: one for one in found.contained or [] if isinstance(one.get("id"), str)}
    people = Participants(found.participant or [], contained, around)
    hidden = any(coding.code in CONFIDENTIAL for coding in meta.security or [])
    clients = [Attendee(client=client, present=present) for client, present in people.clients().items()]
    where = people.location()
    id_ = own_id(found.id, f"{place}.id")
    left: list[str] = []
    code = _code(found.appointment_type, left)
    services = _readable(list[VirtualService], found.virtual_service) or []
    appointment = Appointment(
        organisation=producer.organisation, appointment=id_, revision=revision_of(meta, place), order=origin.order,
        status=status,  # type: ignore[arg-type]
        start=found.start, end=found.end, location=Location(name=where) if where is not None else None,
        series=_series(found.originating_appointment, left) or id_, clients=clients,
        notify="none" if hidden else None, practitioner=people.practitioner(),
        label=own_label(code, left), kind=producer.kind(code) or _kind(services, _readable(list[Concept], found.class_) or []),
        instructions=_text(found.patient_instruction), link=_link(services),
        replaces=_replaced(found.replaces, left),
    )  # fmt: skip
    check_years(appointment, (f"{place}.start", f"{place}.end"))
    yield Translated(appointment)
    yield from map(Ignored, left)


def check_source(meta: Meta | None, origin: Origin, place: str) -> Meta:
    """Return what a resource says of itself. Raises UntranslatableError where it comes from another source than agreed."""
    meta = meta or Meta()
    sources = origin.producer.sources
    if meta.source is not None and sources and not any(meta.source.startswith(one) for one in sources):
        raise UntranslatableError("it is of another producer than the record's key says", f"{place}.meta.source")
    return meta


def revision_of(meta: Meta, place: str) -> int:
    """Return the revision. Raises UntranslatableError where there is none: nothing else says which of two is the later."""
    if meta.last_updated is None:
        raise UntranslatableError("it is missing", f"{place}.meta.lastUpdated")
    return milliseconds(meta.last_updated)


def _id_in(plain: Any) -> str | None:
    """Return the id of the appointment that a reference names; None where there is none, or none that can be ours."""
    reference = _readable(Reference, plain)
    if reference is None or reference.reference is None:
        return None
    try:
        return own_id(reference.reference.partition("/_history/")[0].rpartition("/")[2], "")
    except UntranslatableError:
        return None


def _series(plain: Any, left: list[str]) -> str | None:
    """Return the series that an appointment is of, where it says one that can be read; else that is noted in `left`."""
    found = _id_in(plain)
    if plain is not None and found is None:
        left.append("series")
    return found


def _code(plain: Any, left: list[str]) -> str | None:
    """Return the first code of a type; of another shape it is noted in `left`."""
    concept = _readable(Concept, plain)
    if concept is None:
        if plain is not None:
            left.append("label")
        return None
    return next((coding.code for coding in concept.coding or [] if coding.code), None)


def _readable(type_: type[T], plain: Any) -> T | None:
    """Return what a resource may say besides; None where it is of another shape."""
    try:
        return check(type_, plain)
    except BadRecordError:
        return None


def _kind(services: list[VirtualService], classes: list[Concept]) -> KindOfAppointment | None:
    """Return how client and carer meet, as far as the standard says it."""
    points = [one.address_contact_point for one in services]
    if points:
        by_phone = all(point is not None and point.system == "phone" for point in points)
        return "phone" if by_phone else "video"
    codes = {coding.code for concept in classes for coding in concept.coding or []}
    return "home" if AT_HOME in codes else None


def _link(services: list[VirtualService]) -> str | None:
    urls = [one.address_url for one in services if one.address_url is not None and one.address_url.startswith("https://")]
    return urls[0] if urls else None


def _text(said: Any) -> str | None:
    """Return a text; None where it is none (R5 has a list of concepts), or blank. Intake says what of it cannot be used."""
    return said if isinstance(said, str) and said.strip() else None


def _replaced(plain: Any, left: list[str]) -> list[str] | None:
    """Return which appointments it was made in the place of; what cannot be read of them is noted in `left`."""
    references = plain if isinstance(plain, list) else [plain] if plain is not None else []
    ids = [id_ for one in references if (id_ := _id_in(one)) is not None]
    if len(ids) < len(references) or len(ids) > MOST_REPLACED:
        left.append("replaces")
    return ids[:MOST_REPLACED] or None


class Participants:
    """Who and what takes part, each reference looked at where it stands."""

    def __init__(self, participants: list[Participant], contained: dict[str, dict[str, Any]], around: Around) -> None:
        self.around = around
        self.found: list[tuple[Participant, Reference, Target, str]] = []
        for number, one in enumerate(participants):
            if one.actor is not None:
                place = f"{around.place}.participant[{number}].actor"
                self.found.append((one, one.actor, target_of(one.actor, contained, around, place), place))

    def clients(self) -> dict[str, bool]:
        """Return client -> present."""
        clients: dict[str, bool] = {}
        for one, actor, target, place in self.found:
            if target.type != "Patient":
                continue
            present = one.expected
            if clients.setdefault(self._client(actor, target, place), present) != present:
                raise UntranslatableError("a client takes part twice, and is expected once", place.removesuffix(".actor"))
        if len(clients) > MOST_CLIENTS:
            raise UntranslatableError(f"more than {MOST_CLIENTS} clients", f"{self.around.place}.participant")
        return clients

    def _client(self, actor: Reference, target: Target, place: str) -> str:
        authority = self.around.producer.clients
        if authority is None:
            if target.id is None:
                raise UntranslatableError("it names no Patient of the producer's server", f"{place}.reference")
            return own_id(target.id, f"{place}.reference")
        identifiers: list[Identifier | None] = [actor.identifier]
        if target.resource is not None:
            identifiers += checked(PatientResource, target.resource, f"{place}.resolve()").identifier or []
        return own_id(named(identifiers, authority, f"{place}.identifier"), f"{place}.identifier")

    def practitioner(self) -> str | None:
        """Return the name of the one carer who takes part; of several none stands for the others."""
        names = {
            name
            for one, actor, target, _ in self.found
            if target.type in ("Practitioner", "PractitionerRole") and one.status != "declined"
            if (name := _text(actor.display)) is not None
        }
        return names.pop() if len(names) == 1 else None

    def location(self) -> str | None:
        """Return the name of the first place that has one."""
        for one, actor, target, _ in self.found:
            if target.type != "Location" or one.status == "declined":
                continue
            inner = target.resource.get("name") if target.resource is not None else None
            code = f"Location/{target.id}"
            names = (self.around.producer.places.get(code), actor.display, inner)
            if (name := next((said for text in names if isinstance(text, str) and (said := spoken(text))), None)) is not None:
                return name
        return None


def named(identifiers: list[Identifier | None], authority: str, place: str) -> str:
    """Return the identifier of the authority that names clients. Raises UntranslatableError where there is none."""
    found = identifier_of(identifiers, authority)
    if found is None:
        raise UntranslatableError("no identifier of the client's authority", place)
    return found
