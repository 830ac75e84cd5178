"""What is found of a client, what is said of it, and what the command refuses."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from aiokafka import TopicPartition

from agents.commands.erase import show
from agents.engine.state.outbox import OUTBOX_KEY, encode_outputs
from agents.erasure.proof import Proof, Tombstone, TopicProof, day, to_do, topic_proof
from agents.erasure.survey import PersonSubject, Subject, TopicScan, _count
from agents.main import main
from schemas.topics import ACCESS_LOG, APPOINTMENTS, AUDIT_LOG, CONSENTS, DAY, DELIVERY_LOG, changelog
from streams.processing.turn import Output

ANNA = Subject("zorg", "anna")
COMPACTED, DELETED = {"segment.ms": str(7 * DAY), **CONSENTS.settings}, {"segment.ms": str(7 * DAY), **DELIVERY_LOG.settings}
T = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    timestamp: int = T


NAMED: list[tuple[str, bytes | None, bytes | None, bool]] = [
    ("its key", b"zorg/anna", b"{}", True),
    ("a row's key", b"agendas/zorg/anna", b"{}", True),
    ("a ledger's key", b"ledger/zorg/anna/m1", b"{}", True),
    ("another client whose id begins alike", b"zorg/anna2", b'{"organisation":"zorg","client":"anna2"}', False),
    ("another client whose id ends alike", b"zorg/hanna", b"{}", False),
    ("the same id of another organisation", b"plein/anna", b'{"organisation":"plein","client":"anna"}', False),
    ("a list of clients", b"zorg/a1", b'{"organisation":"zorg","clients":[{"client":"bert"},{"client":"anna"}]}', True),
    ("a snapshot's clients", b"appointments/zorg/a1", b'{"revision":1,"clients":{"anna":true}}', True),
    ("a snapshot of another organisation", b"appointments/plein/a1", b'{"clients":{"anna":true}}', False),
    ("a value under a key as it came", None, b'{"client": "anna", "organisation": "zorg"', True),
    ("an outbox", OUTBOX_KEY, encode_outputs([Output("deliveries-sms", b"zorg/anna", None)]), True),
    ("an outbox of another", OUTBOX_KEY, encode_outputs([Output("deliveries-sms", b"zorg/anna-2", None)]), False),
]


@pytest.mark.parametrize(("key", "value", "named"), [row[1:] for row in NAMED], ids=[row[0] for row in NAMED])
def test_a_record_names_a_client_by(key: bytes | None, value: bytes | None, named: bool) -> None:
    assert found(Record(key, value)).records == named


def test_ids_are_found_however_json_writes_them() -> None:
    subject = Subject("zorg", "ank\u00eb")
    for text in ('{"organisation":"zorg","client":"ank\u00eb"}', '{"organisation":"zorg","client":"ank\\u00eb"}'):
        assert subject.in_value(None, text.encode())


def test_an_appointment_with_the_id_of_the_client_is_not_the_client() -> None:
    one = TopicScan(COMPACTED)
    _count(one, ANNA, TopicPartition("appointments", 0), Record(b"zorg/anna", b'{"organisation":"zorg","clients":[]}'))
    assert one.records == 0
    assert APPOINTMENTS.key == "organisation/appointment"


@pytest.mark.parametrize(
    ("topic", "key", "value", "named"),
    [
        ("fhir", b"zorg/a-77", b'{"actor":{"reference":"Patient/anna"}}', 1),
        ("fhir", b"zorg/a-77", b'{"identifier":{"value":"anna"}}', 1),
        ("hl7v2", b"zorg/a-77", b"PID|1||anna^^^ZORG^PI", 1),
        ("dead-letters", b"zorg/a-77", b"PID|1||anna^^^ZORG^PI", 1),
        ("hl7v2", b"zorg/a-77", b"PID|1||joanna^^^ZORG^PI", 0),
        ("hl7v2", b"plein/a-77", b"PID|1||anna^^^PLEIN^PI", 0),
        ("hl7v2", b"zorg/anna", b"PID|1||bram^^^ZORG^PI", 0),
    ],
)
def test_a_record_in_another_standard_names_a_client_by_the_id_alone(topic: str, key: bytes, value: bytes, named: int) -> None:
    one = TopicScan({"cleanup.policy": "delete"})
    _count(one, ANNA, TopicPartition(topic, 0), Record(key, value))
    assert one.records == named


def found(*records: Record, settings: dict[str, str] = COMPACTED, partition: int = 0) -> TopicScan:
    one = TopicScan(settings)
    for record in records:
        _count(one, ANNA, TopicPartition("contacts", partition), record)
    return one


VALUE = Record(b"zorg/anna", b"{}")
NULL = Record(b"zorg/anna", None, T + DAY)


def test_what_a_null_value_follows_is_not_live() -> None:
    assert (found(VALUE).live, found(VALUE, NULL).live) == ({(0, b"zorg/anna")}, set())
    assert found(VALUE, NULL, VALUE).live != set(), "upstream wrote it again"
    assert (found(VALUE, NULL).records, found(VALUE, NULL).tombstones, found(VALUE, NULL).last_ms) == (1, 1, T + DAY)


def test_a_row_that_named_the_client_and_is_rewritten_without_is_not_live() -> None:
    row = b"appointments/zorg/a"
    assert found(Record(row, b'{"clients":{"anna":true}}'), Record(row, b'{"clients":{}}')).live == set()


PROOFS: list[tuple[str, dict[str, str], list[Record], str, str | None]] = [
    ("delivery-log", DELETED, [], "nothing", None),
    ("delivery-log", DELETED, [VALUE], "waits", "2027-04-14"),
    ("delivery-log", DELETED | {"retention.ms": "-1"}, [VALUE], "left", None),
    ("consents", COMPACTED, [VALUE], "left", None),
    ("consents", COMPACTED, [VALUE, NULL], "waits", "2026-03-25"),
    ("consents", COMPACTED | {"max.compaction.lag.ms": "9223372036854775807"}, [VALUE, NULL], "left", None),
    ("app-sms-changelog", COMPACTED, [VALUE], "left", None),
    (AUDIT_LOG.name, COMPACTED, [VALUE], "kept", None),
    (ACCESS_LOG.name, DELETED, [VALUE], "kept", None),
    (ACCESS_LOG.name, DELETED, [], "nothing", None),
]


@pytest.mark.parametrize(("topic", "settings", "records", "state", "gone"), PROOFS)
def test_the_proof_says_what_is_left_and_until_when(
    topic: str, settings: dict[str, str], records: list[Record], state: str, gone: str | None
) -> None:
    now = found(*records, settings=settings)
    said = topic_proof(topic, now, now, (Tombstone(0, 7),), keep_audit=True)
    assert (said.state, said.gone_by) == (state, gone)
    assert (to_do(said, now) is not None) == (state == "left")


def test_audit_facts_that_are_to_go_are_left_until_they_have() -> None:
    now = found(VALUE)
    assert topic_proof(AUDIT_LOG.name, now, now, (), keep_audit=False).state == "left"
    gone = found(VALUE, NULL)
    assert topic_proof(AUDIT_LOG.name, now, gone, (), keep_audit=False).state == "waits"


def test_a_record_of_a_time_beyond_all_years_is_no_end_of_the_proof() -> None:
    """On a topic that keeps its producers' times: a time in microseconds is one of the year 57,000."""
    assert day(10**18) == "9999-12-31"


