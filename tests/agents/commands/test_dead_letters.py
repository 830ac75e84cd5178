"""`afspraakbericht dead-letters`: how a letter is read, which may be given again, and what is said of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from agents.commands.dead_letters import Group, Letter, arguments, grouped, is_wanted, line, read_letter, run, whose, why_not
from streams.processing.dead_letters import dead_letter
from streams.processing.turn import Record
from tests.world import at

AT = at("2026-03-02 12:00")
VISIT = {"organisation": "linde", "appointment": "1", "clients": [{"client": "anna"}, {"client": "bert"}], "revision": "x"}


def letter(
    topic: str = "appointments", key: bytes | None = b"linde/1", value: bytes | None = None, reason: str = "not JSON"
) -> Letter:
    """The letter that workers make of a record, as the command reads it from the topic."""
    record = Record(
        topic, 3, 7, key, orjson.dumps(VISIT) if value is None else value, 1_772_000_000_000, (("ce_id", b"9"), ("topic", b"x"))
    )
    return on_topic(dead_letter(record, reason))


def on_topic(output: Any) -> Letter:
    """An output as it lies on its topic."""
    raw = SimpleNamespace(
        offset=41, timestamp=int(AT.timestamp() * 1000), key=output.key, value=output.value, headers=output.headers
    )
    return read_letter(2, raw)


def test_a_letter_is_read_with_its_place_its_source_and_the_headers_that_its_record_had() -> None:
    found = letter()
    assert (found.place, found.at, found.topic, found.source) == ((2, 41), AT, "appointments", "appointments/3/7")
    assert found.headers == [("ce_id", b"9"), ("topic", b"x")], "one of a name of ours is upstream's all the same"
    assert f"{found.written:%Y-%m-%d}" == "2026-02-25"


def test_a_letter_of_before_has_four_headers_and_of_a_name_that_stands_twice_the_first_is_ours() -> None:
    headers = [("topic", b"fhir"), ("partition", b"1"), ("offset", b"2"), ("reason", b"no"), ("reason", b"yes")]
    found = read_letter(0, SimpleNamespace(offset=0, timestamp=-1, key=None, value=b"", headers=headers))
    assert (found.source, found.reason, found.written, found.at, found.headers) == ("fhir/1/2", "no", None, None, [])


AGAIN: list[tuple[str, Letter, str | None]] = [
    ("an appointment has a revision", letter(), None),
    ("a snapshot too", letter("agenda-snapshots"), None),
    ("a request has an id", letter("requests"), None),
    ("an old consent would undo a newer one", letter("consents"), "what came on consents could undo what came since"),
    ("an old number too", letter("contacts"), "could undo"),
    ("what others wrote in their standards has been told to them", letter("hl7v2"), "could undo"),
    ("junk on a topic of ours", letter("client-events"), "could undo"),
    (
        "a deletion has no revision",
        on_topic(dead_letter(Record("appointments", 0, 0, b"linde/1", None), "no")),
        "it has no value",
    ),
    ("what was too large", letter(value=b"x" * (5 << 20)), "too large to keep"),
    ("a key that was too large", letter(key=b"x" * (5 << 20), value=b"y" * (5 << 20)), "too large to keep"),
]


@pytest.mark.parametrize(("why", "one", "refusal"), AGAIN, ids=[row[0] for row in AGAIN])
def test_which_letters_may_be_given_again(why: str, one: Letter, refusal: str | None) -> None:
    found = why_not(one)
    assert (found is None) if refusal is None else (found is not None and refusal in found)


WANTED = [
    ("all", None, None, (), True),
    ("of the topic", ["appointments"], None, (), True),
    ("of another topic", ["requests"], None, (), False),
    ("of one of two topics", ["requests", "appointments"], None, (), True),
    ("with the reason, in any case", None, "NOT json", (), True),
    ("with another reason", None, "revision", (), False),
    ("at its place", None, None, ((2, 41),), True),
    ("at another place", None, None, ((2, 42), (1, 41)), False),
]


@pytest.mark.parametrize(("what", "topics", "reason", "places", "wanted"), WANTED, ids=[row[0] for row in WANTED])
def test_which_letters_are_taken(
    what: str, topics: list[str] | None, reason: str | None, places: tuple[tuple[int, int], ...], wanted: bool
) -> None:
    assert is_wanted(letter(), topics, reason, frozenset(places)) is wanted


WHOSE = [
    ("an appointment's clients", letter(), ("linde", ("anna", "bert"))),
    ("of what is no JSON the key's", letter("requests", b"linde/anna", b"{"), ("linde", ("anna",))),
    ("an appointment's key has no client", letter(value=b"{"), ("linde", ())),
    ("a list that is none", letter(value=b'{"organisation":7,"clients":3,"client":""}'), (None, ())),
    ("no key and no value", letter(key=None, value=b""), (None, ())),
    ("a value that is no object", letter("consents", b"linde/anna", b"[1]"), ("linde", ("anna",))),
]


@pytest.mark.parametrize(("what", "one", "named"), WHOSE, ids=[row[0] for row in WHOSE])
def test_whose_a_letter_is_for_the_record_of_who_looked(
    what: str, one: Letter, named: tuple[str | None, tuple[str, ...]]
) -> None:
    assert whose(one) == named


def test_a_list_counts_by_topic_and_reason_and_has_nothing_of_a_client() -> None:
    groups: dict[tuple[str, str], Group] = {}
    for one in (letter(), letter(), letter("consents", reason="no field `client`")):
        grouped(groups, one)
        assert "anna" not in line(one)
        assert "linde" not in line(one)
    assert [(group.topic, group.reason, group.letters, group.again) for group in groups.values()] == [
        ("appointments", "not JSON", 2, 2), ("consents", "no field `client`", 1, 0),
    ]  # fmt: skip


BAD = [
    (("again",), "again: which?"),
    (("show", "--one", "3"), "--one is '3': expected PARTITION:OFFSET, such as 3:1200"),
    (("show", "--each"), "--each goes with list"),
]


@pytest.mark.parametrize(("words", "why"), BAD)
def test_what_cannot_be_meant_is_refused_before_kafka_is_asked(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    arguments(parser)
    args: Namespace = parser.parse_args(words)
    args.command = "dead-letters"
    assert run(args) == 2
    assert why in capsys.readouterr().err
