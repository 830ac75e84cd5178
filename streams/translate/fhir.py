"""FHIR R4, R4B, R5 and STU3 (eAfspraak): an Appointment, a Patient, or a Bundle of them, as our records.

A Bundle gives as many results as it has entries, and a bad entry spoils no other. An entry that says DELETE of an appointment
cancels it. References are resolved within the Bundle and the resource itself; none is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from schemas.appointments import Appointment
from schemas.wire import BadRecordError, loads

from .fhir_appointment import appointment_of
from .fhir_patient import contact_of
from .fhir_types import Around, Bundle, BundleEntry, Meta
from .hl7_time import milliseconds
from .results import Ignored, Origin, Result, Translated, UntranslatableError, checked, own_id, results_of

DEPTH = 32
"""Levels of nesting that a resource may have."""


def translate_fhir(value: bytes, origin: Origin) -> Iterator[Result]:
    """Yield what one resource says."""
    yield from results_of(lambda: _read(value, origin))


def _read(value: bytes, origin: Origin) -> Iterator[Result]:
    try:
        plain = loads(value)
    except BadRecordError as error:
        raise UntranslatableError(str(error), "$") from None
    if depth_of(plain, DEPTH) > DEPTH:
        raise UntranslatableError(f"it is nested more than {DEPTH} levels deep", "$")
    if not isinstance(plain, dict) or not isinstance(plain.get("resourceType"), str):
        raise UntranslatableError("it is no FHIR resource in JSON", "resourceType")
    if plain["resourceType"] == "Bundle":
        yield from _bundle(plain, origin)
    else:
        yield from resource_results(plain, origin, Around(origin.producer, {}, plain["resourceType"]))


def depth_of(plain: Any, most: int) -> int:
    """Return how deep decoded JSON is nested, or one more than `most`: without recursion, since it may be a bomb."""
    level, depth = [plain], 0
    while level and depth <= most:
        depth += 1
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += [value for value in one.values() if isinstance(value, dict | list)]
            elif isinstance(one, list):
                inner += [value for value in one if isinstance(value, dict | list)]
        level = inner
    return depth


def resource_results(plain: dict[str, Any], origin: Origin, around: Around) -> Iterator[Result]:
    """Yield what one resource says that is no Bundle."""
    kind = plain.get("resourceType")
    if kind == "Appointment":
        yield from appointment_of(plain, origin, around)
    elif kind == "Patient" and origin.producer.contacts:
        yield from contact_of(plain, origin, around)
    else:
        yield Ignored("contact" if kind == "Patient" else "type")


def _bundle(plain: dict[str, Any], origin: Origin) -> Iterator[Result]:
    bundle = checked(Bundle, plain, "Bundle")
    entries = bundle.entry or []
    beside: dict[str, dict[str, Any]] = {}
    for entry in entries:
        resource, url = entry.get("resource"), entry.get("fullUrl")
        if isinstance(resource, dict):
            if isinstance(url, str):
                beside[url] = resource
            beside[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
    for number, entry in enumerate(entries):
        around = Around(origin.producer, beside, f"Bundle.entry[{number}].resource")

        def read(entry: dict[str, Any] = entry, around: Around = around, number: int = number) -> Iterator[Result]:
            return _entry(checked(BundleEntry, entry, f"Bundle.entry[{number}]"), bundle, origin, around)

        yield from results_of(read, lambda entry=entry: orjson.dumps(entry))  # type: ignore[misc]


def _entry(entry: BundleEntry, bundle: Bundle, origin: Origin, around: Around) -> Iterator[Result]:
    if entry.request is not None and entry.request.method == "DELETE":
        yield from _deleted(entry, bundle, origin, around)
    elif entry.resource is not None:
        yield from resource_results(entry.resource, origin, around)
    else:
        yield Ignored("empty")


def _deleted(entry: BundleEntry, bundle: Bundle, origin: Origin, around: Around) -> Iterator[Result]:
    """Yield the cancellation of an appointment that was deleted, as of when the Bundle says."""
    place = around.place.removesuffix(".resource")
    url = (entry.request.url or "") if entry.request is not None else ""
    kind, _, id_ = url.strip("/").rpartition("/")
    if kind.rpartition("/")[2] != "Appointment":
        yield Ignored("type")
        return
    answered = entry.response.last_modified if entry.response is not None else None
    at = answered or bundle.timestamp or (bundle.meta or Meta()).last_updated
    if at is None:
        raise UntranslatableError("nothing says when it was deleted", f"{place}.response.lastModified")
    yield Translated(
        Appointment(
            organisation=origin.producer.organisation, appointment=own_id(id_, f"{place}.request.url"),
            revision=milliseconds(at), order=origin.order, status="cancelled",
        )
    )  # fmt: skip