def test_a_day_is_utc() -> None:
    assert day(T) == "2026-03-02"


@pytest.mark.parametrize("words", [["zorg"], ["zorg/"], ["/anna"], ["zorg/anna/x"], ["zorg/anna", "--verify", "--dry-run"]])
def test_what_is_no_client_is_refused_with_a_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["erase", *words])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("afspraakbericht erase: error: ")


def test_a_reason_that_names_the_client_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "zorg/anna", "--reason", "anna asked for it"]) == 2
    assert "must not" in capsys.readouterr().err


def test_less_than_five_years_of_audit_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_AUDIT_DAYS", "1826")
    assert main(["retention"]) == 2
    assert capsys.readouterr().err == "AFSPRAAKBERICHT_AUDIT_DAYS is '1826': expected a whole number from 1827 to 36525\n"


@pytest.mark.parametrize("words", [("erase", "zorg/anna", "--yes"), ("retention",)])
def test_no_kafka_is_one_line_and_no_database_is_made(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("AFSPRAAKBERICHT_DATA", str(tmp_path))
    assert main(list(words)) == 2
    assert capsys.readouterr() == ("", "no Kafka answers at 127.0.0.1:1: start one, or set AFSPRAAKBERICHT_BOOTSTRAP\n")
    assert list(tmp_path.iterdir()) == []


def test_every_changelog_is_looked_at() -> None:
    value: Any = msgspec.json.encode({"clients": {"anna": True}})
    assert changelog("app", "intake").name.endswith("-intake-changelog"), "where ids in keys are appointments'"
    one = TopicScan(COMPACTED)
    _count(one, ANNA, TopicPartition("app-intake-changelog", 3), Record(b"appointments/zorg/anna", value))
    assert one.live == {(3, b"appointments/zorg/anna")}


@pytest.mark.parametrize(("typed", "code", "said"), [("n\n", 1, "nothing was erased"), ("y\n", 2, "no Kafka answers at")])
def test_it_asks_before_it_erases(
    typed: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.StringIO(typed)
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    assert main(["erase", "zorg/anna"]) == code
    err = capsys.readouterr().err
    assert err.startswith("All that names client anna of organisation zorg becomes unreadable, and there is no undo")
    assert said in err.partition("Erase? [y/N] ")[2]


@pytest.mark.parametrize("words", [["--dry-run"], ["--verify"]])
def test_a_look_does_not_ask(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    assert main(["erase", "zorg/anna", *words]) == 2
    assert capsys.readouterr().err.startswith("no Kafka answers at")


def proof(command: Any, **more: Any) -> Proof:
    topics = (
        topic_proof(CONSENTS.name, found(VALUE), found(VALUE), (), keep_audit=True),
        topic_proof(AUDIT_LOG.name, found(VALUE), found(VALUE), (), keep_audit=True),
        TopicProof(topic=DELIVERY_LOG.name, policy="delete", found=1, records=1, state="waits", gone_by="2028-01-08"),
    )
    to_do_ = ("consents: 1 record, each the last of its key: run it again, after ending it at the source",)
    return Proof(
        command=command, client="abc", at=datetime(2026, 3, 2, tzinfo=UTC), reason=None, audit="kept", to_do=to_do_,
        gone_by="2028-01-08", topics=topics, databases=(), **more,
    )  # fmt: skip


def test_a_dry_run_says_what_would_be_done_and_not_to_run_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    show(proof("dry-run", outcome="planned"))
    out, err = capsys.readouterr()
    assert [line.split(maxsplit=2)[::2] for line in out.splitlines()] == [
        ["where", "what `erase` does"], ["consents", "erases it"], ["audit-log", "nothing: kept by law"],
        ["delivery-log", "nothing: gone by 2028-01-08 by itself"], ["planned:", "was changed; client abc"],
    ]  # fmt: skip
    assert err == ""


def test_after_an_erasure_it_says_how_long_texts_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    show(proof("erase", outcome="done"))
    said = "what was said to the client before can be read in `log` and `why` until 2028-01-08 at the latest\n"
    assert capsys.readouterr().err.endswith(said)


PERSON_NAMED: list[tuple[str, bytes | None, bytes | None, bool]] = [
    ("the key of a message", b"ledger/zorg/anna/p:moeder/m", b"{}", True),
    ("the key of what waits", b"zorg/anna/p:moeder", b"{}", True),
    ("who is listed", b"zorg/anna", b'{"organisation":"zorg","client":"anna","people":[{"id":"moeder"}]}', True),
    ("who may be told", b"zorg/a", b'{"organisation":"zorg","clients":[{"client":"anna","tell":["moeder"]}]}', True),
    ("a record of the log", b"zorg/anna", b'{"organisation":"zorg","client":"anna","recipient":"p:moeder"}', True),
    ("the client alone", b"zorg/anna", b'{"organisation":"zorg","client":"anna"}', False),
    ("another person", b"zorg/anna/p:moeder2", b'{"organisation":"zorg","client":"anna","recipient":"p:moeder2"}', False),
    ("another client's", b"zorg/bert", b'{"organisation":"zorg","client":"bert","recipient":"p:moeder"}', False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "key", "value", "named"), PERSON_NAMED, ids=[case[0] for case in PERSON_NAMED])
def test_what_names_one_who_acts_for_a_client(what: str, key: bytes | None, value: bytes | None, named: bool) -> None:
    subject = PersonSubject("zorg", "anna", "moeder")
    assert (subject.in_key(key) or subject.in_value(key, value)) == named
    assert (subject.recipient, Subject("zorg", "anna").recipient) == ("p:moeder", "")
