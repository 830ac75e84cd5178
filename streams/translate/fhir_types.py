"""What is read of FHIR's resources: R4, R4B, R5 and STU3 say it alike. All else is left alone."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from schemas.wire import Instant

from .producers import BSN_SYSTEMS, BSN_TYPE, Producer
from .results import UntranslatableError

Texts = list[str | None]


class Fhir(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A part of a resource."""


class Coding(Fhir, frozen=True):
    """A code of a system."""

    system: str | None = None
    code: str | None = None


class Concept(Fhir, frozen=True):
    """A concept, by its codes."""

    coding: list[Coding] | None = None


class Identifier(Fhir, frozen=True):
    """An identifier, and who gave it out."""

    system: str | None = None
    value: str | None = None
    type: Concept | None = None


class Reference(Fhir, frozen=True):
    """A reference to another resource; it is never fetched."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: Any = None


class Meta(Fhir, frozen=True):
    """What is said of a resource itself."""

    last_updated: Instant | None = None
    source: str | None = None
    security: list[Coding] | None = None


class Participant(Fhir, frozen=True):
    """Who or what takes part in an appointment."""

    status: Literal["accepted", "declined", "tentative", "needs-action"]
    actor: Reference | None = None
    required: str | bool | None = None

    @property
    def expected(self) -> bool:
        """Tell whether it is to be there. Who is informed only (R4, STU3) is not."""
        return self.status != "declined" and self.required != "information-only"


AppointmentStatus = Literal[
    "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in", "waitlist"
]


class Period(Fhir, frozen=True):
    """From when to when, as days or instants."""

    end: str | None = None


class ContactPoint(Fhir, frozen=True):
    """A number or an address."""

    system: str | None = None
    value: str | None = None
    use: str | None = None
    rank: int | None = None
    period: Period | None = None


class VirtualService(Fhir, frozen=True):
    """How one takes part from elsewhere (R5)."""

    address_url: str | None = None
    address_contact_point: ContactPoint | None = None


class AppointmentResource(Fhir, frozen=True, kw_only=True):
    """An Appointment. What it may say besides is `Any`: of another shape, it must not cost the appointment."""

    id: str | None = None
    meta: Meta | None = None
    contained: list[dict[str, Any]] | None = None
    status: AppointmentStatus
    start: Instant | None = None
    end: Instant | None = None
    participant: list[Participant] | None = None
    replaces: Any = None
    originating_appointment: Any = None
    appointment_type: Any = None
    patient_instruction: Any = None
    virtual_service: Any = None
    class_: Any = msgspec.field(default=None, name="class")


class PatientResource(Fhir, frozen=True, kw_only=True):
    """A Patient."""

    id: str | None = None
    meta: Meta | None = None
    active: bool | None = None
    identifier: list[Identifier] | None = None
    telecom: list[ContactPoint] | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None


class BundleRequest(Fhir, frozen=True):
    """What was asked of the server."""

    method: str | None = None
    url: str | None = None


class BundleResponse(Fhir, frozen=True):
    """What the server answered."""

    last_modified: Instant | None = None


class BundleEntry(Fhir, frozen=True):
    """One resource of a Bundle."""

    full_url: str | None = None
    resource: dict[str, Any] | None = None
    request: BundleRequest | None = None
    response: BundleResponse | None = None


class Bundle(Fhir, frozen=True, kw_only=True):
    """Several resources."""

    timestamp: Instant | None = None
    meta: Meta | None = None
    entry: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=1000)] | None = None


# -- references --------------------------------------------------------------------------------------------------------

_LITERAL = re.compile(r"(?:(?P<base>[a-z][a-z0-9+.-]*://.*?)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/]+)(?:/_history/[^/]+)?")


class Target(NamedTuple):
    """What a reference points at: the type and id that it names, and the resource where that comes along."""

    type: str | None
    id: str | None
    resource: dict[str, Any] | None = None


class Around(NamedTuple):
    """Where a resource stands: whose it is, and what came along with it. `place`: what comes before the place of a fault."""

    producer: Producer
    beside: dict[str, dict[str, Any]]
    place: str


def target_of(reference: Reference, contained: dict[str, dict[str, Any]], around: Around, place: str) -> Target:
    """Return what a reference points at. Raises UntranslatableError where that is on another server."""
    text = reference.reference
    if text is None:
        return Target(reference.type, None)
    if text.startswith("#"):
        found = contained.get(text[1:])
        return Target(_type_of(found) or reference.type, None, found)
    found = around.beside.get(text)
    literal = _LITERAL.fullmatch(text)
    if literal is None:
        own = found.get("id") if found is not None else None
        return Target(_type_of(found) or reference.type, own if isinstance(own, str) else None, found)
    base, server = literal["base"], (around.producer.server or "").rstrip("/")
    if base is not None and base != server and literal["type"] == "Patient":
        raise UntranslatableError("a reference to another server", f"{place}.reference")
    found = found if found is not None else around.beside.get(f"{literal['type']}/{literal['id']}")
    return Target(literal["type"], literal["id"], found)


def _type_of(resource: dict[str, Any] | None) -> str | None:
    found = resource.get("resourceType") if resource is not None else None
    return found if isinstance(found, str) else None


def identifier_of(identifiers: list[Identifier | None], authority: str) -> str | None:
    """Return the identifier that an authority gave out. A citizen service number is none."""
    for one in identifiers:
        if one is None or one.system != authority or one.system in BSN_SYSTEMS or not (one.value or "").strip():
            continue
        codes = (one.type.coding or []) if one.type is not None else []
        if not any(coding.code == BSN_TYPE for coding in codes):
            return one.value
    return None
