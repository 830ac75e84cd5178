"""Status reports end to end: the gateway's signed webhook, the web service, Kafka, and the ledger of a worker that was killed."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.fakes.bird import FakeBird

from .harness import AMSTERDAM, client, command, number, settings, visit
from .reporting import SECRET, reporting

pytestmark = pytest.mark.broker

PRICE = {"unit_price": "0.0815", "currency": "EUR"}
START = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)


def counted(entries: list[dict[str, Any]]) -> dict[str, int]:
    """How many records of each status."""
    found: dict[str, int] = {}
    for entry in entries:
        found[entry["status"]] = found.get(entry["status"], 0) + 1
    return found


async def test_delivered_is_logged_once_although_reports_come_twice_in_the_wrong_order_and_the_worker_is_killed(
    tmp_path: Path,
) -> None:
    names = [f"c{number}" for number in range(30)]
    async with reporting(tmp_path) as (stand, told):
        stand.sms.program(reports=["buffered", "delivered"], report_reorder=True, report_copies=2, report_delay_seconds=0.3)
        worker = stand.worker(**told)
        await stand.feed(settings("o"), *[client("o", name, "sms") for name in names])
        await stand.settled()
        await stand.feed([visit("o", name, 1, START, name) for name in names])

        async def some() -> bool:
            return counted(await stand.log("o")).get("delivered", 0) > 0 or len(stand.received_sms()) > len(names) // 2

        await stand.until(some, "reports come in")
        worker.kill()
        stand.worker(**told)

        async def all_resolved() -> bool:
            """A claim whose call the kill prevented has no SMS and no report: it is `unknown`, and waits."""
            entries = await stand.log("o")
            delivered, unknown = ({e["client"] for e in entries if e["status"] == status} for status in ("delivered", "unknown"))
            there = {name for name in names if number("o", name) in dict(stand.received_sms())}
            return there <= delivered and set(names) - there <= unknown

        await stand.until(all_resolved, "every SMS is delivered")
        raw = [record.key for record in await stand.records("delivery-log") if b'"status":"delivered"' in record.value]
        received, found = stand.received_sms(), counted(await stand.log("o"))
    assert len(received) == len(set(received)), "a report proves what was sent: nothing went twice"
    assert len(raw) == len(set(raw)) == len(received), "once each, in the topic itself"
    assert found["sent"] == len(received) > len(names) // 2


async def test_a_report_resolves_what_nobody_knew(tmp_path: Path) -> None:
    """The gateway takes the SMS and never answers. Its report says that it is there, so it is not sent again after 10 minutes."""
    async with reporting(tmp_path) as (stand, told):
        stand.sms.program(accept_then_hang=True, reports=["delivered"], report_delay_seconds=2.5)
        stand.worker(**told, sms_timeout_seconds=1)
        await stand.feed(settings("o"), client("o", "anna", "sms"))
        await stand.settled()
        await stand.feed(visit("o", "a", 1, START, "anna"))
        entries = await stand.logged(3, "o")
        assert len(stand.received_sms()) == 1

    assert [entry["status"] for entry in entries] == ["unknown", "sent", "delivered"]
    assert entries[1]["text"].startswith("Er is een afspraak met u gemaakt")


async def test_the_new_api_reports_what_arrived_and_what_did_not(tmp_path: Path) -> None:
    """Its reports go to one address of the account; the reference in them finds the message again."""
    async with reporting(tmp_path) as (stand, told):
        webhook = told["report_url"].replace("messagebird/", "bird")
        async with FakeBird(key="bk_eu1_secret", webhook=webhook, secret=SECRET) as fake:
            fake.program(reports=["sms.sent", "sms.delivered"], report_reorder=True, report_copies=2)
            stand.worker(sms_provider="bird", bird_url=fake.url, bird_key="bk_eu1_secret")
            await stand.feed(settings("o"), client("o", "anna", "sms"), client("o", "bram", "sms"))
            await stand.settled()
            await stand.feed(visit("o", "a", 1, START, "anna"))
            await stand.logged(2, "o")
            fake.program(reports=["sms.failed"], report_error="invalid_destination")
            await stand.feed(visit("o", "b", 1, START, "bram"))
            await stand.logged(6, "o")
            await stand.feed(visit("o", "b2", 1, START + timedelta(days=1), "bram"))
            entries = await stand.logged(7, "o")
            taken = len(fake.received.messages)

    assert taken == 2
    assert [(entry["client"], entry["status"], entry.get("detail")) for entry in entries] == [
        ("anna", "sent", None), ("anna", "delivered", None), ("bram", "sent", None),
        ("bram", "failed", "report: delivery_failed/1"), ("bram", "superseded", "rerouted"),
        ("bram", "suppressed", "contact_unconfirmed"), ("bram", "suppressed", "contact_unconfirmed"),
    ]  # fmt: skip


async def test_the_bill_is_what_the_gateway_bills(tmp_path: Path) -> None:
    """SMS of one part, of two, of one part more than we counted; what it refuses and what is free cost nothing."""
    long = settings(
        "lang", sms={"originator": "Zorg", "before": "x" * 160, "after": "", "unit_price": "0.0815", "currency": "EUR"}
    )
    months = {datetime.now(AMSTERDAM).strftime("%Y-%m")}
    async with reporting(tmp_path) as (stand, told):
        stand.worker(**told)
        people = [client(name, f"c{number}", "sms") for name in ("o", "lang") for number in range(8)]
        await stand.feed(settings("o"), long, client("o", "mail", "email"), *people)
        await stand.settled()
        await stand.feed([visit(name, f"c{n}", 1, START, f"c{n}") for name in ("o", "lang") for n in range(4)])
        await stand.feed(visit("o", "mail", 1, START, "mail"))
        await stand.logged(8 * 2 + 1)
        stand.sms.program(more_parts=1)
        await stand.feed([visit(name, f"c{n}", 1, START, f"c{n}") for name in ("o", "lang") for n in range(4, 7)])
        await stand.logged(14 * 2 + 1)
        stand.sms.program(answer="no_recipient")
        await stand.feed([visit(name, "c7", 1, START, "c7") for name in ("o", "lang")])
        await stand.logged(14 * 2 + 1 + 2 * 3)  # failed, superseded (rerouted), and decided anew: no channel is left
        months.add(datetime.now(AMSTERDAM).strftime("%Y-%m"))
        said = [command("costs", "--month", month, "--csv", **stand.settings()) for month in sorted(months)]
        taken = stand.sms.received.messages

    assert [(done.returncode, done.stderr) for done in said] == [(0, "")] * len(said)
    rows = [row for done in said for row in csv.DictReader(io.StringIO(done.stdout))]
    for name, price in (("o", Decimal("0.075")), ("lang", Decimal("0.0815"))):
        billed = sum(message["parts"] for message in taken if (len(message["body"]) > 160) == (name == "lang"))
        sms = [row for row in rows if row["organisation"] == name and row["what"] != "email"]
        assert sum(int(row["messages"]) for row in sms) == 7
        assert sum(int(row["parts"]) for row in sms) == billed
        assert sum(Decimal(row["amount"]) for row in sms) == billed * price
    assert [(row["organisation"], row["messages"], Decimal(row["amount"])) for row in rows if row["what"] == "email"] == [
        ("o", "1", Decimal(0))
    ]
