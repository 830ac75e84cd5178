"""The bill as a table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agents.commands.costs import table
from agents.main import main
from streams.history.bill import BillLine


def sms(organisation: str, price: str, parts: int, currency: str = "EUR") -> BillLine:
    one = Decimal(price)
    return BillLine(
        organisation=organisation, what="sms", currency=currency, unit_price=one, messages=parts, parts=parts, corrected=0,
        amount=one * parts,
    )  # fmt: skip


def test_the_total_counts_messages_and_is_exact() -> None:
    shown = table("2026-11", [sms("a", "0.075", 7), sms("b", "0.075", 2), sms("b", "0.09", 1, "GBP")]).splitlines()
    assert [line.split() for line in shown if line.startswith("total")] == [
        ["total", "10", "0.675", "EUR"],
        ["total", "0.09", "GBP"],
    ]


def test_without_a_month_it_is_this_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    assert main(["costs"]) == 2
    assert capsys.readouterr().err.startswith("no Kafka answers")
