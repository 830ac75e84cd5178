"""Records of the delivery log of every schema there was: they load for ever, and mean what they meant."""

from __future__ import annotations

from pathlib import Path

from schemas.deliveries import SCHEMA, read_log_record

GOLDEN = (Path(__file__).parent / "delivery-log.jsonl").read_bytes().splitlines()


def test_records_of_every_schema_load_and_keep_their_meaning() -> None:
    found = [read_log_record(line) for line in GOLDEN]
    assert [(one.schema, one.status, one.detail, one.parts) for one in found] == [
        (1, "sent", None, 1), (1, "sent", None, 1), (1, "delivered", "2 parts billed, 1 logged", None),
        (1, "suppressed", "client_off", None), (2, "failed", "no_words", None),
        (2, "suppressed", "just_told", None), (2, "sent", None, 2), (2, "sent", None, 2),
    ]  # fmt: skip
    assert [one.cost and one.cost.amount for one in found] == ["0.075", "0.075", None, None, None, None, 0.15, "0.15"]
    assert [one.start and one.start.day for one in found] == [None] * 7 + [6]
    assert {one.schema for one in found} == set(range(1, SCHEMA + 1))
