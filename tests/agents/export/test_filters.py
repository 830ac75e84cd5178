"""Which records come out: filters, each once, and what is no record."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import TopicPartition

from agents.export.filters import Chooser, Once, Wanted
from agents.export.periods import period
from agents.kafka.junk import NotARecordError
from schemas.deliveries import NewerSchemaError, read_log_record
from schemas.keys import ClientKey


class Record(NamedTuple):
    offset: int
    value: bytes | None


def entry(message: str, **changes: Any) -> dict[str, Any]:
    return {
        "message": message, "organisation": "linde", "client": "anna", "channel": "sms", "reason": "direct", "status": "sent",
        "detail": None, "at": "2026-11-10T09:00:00Z", "notices": [{"id": "n", "kind": "created", "appointment": "a"}],
        "text": "…", "parts": 1, "cost": None, "attempt": 1, "address": None, "schema": 1,
    } | changes  # fmt: skip


PLACE = TopicPartition("delivery-log", 3)

LOG = (
    entry("1"),
    entry("2", organisation="beuk"),
    entry("3", client="bert", channel="email"),
    entry("4", channel=None, status="suppressed", attempt=0),
    entry("5", reason="reminder", notices=[{"id": "n", "kind": "reminder", "appointment": "a", "others": ["b"]}]),
    entry("6", at="2026-10-31T23:30:00Z", notices=[{"id": n, "kind": n, "appointment": "a"} for n in ("cancelled", "moved")]),
    entry("7", at="2026-10-31T22:59:59.999999Z"),
)


def records(*entries: dict[str, Any], start: int = 0) -> list[Any]:
    return [Record(start + number, orjson.dumps(one)) for number, one in enumerate(entries)]


def refuse(error: NotARecordError) -> None:
    raise error


def test_a_client_may_be_named_with_its_organisation() -> None:
    ours = frozenset({ClientKey("beuk", "anna"), ClientKey("linde", "bert")})
    assert chosen(Wanted(clients=ours), *LOG) == "23"
    assert chosen(Wanted({"client": frozenset({"bert"})}, clients=ours - {("linde", "bert")}), *LOG) == "23"


def chosen(wanted: Wanted, *entries: dict[str, Any]) -> str:
    """The messages that come out."""
    values = Chooser(wanted, refuse).choose(0, records(*entries))
    return "".join(orjson.loads(value)["message"] for value in values)


FILTERS: tuple[tuple[dict[str, set[str]], str | None, str], ...] = (
    ({}, None, "1234567"),
    ({"organisation": {"beuk"}}, None, "2"),
    ({"organisation": {"beuk", "linde"}}, None, "1234567"),
    ({"client": {"bert"}}, None, "3"),
    ({"channel": {"sms"}}, None, "12567"),
    ({"status": {"sent", "failed"}}, None, "123567"),
    ({"reason": {"reminder"}}, None, "5"),
    ({"kind": {"moved"}}, None, "6"),
    ({"kind": {"reminder", "cancelled"}}, None, "56"),
    ({"organisation": {"linde"}, "channel": {"sms"}, "kind": {"created"}}, None, "17"),
    ({}, "2026-11", "123456"),
    ({}, "2026-10", "7"),
    ({"kind": {"created"}}, "2026-11-10", "1234"),
    ({"organisation": {"nobody"}}, None, ""),
)


@pytest.mark.parametrize(("values", "within", "messages"), FILTERS)
def test_what_is_asked_for_comes_out(values: dict[str, set[str]], within: str | None, messages: str) -> None:
    fixed = {name: frozenset(given) for name, given in values.items()}
    wanted = Wanted(fixed) if within is None else Wanted(fixed, period(within, "Europe/Amsterdam"))
    assert chosen(wanted, *LOG) == messages


def test_a_record_that_comes_again_comes_out_once_in_the_same_batch_or_a_later_one() -> None:
    chooser = Chooser(Wanted(), refuse)
    again = (LOG[0], entry("1", attempt=2), LOG[0], entry("1", status="delivered"), LOG[1])

    assert len(chooser.choose(0, records(*again))) == 4
    assert chooser.choose(0, records(*again)) == []
    assert len(chooser.choose(0, records(entry("8"), *again))) == 1


def test_with_every_record_wanted_it_comes_out_as_often_as_it_is_there() -> None:
    assert chosen(Wanted(every=True), LOG[0], LOG[0]) == "11"
    assert chosen(Wanted({"client": frozenset(["anna"])}, every=True), LOG[0], LOG[2], LOG[0]) == "11"


def test_what_is_remembered_is_bounded_and_never_less_than_half_a_partitions_share() -> None:
    once = Once(window=1000)
    for begin in range(0, 100_000, 50):
        for partition in range(4):
            once.fresh(partition, range(begin * 10 + partition, begin * 10 + 500 + partition, 10))
        assert sum(map(len, (*once.young.values(), *once.old.values()))) <= 1000 + 4 * 50

    for partition in range(4):
        assert once.fresh(partition, range(999_500 + partition, 1_000_000 + partition, 10)) == [False] * 50


BAD = (
    (b"{", "Input data was truncated"),
    (b"", "Input data was truncated"),
    (None, "a value is missing: null is not allowed here"),
    (b'{"message":"1"}', "Object missing required field `attempt`"),
    (b'{"message":"1","attempt":"x","status":"sent"}', "Expected `int`, got `str` - at `$.attempt`"),
)


@pytest.mark.parametrize(("value", "why"), BAD)
def test_what_is_no_record_is_named_and_the_rest_comes_out(value: bytes | None, why: str) -> None:
    told: list[NotARecordError] = []
    batch = [*records(LOG[0], start=6), Record(7, value), *records(LOG[1], start=8)]

    assert len(Chooser(Wanted(), told.append).choose(PLACE, batch)) == 2
    assert [str(one) for one in told] == [f"delivery-log/3, offset 7: not a record: {why}"]


WHOLE = (
    b'{"message":"1","attempt":1,"status":"sent"}',
    orjson.dumps(LOG[0] | {"at": 7}),
    orjson.dumps(LOG[0] | {"notices": None}),
    orjson.dumps(LOG[0]).replace(b"linde", b"\xff"),
    b'{"message":' + b"[" * 100_000,
    None,
)


@pytest.mark.parametrize("value", WHOLE)
def test_what_a_form_could_not_take_apart_is_named_before_it_sees_it(value: bytes | None) -> None:
    told: list[NotARecordError] = []
    batch = [*records(LOG[0], start=6), Record(7, value), *records(LOG[1], start=8)]

    for every in (False, True):
        chooser = Chooser(Wanted(every=every), told.append, whole=True)
        assert chooser.choose(PLACE, batch) == [orjson.dumps(LOG[0]), orjson.dumps(LOG[1])]
    assert [str(one).partition(": not a record: ")[0] for one in told] == ["delivery-log/3, offset 7"] * 2


def test_a_record_of_a_later_version_is_refused_and_one_of_none_is_of_the_first() -> None:
    old = {name: value for name, value in LOG[0].items() if name != "schema"}
    assert chosen(Wanted(), old) == "1"
    assert read_log_record(orjson.dumps(old)).schema == 1
    later = entry("9", schema=3, news="…", status="read")
    with pytest.raises(
        NewerSchemaError, match=r"^the delivery log has records of schema 3, and this program reads 2: update it$"
    ):
        chosen(Wanted(), LOG[0], later)
    with pytest.raises(NewerSchemaError):
        read_log_record(orjson.dumps(later))
    assert chosen(Wanted(every=True), later) == "9"  # byte for byte is not reading
