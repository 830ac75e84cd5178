"""What others publish of appointments, as published, and what we make of it (`examples/README.md`)."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.translate.fhir import translate_fhir
from streams.translate.results import Origin, Result
from streams.translate.siu import translate_siu
from tests.streams.translate.origins import origin, told

EXAMPLES = Path(__file__).parent / "examples"
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in (".json", ".xml", ".hl7") and ".told" not in path.name)

LISTS = {
    "coding", "contained", "extension", "given", "identifier", "line", "name", "note", "participant", "reason", "requestedPeriod",
    "serviceCategory", "serviceType", "slot", "specialty", "supportingInformation", "address", "telecom",
}  # fmt: skip
"""Elements of these examples that may occur several times: a list in JSON."""

AGREED: dict[str, dict[str, Any]] = {
    "hl7v2/interfaceware-s12.hl7": {"clients": None, "statuses": {"Scheduled": "booked"}, "time_zone": "America/New_York"},
    "hl7v2/pkb-s12.hl7": {"clients": "NHS", "time_zone": "Europe/London"},
    "hl7v2/v2-to-fhir-s12.hl7": {"clients": "V2FHIR"},
    "hl7v2/webchart-s12.hl7": {"clients": "1.2.840.114398.1.5881.2", "time_zone": "Pacific/Honolulu"},
    "hl7v2/webchart-s14.hl7": {"clients": "ECW", "time_zone": "Pacific/Honolulu"},
    "hl7v2/webchart-s15.hl7": {"clients": "1.2.840.114398.1.5881.2", "time_zone": "Pacific/Honolulu"},
}
"""What would be agreed with who sends these."""


def from_xml(element: ElementTree.Element) -> Any:
    """A FHIR element in JSON, without its narrative."""
    if "value" in element.attrib and not len(element):
        return element.attrib["value"]
    found: dict[str, Any] = {"value": element.attrib["value"]} if "value" in element.attrib else {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "text":
            continue
        value = from_xml(child)
        if name in LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def json_of(path: Path) -> dict[str, Any]:
    if path.suffix == ".json":
        return dict(orjson.loads(path.read_bytes()))
    root = ElementTree.parse(path).getroot()
    return {"resourceType": root.tag.rpartition("}")[2], **from_xml(root)}


def told_of(path: Path) -> dict[str, Any]:
    name = str(path.relative_to(EXAMPLES))
    if path.suffix == ".hl7":
        return {"told": translated(translate_siu, path.read_bytes(), origin(**AGREED[name]))}
    plain = json_of(path)
    later = plain | {"meta": {**plain.get("meta", {}), "lastUpdated": "2018-01-01T09:00:00Z"}}
    agreed = origin(1_600_000_000_000, clients=None, contacts=True)
    return {
        "as published": translated(translate_fhir, orjson.dumps(plain), agreed),
        "with meta.lastUpdated": translated(translate_fhir, orjson.dumps(later), agreed),
    }


def translated(translate: Callable[[bytes, Origin], Iterator[Result]], value: bytes, of: Origin) -> list[Any]:
    return told(translate, value, of)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_a_published_example_is_read_as_was_reviewed(path: Path) -> None:
    golden = path.with_name(path.name + ".told.json")
    found = told_of(path)
    if os.environ.get("GOLDEN"):
        golden.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    assert found == orjson.loads(golden.read_bytes())


def test_each_example_has_its_source() -> None:
    page = (EXAMPLES / "README.md").read_text()
    assert [str(path.relative_to(EXAMPLES)) for path in FILES if f"`{path.parent.name}" not in page] == []
