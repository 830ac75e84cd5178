"""The documents about topics: AsyncAPI is valid and made from the catalogue, DELIVERY-LOG.md has every field and value."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from agents.commands.asyncapi import text
from agents.export.formats import COLUMNS
from agents.export.parquet import schema_of
from agents.kafka.asyncapi import document
from agents.projection import causes
from agents.web.overview import dutch, reach, standing
from schemas.deliveries import (
    ERASED,
    JUST_REMINDED,
    JUST_TOLD,
    NO_REST,
    NO_WORDS,
    NOT_SAID,
    NOT_SOON,
    NOTIFY,
    OWN,
    REROUTED,
    SAME_ADDRESS,
    SCHEMA,
    TOO_MANY,
    Gate,
    LogRecord,
    Reason,
    Status,
    read_log_record,
)
from schemas.events import Remote
from schemas.inputs import Channel
from schemas.notices import Kind
from schemas.topics import TOPICS
from schemas.wire import to_json
from streams.intake.phones import Problem
from streams.notices.writer import OUTCOME, SAME

ROOT = Path(__file__).parent.parent.parent
WRITTEN = json.loads((ROOT / "deploy" / "asyncapi.json").read_text())
LOG = (ROOT / "deploy" / "DELIVERY-LOG.md").read_text()

OF_OURS = (
    "series", NOTIFY, SAME, SAME_ADDRESS, JUST_TOLD, JUST_REMINDED, NOT_SAID, OUTCOME, TOO_MANY, ERASED, NO_WORDS, NO_REST,
    REROUTED, OWN, NOT_SOON,
)  # fmt: skip
"""What `detail` says besides gates and providers' answers."""

OFFICIAL = Draft7Validator(json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_text()))
"""AsyncAPI's own schema, as `@asyncapi/specs` 6.11.1 ships it (Apache License 2.0, beside it)."""


def test_the_document_is_valid_asyncapi_3() -> None:
    assert [error.message for error in OFFICIAL.iter_errors(WRITTEN)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("channels", "consents", "address"), 7),
        (("operations", "receive-consents", "action"), "publish"),
        (("channels", "consents", "bindings", "kafka", "topicConfiguration", "cleanup.policy"), ["never"]),
        (("components", "messages", "consents", "payload"), "a consent"),
    ],
)
def test_what_is_no_asyncapi_is_not_valid(path: tuple[str, ...], value: Any) -> None:
    broken = copy.deepcopy(WRITTEN)
    place = broken
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert not OFFICIAL.is_valid(broken)


def test_the_written_document_is_the_generated_one() -> None:
    assert (ROOT / "deploy" / "asyncapi.json").read_text() == text(24, 3), "run `make manifests` and look at the difference"


def test_every_topic_is_there_with_its_key_and_how_long_it_is_kept() -> None:
    found = document(24, 3)
    assert list(found["channels"]) == list(found["components"]["messages"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        kafka = found["channels"][topic.name]["bindings"]["kafka"]
        assert (kafka["topic"], kafka["partitions"], kafka["replicas"]) == (topic.name, 24, 3)
        assert kafka["topicConfiguration"]["cleanup.policy"] == [topic.settings["cleanup.policy"]]
        assert kafka["topicConfiguration"].get("retention.ms") == topic.retention_ms
        assert found["components"]["messages"][topic.name]["bindings"]["kafka"]["key"]["description"] == topic.key


def test_every_reference_leads_somewhere() -> None:
    for pointer in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(WRITTEN))):
        place = WRITTEN
        for name in pointer.split("/"):
            place = place[name]


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": WRITTEN["components"]})


def examples() -> list[bytes]:
    block = re.search(r"```json\n(.*?)```", LOG, re.DOTALL)
    assert block is not None
    return block[1].encode().splitlines()


