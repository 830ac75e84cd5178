"""The questions of deploy/DELIVERY-LOG.md, put to an export of a log of which the answers are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agents.export.output import ExportFile
from agents.export.parquet import Parquet
from agents.export.shaping import OutcomeLogRecord, Outcomes, Shaped, shape
from schemas.deliveries import Cost, LoggedNotice, LogRecord, Reason, Status
from schemas.outcomes import OutcomeRecord
from schemas.wire import to_json

LOG = (Path(__file__).parents[2] / "deploy" / "DELIVERY-LOG.md").read_text()
SECTION = LOG.split("\n## Ten questions\n")[1]
QUESTIONS = re.findall(r"\n\n([A-Z][^\n?]*\?)(?:(?!```).)*```sql\n(.*?)```", SECTION, re.DOTALL)
NOON = datetime(2026, 11, 2, 11, tzinfo=UTC)
VISITS = 200
"""Visits, one a client; of each the client is told when it is made, and half are reminded."""


def record(client: int, reason: Reason, status: Status, at: datetime, **more: Any) -> LogRecord:
    notice = LoggedNotice(id=f"n{client}", kind="reminder" if reason == "reminder" else "created", appointment=f"a{client}")
    given: dict[str, Any] = {"channel": "sms", "attempt": 1, "notices": (notice,), "text": "Uw afspraak", **more}
    return LogRecord(
        message=f"{reason}-{client}", organisation="linde", client=f"c{client}", reason=reason, status=status, at=at, **given
    )


def records() -> Iterator[LogRecord]:
    start = NOON + timedelta(days=10, hours=1)
    price: Any = {"parts": 2, "cost": Cost("0.15", "EUR")}
    for client in range(VISITS):
        late = client % 20 == 0
        due = NOON - timedelta(seconds=30 if late else 3)
        yield record(client, "direct", "sent", NOON, decided=due, due=due, start=start, **price)
        if client % 10:
            yield record(client, "direct", "delivered", NOON + timedelta(seconds=client % 10), text=None)
        if client < VISITS // 2:
            when = start - timedelta(days=1)
            yield record(
                client, "reminder", "sent", when, decided=when, due=when, start=start, parts=1, cost=Cost("0.075", "EUR")
            )
    for client in (900, 901, 901):
        yield record(client, "direct", "suppressed", NOON, detail="client_off", channel=None, attempt=0, text=None)
    yield record(902, "direct", "failed", NOON, detail="422/20; 1 of 2 pieces", text=None)
    yield record(903, "direct", "failed", NOON, detail="422/20", text=None)


def outcomes() -> Outcomes:
    """Of those who were reminded 6 of 100 did not come, of the others 14."""
    found = Outcomes()
    for client in range(VISITS):
        missed = client % 100 < (6 if client < VISITS // 2 else 14)
        for revision, outcome in enumerate((None, "noshow" if missed else "arrived"), 1):
            found.take(OutcomeRecord(
                organisation="linde", client=f"c{client}", appointment=f"a{client}", revision=revision, outcome=outcome,  # type: ignore[arg-type]
                start=NOON, end=NOON, at=NOON,
            ))  # fmt: skip
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("questions")
    with ExportFile(made / "log.parquet") as target:
        form = Shaped(Parquet(target, OutcomeLogRecord), shape(texts=False, outcomes=outcomes()))
        form.write([to_json(one) for one in records()])
        form.close()
    return made


ANSWERS: list[list[tuple[Any, ...]]] = [
    [(date(2026, 11, 2), "sms", 200), (date(2026, 11, 11), "sms", 100)],
    [("linde", 300, 0.6)],
    [("2026-11", "linde", "EUR", 500, Decimal("37.5"))],
    [(180, [5.0, 9.0])],
    [("direct", 200, 0.95), ("reminder", 100, 1.0)],
    [("client_off", 3, 2)],
    [(10.0, 200)],
    [("sms", "422/20", 2)],
    [(1, 300)],
    [(100, 0.06, 100, 0.14, -0.08, -0.1675, 0.0048)],
]


def test_there_are_ten() -> None:
    assert len(QUESTIONS) == len(ANSWERS) == 10


@pytest.mark.parametrize(("question", "wanted"), zip(QUESTIONS, ANSWERS, strict=False), ids=[name for name, _ in QUESTIONS])
def test_a_question_has_its_answer(
    question: tuple[str, str], wanted: list[tuple[Any, ...]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with duckdb.connect() as database:
        assert database.execute(question[1]).fetchall() == wanted


def test_the_interval_is_newcombes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By his formula worked out by hand in another way: 6 of 100 and 14 of 100."""

    def wilson(k: int, n: int) -> tuple[float, float]:
        z, p = 1.96, k / n
        root = z * (z * z + 4 * n * p * (1 - p)) ** 0.5
        return (2 * n * p + z * z - root) / (2 * (n + z * z)), (2 * n * p + z * z + root) / (2 * (n + z * z))

    (l1, u1), (l2, u2), difference = wilson(6, 100), wilson(14, 100), -0.08
    low = difference - ((0.06 - l1) ** 2 + (u2 - 0.14) ** 2) ** 0.5
    high = difference + ((u1 - 0.06) ** 2 + (0.14 - l2) ** 2) ** 0.5
    assert (round(low, 4), round(high, 4)) == ANSWERS[-1][0][-2:]
