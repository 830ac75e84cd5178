"""A FHIR Patient as our contact, where the producer's entry says so (`contacts`).

| FHIR | here |
|---|---|
| the identifier of the producer's authority, else id | client |
| meta.lastUpdated | revision |
| telecom of system `phone` and use `mobile`, or of system `sms`; lowest rank first, none of use `old` or that has ended | sms |
| telecom of system `email`, in the same way | email |
| deceased, or `active` false | nobody is reached: neither |

FHIR has no word for a confirmed address: `confirmed` is null, so that what is known of the same address stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from schemas.inputs import Contact, Email, Phone
from schemas.wire import BadRecordError, check

from .fhir_appointment import check_source, named, revision_of
from .fhir_types import Around, ContactPoint, PatientResource
from .results import Origin, Result, Translated, checked, own_id

LAST = 1 << 31


def contact_of(plain: dict[str, Any], origin: Origin, around: Around) -> Iterator[Result]:
    """Yield what a Patient says."""
    place, producer = around.place, origin.producer
    found = checked(PatientResource, plain, place)
    meta = check_source(found.meta, origin, place)
    client = found.id
    if producer.clients is not None:
        client = named([*(found.identifier or [])], producer.clients, f"{place}.identifier")
    today = datetime.fromtimestamp(origin.written / 1000, UTC).date().isoformat()
    gone = found.deceased_boolean or found.deceased_date_time is not None or found.active is False
    points = [] if gone else sorted((one for one in found.telecom or [] if _holds(one, today)), key=_rank)
    number = next((one.value for one in points if one.system == "sms" or (one.system, one.use) == ("phone", "mobile")), None)
    address = next((one.value for one in points if one.system == "email"), None)
    yield Translated(
        Contact(
            organisation=producer.organisation, client=own_id(client, f"{place}.id"), revision=revision_of(meta, place),
            sms=_part(Phone, number=number), email=_part(Email, address=address),
        )
    )  # fmt: skip


def _holds(point: ContactPoint, today: str) -> bool:
    ended = point.period is not None and point.period.end is not None and point.period.end[:10] < today[: len(point.period.end)]
    return bool((point.value or "").strip()) and point.use != "old" and not ended


def _rank(point: ContactPoint) -> int:
    return point.rank if point.rank is not None else LAST


def _part(type_: Any, **said: str | None) -> Any:
    """Return a number or an address; None where there is none, or it is none: unknown is off."""
    (text,) = said.values()
    if text is None:
        return None
    try:
        return check(type_, {name: value.strip() for name, value in said.items() if value is not None} | {"confirmed": None})
    except BadRecordError:
        return None
