"""What one field of an input may hold: no pattern of any schema lets a final line break through."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from schemas.appointments import Appointment
from schemas.inputs import Organisation
from schemas.strict import rules
from schemas.topics import TOPICS
from schemas.wire import BadRecordError, Id, check

INPUTS = {topic.name: topic.record for topic in TOPICS if topic.role in ("input", "reported") and topic.record is not None}
SAMPLES = (
    "video.linde.example",
    "a",
    "09:00",
    "EUR",
    "a@b.nl",
    "Zorg",
    "+31612345678",
    "2026",
    "https://a.nl",
    "",
    "p:moeder",
    "0f1e2d3c4b5a6978",
)


def patterns(schema: Any) -> set[str]:
    """Every `pattern` of a JSON Schema, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(patterns, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own.union(*map(patterns, schema.values()))


EVERY = sorted(set().union(*(patterns(msgspec.json.schema(record)) for record in INPUTS.values())))


@pytest.mark.parametrize("pattern", EVERY)
def test_no_pattern_of_a_published_schema_takes_a_final_line_break_but_where_lines_are_meant(pattern: str) -> None:
    good = [sample for sample in SAMPLES if re.search(pattern, sample)]
    assert good, "no sample fits: add one"
    several = re.search(pattern, "een\ntwee") is not None
    assert [bool(re.search(pattern, f"{sample}\n")) for sample in good] == [several] * len(good)


def test_every_published_pattern_is_enforced_on_what_comes_in() -> None:
    enforced = {pattern.pattern for record in INPUTS.values() for _, pattern in rules(record)}
    assert set(EVERY) - enforced == set()


@pytest.mark.parametrize("bad", ["a\n", "a/b", "", "a\x00", "\n", "a" * 201])
def test_what_is_no_id(bad: str) -> None:
    with pytest.raises(BadRecordError):
        check(Id, bad)


SETTINGS: dict[str, Any] = {
    "organisation": "linde", "name": "De Linde", "notifications": True, "reminder": {"days_before": 1, "at": "09:00"},
    "sms": {"originator": "Linde", "unit_price": "0.07", "currency": "EUR", "before": "Beste,\nwij"}, "email": {"from": "a@b.nl"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("organisation", "linde\n"), ("name", "De Linde\n"), ("reminder.at", "09:00\n"),
        ("sms.originator", "Linde\n"), ("sms.currency", "EUR\n"), ("email.from", "a@b.nl\n"), ("sms.before", "a\x00b"),
        ("sms.after", "\x1b[31m"), ("email.before", "a\x7f"),
    ],
)  # fmt: skip
def test_settings_that_are_refused_name_the_field(path: str, value: str) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(SETTINGS))
    holder, names = plain, path.split(".")
    for name in names[:-1]:
        holder = holder[name]
    holder[names[-1]] = value
    with pytest.raises(BadRecordError, match=re.escape(f"at `$.{path}`")):
        check(Organisation, plain)


def test_settings_that_are_good() -> None:
    assert check(Organisation, SETTINGS).sms.before == "Beste,\nwij"


def test_a_client_of_a_group_is_named_by_its_place() -> None:
    clients = [{"client": "anna", "present": True}, {"client": "bram\n", "present": True}]
    plain = {
        "organisation": "linde", "appointment": "a1", "revision": 1, "status": "booked", "start": "2026-01-01T10:00:00Z",
        "end": "2026-01-01T11:00:00Z", "clients": clients,
    }  # fmt: skip
    with pytest.raises(BadRecordError, match=r"at `\$\.clients\[1\]\.client`"):
        check(Appointment, plain)


def test_rows_of_before_load_whatever_is_forbidden_since() -> None:
    old = msgspec.json.encode(
        SETTINGS | {"name": "De Linde\n", "sms": SETTINGS["sms"] | {"currency": "EUR\n", "before": "a\r\nb"}}
    )
    assert msgspec.json.decode(old, type=Organisation).sms.currency == "EUR\n"
