"""How commands that need Kafka end where they cannot go on: one line, exit code 2."""

from __future__ import annotations

from argparse import Namespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, GroupAuthorizationFailedError, KafkaConnectionError

from agents.commands.endings import ArgumentError, one_line
from agents.kafka.junk import NotARecordError
from agents.kafka.reader import MissingError
from agents.settings.settings import SettingsError
from schemas.deliveries import NewerSchemaError
from schemas.wire import BadRecordError

DAMAGED = CorruptRecordException("Invalid CRC")
DAMAGED.add_note("at delivery-log/3, offset 7 or after it")

ENDINGS: tuple[tuple[Exception, str], ...] = (
    (ArgumentError("--month is '13': expected a month"), "--month is '13': expected a month"),
    (SettingsError("AFSPRAAKBERICHT_PARTITIONS is 0"), "AFSPRAAKBERICHT_PARTITIONS is 0"),
    (MissingError("topic a does not exist"), "topic a does not exist"),
    (
        NotARecordError.at(TopicPartition("delivery-log", 3), 7, ValueError("JSON is malformed")),
        "delivery-log/3, offset 7: not a record: JSON is malformed",
    ),
    (BadRecordError("line 1: not JSON"), "line 1: not JSON"),
    (NewerSchemaError(99), str(NewerSchemaError(99))),
    (
        KafkaConnectionError("no broker"),
        "no Kafka answers at kafka.example:9092: start one, or set AFSPRAAKBERICHT_BOOTSTRAP",
    ),
    (GroupAuthorizationFailedError("a"), "Kafka at kafka.example:9092 answers: GroupAuthorizationFailedError"),
    (
        DAMAGED,
        "a record of Kafka at kafka.example:9092 cannot be read: CorruptRecordException at delivery-log/3, offset 7 or after it",
    ),
)


@pytest.mark.parametrize(("error", "line"), ENDINGS, ids=[type(error).__name__ for error, _ in ENDINGS])
def test_a_command_ends_with_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "kafka.example:9092")

    @one_line
    def run(args: Namespace) -> int:
        raise error

    assert run(Namespace()) == 2
    assert capsys.readouterr() == ("", f"{line}\n")


def test_a_fault_of_ours_keeps_its_trace_back() -> None:
    @one_line
    def run(args: Namespace) -> int:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        run(Namespace())
