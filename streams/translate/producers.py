"""What is agreed with each organisation's producer: a JSON file, the same for all workers (`producers` of the settings).

A file, and no topic: whose clients a system may speak of is for those to say who run this, like Kafka's rights; the node that
translates keeps nothing; and a change is reviewed, and counts from a restart on, for all that is read from then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

import msgspec

from schemas.appointments import KindOfAppointment
from schemas.wire import BadRecordError, Id, Input, Line, check, loads

from ..processing.local_time import DEFAULT_ZONE, zone

BSN_SYSTEMS = frozenset(
    {
        "http://fhir.nl/fhir/NamingSystem/bsn",
        "urn:oid:2.16.840.1.113883.2.4.6.3",
        "2.16.840.1.113883.2.4.6.3",
        "NLMINBIZA",
    }
)
"""Who gives out the citizen service number, in FHIR and in HL7 v2: it names no client here, whatever a producer wishes."""

BSN_TYPE = "NNNLD"
"""Its type, in both."""

STATUSES = ("booked", "cancelled", "arrived", "fulfilled", "noshow")
"""What a status of an appointment can mean here."""

KINDS: tuple[str, ...] = get_args(KindOfAppointment)

Texts = dict[str, str]


class Producer(Input, frozen=True, kw_only=True):
    """One organisation, by its id.

    Attributes:
        organisation: its id.
        time_zone: in which local times are meant that have no offset.
        clients: the authority whose identifier names a client: in FHIR the `system`, in HL7 v2 the namespace or the universal id
            of PID-3.4. None: in FHIR the id of the Patient on its own server, in HL7 v2 the one identifier that there is.
        server: the base of the FHIR server, `https://ecd.example/fhir`: absolute references must begin with it.
        certificates: SHA-256 fingerprints, in hexadecimal, of the certificates that its senders show at an MLLP listener.
        sources, facilities: what `meta.source` begins with, and what MSH-4.1 is, where records have these. Empty: not looked at.
        contacts: whether Patients are taken as contacts.
        statuses: words of SCH-25 that are not of table 0278, and what they mean.
        places: names of places by their code (AIL-3.1, `Location/id`).
        kinds: how client and carer meet, by the type of an appointment (SCH-8, `appointmentType`). Of others FHIR may say it.
        notes: whether NTE-3 is for the client. Without an agreement it may be a word among carers.
        processing: the processing ids of HL7 v2 (MSH-11.1) that count; others are tests.
    """

    organisation: Id
    time_zone: str = DEFAULT_ZONE
    clients: Annotated[Line, msgspec.Meta(min_length=1)] | None = None
    server: Annotated[Line, msgspec.Meta(min_length=1)] | None = None
    certificates: list[str] = []
    sources: list[str] = []
    facilities: list[str] = []
    contacts: bool = False
    statuses: Texts = {}
    places: Texts = {}
    kinds: Texts = {}
    notes: bool = False
    processing: tuple[str, ...] = ("P",)

    def kind(self, code: str | None) -> KindOfAppointment | None:
        """Return how client and carer meet at appointments of a type, by its code; None where that is not agreed."""
        return self.kinds.get(code) if code is not None else None  # type: ignore[return-value]

    @property
    def marks(self) -> set[str]:
        """Return its fingerprints in one way of writing."""
        return {one.replace(":", "").lower() for one in self.certificates}


Producers = Mapping[str, Producer]
"""By organisation."""


def read_producers(value: bytes) -> Producers:
    """Read the file: a list of producers. Raises BadRecordError, which names the field."""
    plain: Any = loads(value)
    found: dict[str, Producer] = {}
    for number, producer in enumerate(check(list[Producer], plain)):
        place = f"$[{number}]"
        try:
            zone(producer.time_zone)
        except ValueError as error:
            raise BadRecordError(f"{error} - at `{place}.time_zone`") from None
        if producer.clients in BSN_SYSTEMS:
            raise BadRecordError(f"the citizen service number (BSN) names no client here - at `{place}.clients`")
        for name, meant, known in (("statuses", producer.statuses, STATUSES), ("kinds", producer.kinds, KINDS)):
            if wrong := set(meant.values()) - set(known):
                raise BadRecordError(f"{len(wrong)} of them mean none of {', '.join(known)} - at `{place}.{name}`")
        if found.setdefault(producer.organisation, producer) is not producer:
            raise BadRecordError(f"the organisation is there twice - at `{place}.organisation`")
    return found