def test_the_schema_of_the_log_takes_its_examples_and_not_what_is_wrong() -> None:
    for example in examples():
        assert list(validator("LogRecord").iter_errors(json.loads(example))) == []
    assert not validator("LogRecord").is_valid(json.loads(examples()[0]) | {"status": "lost"})
    assert not validator("LogRecord").is_valid({"message": "m"})


def test_an_example_is_a_record_byte_for_byte() -> None:
    assert len(examples()) >= 3
    for example in examples():
        assert to_json(read_log_record(example)) == example


def rows(section: str) -> dict[str, list[str]]:
    """The rows of the table in a section, by their first cell."""
    part = LOG.split(f"\n## {section}\n")[1].split("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("| `")]
    return {row[0].strip("`| "): row for row in found}


def test_every_field_has_a_row_with_its_type_and_an_example_and_no_other_has() -> None:
    table = rows("Fields")
    assert list(table) == [field.name for field in msgspec.structs.fields(LogRecord)]
    parquet = schema_of()
    for name, (_, plain, arrow, example, what) in table.items():
        type_ = str(parquet.field(name).type)
        wanted = {"notices": "list of structs", "cost": "struct of decimal128(38, 18) and string"}.get(
            name, type_.replace(", tz=", ", ")
        )
        assert arrow == wanted
        optional = type(None) in get_args(LogRecord.__annotations__[name]) or "None" in str(LogRecord.__annotations__[name])
        assert ("null" in plain) == optional
        value = orjson.loads(example.strip("`").replace("…", "x"))
        record = orjson.loads(examples()[0]) | {name: value}
        assert getattr(read_log_record(orjson.dumps(record)), name) is not None
        assert what


def test_every_value_of_a_field_is_told() -> None:
    assert set(rows("Statuses")) == set(get_args(Status))
    told = set(re.findall(r"`([a-z_]+)`", LOG))
    assert {*get_args(Kind), *get_args(Gate), *get_args(Reason), *OF_OURS} <= told
    assert {name for name in COLUMNS if "_" in name} | {"kinds", "appointments", "notices"} <= told


VALUES_OF_SCHEMA = {
    2: {
        "channel": {"sms", "email"},
        "reason": {"direct", "reminder", "request"},
        "status": {"suppressed", "superseded", "expired", "sent", "delivered", "retrying", "failed", "unknown"},
        "detail": {
            "absent", "tell", "client_off", "ended", "contact_unconfirmed", "organisation_off", "series", "same", "same_address",
            "just_told", "just_reminded", "too_many", "not_said", "notify", "erased", "no_words", "no_rest", "rerouted",
            "outcome", "employee_off", "own", "not_soon",
        },
        "kind": {
            "created", "moved", "changed", "cancelled", "relocated", "reminder", "request",
            "series_created", "series_moved", "series_changed", "series_cancelled", "series_relocated",
        },
    }
}  # fmt: skip


def test_a_new_value_is_a_new_schema() -> None:
    """Readers stop at a schema that they do not know: they would take its new values wrongly."""
    now = {"channel": Channel, "reason": Reason, "status": Status, "detail": Gate, "kind": Kind}
    values = {name: set(get_args(type_)) for name, type_ in now.items()}
    values["detail"] |= set(OF_OURS)
    assert {SCHEMA: values} == VALUES_OF_SCHEMA, "raise SCHEMA if a release had this one, then put it here"


def test_the_overview_has_its_own_words_for_every_value() -> None:
    """What a care organisation reads; it would else be shown a code, or a sentence that is not so."""
    assert set(dutch.OUTCOMES) == set(dutch.MEANINGS) == {*get_args(Status), causes.UNDELIVERED}
    assert set(dutch.CAUSES) == set(causes.CAUSES)
    assert {*get_args(Gate), *OF_OURS} <= causes.OF_DETAILS
    assert set(dutch.CHANNELS) == set(get_args(Channel))
    assert set(reach.PROBLEMS) == set(get_args(Problem))
    assert set(standing.KINDS) == set(get_args(Remote))
