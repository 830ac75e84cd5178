"""The bill of a month: what counts, in which month, at what price; and a count of the same by other means."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.deliveries import read_log_record
from streams.history.bill import Bill, BillLine, month_span, totals

AMSTERDAM = "Europe/Amsterdam"


def entry(**changes: Any) -> dict[str, Any]:
    """An SMS of linde that was sent in November."""
    value = {
        "message": "m1", "organisation": "linde", "client": "anna", "channel": "sms", "reason": "direct", "status": "sent",
        "detail": None, "at": "2026-11-10T09:00:00Z", "notices": [], "text": None, "parts": 2,
        "cost": {"amount": "0.15", "currency": "EUR"}, "attempt": 1, "address": None, "schema": 1,
    } | changes  # fmt: skip
    return value if value["status"] == "sent" else value | {"parts": None, "cost": None}


def bill(
    *entries: dict[str, Any], month: str = "2026-11", zone: str = AMSTERDAM, organisation: str | None = None
) -> list[BillLine]:
    one = Bill(month, lambda _: zone, organisation)
    for value in entries:
        one.add(read_log_record(json.dumps(value).encode()))
    return list(one.lines())


EDGES = (
    ("2026-10-31T22:59:59.999999Z", AMSTERDAM, "2026-10"),
    ("2026-10-31T23:00:00Z", AMSTERDAM, "2026-11"),
    ("2026-10-31T23:30:00Z", AMSTERDAM, "2026-11"),
    ("2026-10-31T23:30:00Z", "UTC", "2026-10"),
    ("2026-03-31T21:59:59Z", AMSTERDAM, "2026-03"),  # summer time
    ("2026-03-31T22:00:00Z", AMSTERDAM, "2026-04"),
    ("2026-12-31T22:59:59Z", AMSTERDAM, "2026-12"),
    ("2026-12-31T23:00:00Z", AMSTERDAM, "2027-01"),
    ("2026-11-01T03:59:59Z", "America/Curacao", "2026-10"),
    ("2026-11-01T04:00:00Z", "America/Curacao", "2026-11"),
    ("2026-10-31T10:00:00Z", "Pacific/Kiritimati", "2026-11"),
)


@pytest.mark.parametrize(("at", "zone", "month"), EDGES, ids=[f"{at} in {zone} is {month}" for at, zone, month in EDGES])
def test_the_month_is_that_of_sending_where_the_organisation_is(at: str, zone: str, month: str) -> None:
    found = [
        name
        for name in ("2026-03", "2026-04", "2026-10", "2026-11", "2026-12", "2027-01")
        if bill(entry(at=at), month=name, zone=zone)
    ]
    assert found == [month]


def test_a_month_with_a_change_of_the_clock_has_an_hour_more_or_less() -> None:
    begin, end = month_span("2026-10", AMSTERDAM)
    assert end - begin == timedelta(days=31, hours=1)
    begin, end = month_span("2026-03", AMSTERDAM)
    assert end - begin == timedelta(days=31, hours=-1)


LINDE = {"organisation": "linde"}


def sms(messages: int, parts: int, price: str, amount: str, corrected: int = 0, currency: str = "EUR") -> BillLine:
    return BillLine("linde", "sms", currency, Decimal(price), messages, parts, corrected, Decimal(amount))


def apart(what: Any, messages: int, parts: int = 0, amount: str | None = None) -> BillLine:
    return BillLine("linde", what, None, None, messages, parts, 0, Decimal(amount) if amount is not None else None)


PIECE = {"parts": 9, "cost": {"amount": "0.675", "currency": "EUR"}}
"""Of a long SMS one piece went."""

WHAT = {
    "an SMS costs its parts": ([entry()], [sms(1, 2, "0.075", "0.15")]),
    "a record that comes again counts once": ([entry(), entry()], [sms(1, 2, "0.075", "0.15")]),
    "an amount may be a number": (
        [entry(parts=3, cost={"amount": 0.225, "currency": "EUR"})],
        [sms(1, 3, "0.075", "0.225")],
    ),
    "a price that changed is a line of its own": (
        [entry(), entry(message="m2", cost={"amount": "0.18", "currency": "EUR"})],
        [sms(1, 2, "0.075", "0.15"), sms(1, 2, "0.09", "0.18")],
    ),
    "a price of nothing is a price": ([entry(cost={"amount": 0.0, "currency": "EUR"})], [sms(1, 2, "0", "0")]),
    "e-mail is free": (
        [entry(channel="email", parts=None, cost=None), entry(message="m2", channel="email", parts=None, cost=None)],
        [apart("email", 2, amount="0")],
    ),
    "what failed before a provider took it is not billed": ([entry(status="failed", detail="messagebird: 25")], []),
    "the pieces of a long SMS that went are, where the rest was refused": (
        [entry(status="failed", detail="9; 1 of 2 pieces") | PIECE, entry(status="superseded", detail="rerouted")],
        [sms(0, 9, "0.075", "0.675")],
    ),
    "those that went in two attempts are one message": (
        [entry(status="retrying") | PIECE, entry(attempt=2)],
        [sms(1, 11, "0.075", "0.825")],
    ),
    "of a piece that went and another of which nobody knows each counts as what it is": (
        [entry(status="unknown") | PIECE],
        [sms(0, 9, "0.075", "0.675"), apart("sms_unknown", 1)],
    ),
    "that one is no longer unknown once it was found to be sent": (
        [entry(status="unknown") | PIECE, entry()],
        [sms(1, 11, "0.075", "0.825")],
    ),
    "a report that bills more of a message in two attempts corrects all of it": (
        [
            entry(status="retrying") | PIECE,
            entry(attempt=2),
            entry(status="delivered", attempt=2, detail="12 parts billed, 11 logged"),
        ],
        [sms(1, 12, "0.075", "0.9", corrected=1)],
    ),
    "what failed after that is": (
        [entry(), entry(status="failed", detail="report: delivery_failed/1")],
        [sms(1, 2, "0.075", "0.15")],
    ),
    "a report that bills more corrects it": (
        [entry(), entry(status="delivered", detail="3 parts billed, 2 logged")],
        [sms(1, 3, "0.075", "0.225", corrected=1)],
    ),
    "a report that bills less corrects it, of what failed too": (
        [entry(), entry(status="failed", detail="report: expired; 1 parts billed, 2 logged")],
        [sms(1, 1, "0.075", "0.075", corrected=-1)],
    ),
    "a report in the next month corrects the month of sending": (
        [
            entry(at="2026-11-30T22:59:00Z"),
            entry(status="delivered", at="2026-12-01T10:00:00Z", detail="3 parts billed, 2 logged"),
        ],
        [sms(1, 3, "0.075", "0.225", corrected=1)],
    ),
    "a report about what was sent in the month before is not of this one": (
        [entry(at="2026-10-31T22:59:00Z"), entry(status="delivered", detail="3 parts billed, 2 logged")],
        [],
    ),
    "a report of another attempt is not about this one": (
        [entry(attempt=2), entry(status="delivered", attempt=1, detail="3 parts billed, 2 logged")],
        [sms(1, 2, "0.075", "0.15")],
    ),
    "the words of a correction elsewhere in a detail are none": (
        [entry(), entry(status="failed", detail="3 parts billed, 2 logged, says the provider")],
        [sms(1, 2, "0.075", "0.15")],
    ),
    "what nobody knows stands apart": ([entry(status="unknown", detail="timeout")], [apart("sms_unknown", 1)]),
    "what nobody knew until it was found to be sent is sent": ([entry(status="unknown"), entry()], [sms(1, 2, "0.075", "0.15")]),
    "what was sent by another attempt leaves the first one unknown": (
        [entry(status="unknown"), entry(attempt=2)],
        [sms(1, 2, "0.075", "0.15"), apart("sms_unknown", 1)],
    ),
    "an e-mail of which nobody knows costs nothing and is not there": ([entry(channel="email", status="unknown")], []),
    "an SMS without a price stands apart": ([entry(cost=None)], [apart("sms_unpriced", 1, parts=2)]),
    "another currency is a line of its own": (
        [entry(), entry(message="m2", cost={"amount": "0.15", "currency": "USD"})],
        [sms(1, 2, "0.075", "0.15"), sms(1, 2, "0.075", "0.15", currency="USD")],
    ),
    "retrying, suppressed, superseded and expired cost nothing": (
        [entry(message=status, status=status) for status in ("retrying", "suppressed", "superseded", "expired")],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "lines"), WHAT.values(), ids=list(WHAT))
def test_what_counts(entries: list[dict[str, Any]], lines: list[BillLine]) -> None:
    assert bill(*entries) == lines
    assert bill(*reversed(entries)) == lines
    assert bill(*entries, organisation="linde") == lines
    assert bill(*entries, organisation="another") == []


def test_what_others_than_the_client_are_sent_costs_as_much_and_is_a_message_more() -> None:
    (line,) = bill(
        entry(), entry(message="m2", recipient="p:moeder", schema=2), entry(message="m3", recipient="p:vader", schema=2)
    )
    assert (line.messages, line.parts, line.amount) == (3, 6, Decimal("0.45"))


def test_what_employees_are_sent_stands_apart() -> None:
    of_employees = {"client": "", "recipient": "e:m-204", "schema": 2}
    lines = bill(
        entry(), entry(message="m2", **of_employees), entry(message="m3", channel="email", parts=None, cost=None, **of_employees),
        entry(message="m4", status="unknown", **of_employees),
    )  # fmt: skip
    assert [(line.what, line.messages, line.parts, line.amount) for line in lines] == [
        ("email_employees", 1, 0, Decimal(0)), ("sms", 1, 2, Decimal("0.15")), ("sms_employees", 1, 2, Decimal("0.15")),
        ("sms_unknown_employees", 1, 0, None),
    ]  # fmt: skip
    assert totals(lines) == {"EUR": Decimal("0.30")}


def test_each_organisation_has_its_own_lines_and_each_currency_its_sum() -> None:
    lines = bill(entry(), entry(message="m2", organisation="beuk"), entry(message="m3", cost={"amount": 1, "currency": "USD"}))

    assert [line.organisation for line in lines] == ["beuk", "linde", "linde"]
    assert totals(lines) == {"EUR": Decimal("0.30"), "USD": Decimal(1)}


# -- the same, counted otherwise ---------------------------------------------------------------------------------------

ZONES = {"org0": AMSTERDAM, "org1": "America/Curacao", "org2": "Asia/Kathmandu", "org3": "Pacific/Auckland"}
CENTS = ("0.075", 0.08, "0.0699", 0.1, "0.12345")


def story(chance: random.Random, number: int) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The records of a message; and what the provider's own account has of it: parts, and the price that was agreed then."""
    at = datetime.fromisoformat("2026-10-25T00:00:00+00:00") + timedelta(seconds=chance.randrange(45 * 86_400))
    organisation, channel = f"org{chance.randrange(4)}", chance.choice(("sms", "sms", "sms", "email"))
    parts, price, currency = chance.randint(1, 9), chance.choice(CENTS), chance.choice(("EUR", "EUR", "EUR", "USD"))
    ids = {"message": f"m{number}", "organisation": organisation, "channel": channel, "at": f"{at:%Y-%m-%dT%H:%M:%S}Z"}
    exact = parts * Decimal(str(price))
    cost = {"amount": str(exact) if isinstance(price, str) else float(exact), "currency": currency}
    if channel == "email":
        cost, parts = None, None  # type: ignore[assignment]
    attempt, records = 1, []
    fate = chance.random()
    if fate < 0.1:
        return [entry(**ids, status="failed", detail="gave_up")], None
    if fate < 0.15:
        return [entry(**ids, status="suppressed", detail="client_off", attempt=0)], None
    while chance.random() < 0.1:
        records.append(entry(**ids, status=chance.choice(("retrying", "unknown")), attempt=attempt))
        attempt += 1
    records.append(entry(**ids, parts=parts, cost=cost, attempt=attempt))
    billed = parts
    if channel == "sms" and chance.random() < 0.8:
        later = {**ids, "at": f"{at + timedelta(minutes=chance.randrange(9000)):%Y-%m-%dT%H:%M:%S}Z"}
        status, detail = chance.choice((("delivered", ""), ("failed", "report: expired; ")))
        if chance.random() < 0.2:
            billed = chance.randint(1, 12)
        said = f"{detail}{billed} parts billed, {parts} logged" if billed != parts else detail.removesuffix("; ") or None
        records.append(entry(**later, status=status, detail=said, attempt=attempt))
    records += [one for one in records if chance.random() < 0.05]
    account = {"organisation": organisation, "at": at, "parts": billed, "price": Decimal(str(price)), "currency": currency}
    return records, account if channel == "sms" else None


def test_a_hundred_thousand_messages_cost_what_the_providers_account_says() -> None:
    chance = random.Random(9)
    log: list[dict[str, Any]] = []
    parts: dict[str, int] = defaultdict(int)
    money: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number in range(100_000):
        records, account = story(chance, number)
        log += records
        if account is None:
            continue
        local = account["at"].astimezone(ZoneInfo(ZONES[account["organisation"]]))
        if (local.year, local.month) == (2026, 11):
            parts[account["organisation"]] += account["parts"]
            money[account["organisation"], account["currency"]] += account["parts"] * account["price"]
    chance.shuffle(log)

    one = Bill("2026-11", ZONES.__getitem__)
    for value in log:
        one.add(read_log_record(json.dumps(value).encode()))
    lines = list(one.lines())

    counted: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.what == "sms":
            counted[line.organisation] += line.parts
    assert counted == parts
    for (organisation, currency), amount in money.items():
        assert totals([line for line in lines if line.organisation == organisation])[currency] == amount
    assert sum(totals(lines).values()) == sum(money.values()) > 10_000
