"""Published examples as other libraries read them: `fhir.resources` and `hl7apy` find in each what we made of it.

What the words mean (a status, who is expected) is said here anew; which words stand where is theirs to find.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import pytest
from hl7apy.parser import parse_message

from tests.streams.translate.test_examples import AGREED, EXAMPLES, FILES, json_of


class Reading(NamedTuple):
    """What an appointment says. `clients`: whether each is expected."""

    id: str
    status: str
    start: datetime | None
    end: datetime | None
    place: str | None
    clients: dict[str, bool]


def ours(path: Path) -> Reading:
    """What we make of an example, as was reviewed."""
    golden = orjson.loads(path.with_name(f"{path.name}.told.json").read_bytes())
    (one,) = golden.get("told") or golden["with meta.lastUpdated"]
    start, end = (datetime.fromisoformat(one[name]) if one[name] else None for name in ("start", "end"))
    place = one["location"]["name"] if one["location"] else None
    clients = {client["client"]: client["present"] for client in one["clients"]}
    return Reading(one["appointment"], one["status"], start, end, place, clients)


# -- FHIR --------------------------------------------------------------------------------------------------------------

MODELS = {
    "r4": "fhir.resources.R4B.appointment", "r5": "fhir.resources.appointment", "stu3": "fhir.resources.STU3.appointment",
    "r5/appointment-example2doctors.xml": "fhir.resources.R4B.appointment",
}  # fmt: skip
"""By folder or file: an Appointment of R4 is one of R4B, which the library has, and so by its words is the second in `r5`.

Each is imported where it is used: that takes half a second, and all processes of the tests import this file.
"""

COMPARED = ("resourceType", "id", "status", "start", "end", "participant")


def by_fhir(path: Path) -> Reading:
    """Read by the library: JSON whole, of XML (for which it needs another library) what is compared."""
    plain = json_of(path)
    if path.suffix == ".xml":
        plain = {name: plain[name] for name in COMPARED if name in plain}
        plain["participant"] = [
            {name: value for name, value in one.items() if name in ("actor", "required", "status")}
            for one in plain["participant"]
        ]
    model = MODELS.get(str(path.relative_to(EXAMPLES))) or MODELS[path.parent.name]
    found = import_module(model).Appointment.model_validate(plain)
    actors = [(*str(one.actor.reference or "").rpartition("/")[::2], one) for one in found.participant if one.actor]
    clients = {
        id_: one.status != "declined" and one.required != "information-only" for kind, id_, one in actors if kind == "Patient"
    }
    places = [one.actor.display for kind, _, one in actors if kind == "Location"]
    status = "cancelled" if found.status in ("proposed", "pending", "waitlist") else found.status
    return Reading(found.id, status, found.start, found.end, places[0] if places else None, clients)


# -- HL7 v2 ------------------------------------------------------------------------------------------------------------


def part(field: Any, number: int) -> str:
    """A component by its number, '' where there is none."""
    return next((str(one.to_er7()) for one in field.children if one.name.endswith(f"_{number}")), "")


def by_hl7apy(path: Path) -> Reading:
    agreed = {"statuses": {}, **AGREED[str(path.relative_to(EXAMPLES))]}
    message = parse_message(path.read_text().replace("\n", "\r"), find_groups=False)
    sch = message.sch

    def time(number: int) -> datetime | None:
        text = part(sch.sch_11, number)
        if not text:
            return None
        zone = ZoneInfo(agreed.get("time_zone", "Europe/Amsterdam"))
        return datetime.strptime(text[:12], "%Y%m%d%H%M").replace(tzinfo=zone).astimezone(UTC)

    clients = [
        part(one, 1)
        for pid in message.pid
        for one in pid.pid_3
        if agreed["clients"] is None or agreed["clients"] in part(one, 4).split("&")
    ]
    places = [part(ail.ail_3, 9) or part(ail.ail_3, 1) for ail in message.ail]
    said = part(sch.sch_25, 1)
    status = "cancelled" if part(message.msh.msh_9, 2) == "S15" else agreed["statuses"].get(said, said.lower() or "booked")
    return Reading(
        part(sch.sch_2, 1) or part(sch.sch_1, 1),
        status,
        time(4),
        time(5),
        places[0] if places else None,
        dict.fromkeys(clients, True),
    )


APPOINTMENTS = [path for path in FILES if "Patient" not in path.name]


@pytest.mark.parametrize("path", APPOINTMENTS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_another_library_reads_a_published_example_as_we_do(path: Path) -> None:
    theirs = by_hl7apy(path) if path.suffix == ".hl7" else by_fhir(path)
    assert theirs == ours(path)
