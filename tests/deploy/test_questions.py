"""The questions of deploy/DELIVERY-LOG.md, put to an export of a log of which the answers are known."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from agents.export.output import ExportFile
from agents.export.parquet import Parquet
from agents.export.shaping import OutcomeLogRecord, Outcomes, Shaped, shape
from schemas.deliveries import SCHEMA, Cost, LoggedNotice, LogRecord, Reason, Status
from schemas.outcomes import OutcomeRecord
from schemas.topics import TOPICS
from schemas.wire import to_json

LOG = (Path(__file__).parents[2] / "deploy" / "DELIVERY-LOG.md").read_text()
SECTION = LOG.split("\n## Eleven questions\n")[1]
QUESTIONS = re.findall(r"\n\n([A-Z][^\n?]*\?)(?:(?!```).)*```sql\n(.*?)```", SECTION, re.DOTALL)
NOON = datetime(2026, 11, 2, 11, tzinfo=UTC)
ANALYSIS = Path(__file__).parents[2] / "deploy" / "analysis"

CHDB = """
import json, re, sys
from chdb import session
(create, *questions), good, newer = json.loads(sys.argv[1]), *sys.argv[2:]
run = session.Session()
run.query(create)
columns = re.search(r"\\((.*),\\s*CONSTRAINT", create, re.DOTALL)[1].replace("'", "\\\\'")
settings = "date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1, input_format_null_as_default = 1"
insert = f"INSERT INTO delivery_log SELECT * FROM file('%s', 'JSONEachRow', '{columns}') SETTINGS {settings}"
run.query(insert % good)
answers = [json.loads(run.query(each, "JSONCompact").data())["data"] for each in questions]
try:
    run.query(insert % newer)
    answers.append("taken")
except Exception as error:
    answers.append(str(error))
print(json.dumps(answers))
"""
"""What a process with ClickHouse in it does with the statements, a file of good records, and one of a newer version."""

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


def export(folder: Path, rows: Iterable[LogRecord], known: Outcomes) -> None:
    with ExportFile(folder / "log.parquet") as target:
        form = Shaped(Parquet(target, OutcomeLogRecord), shape(texts=False, outcomes=known))
        form.write([to_json(one) for one in rows])
        form.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("questions")
    export(made, records(), outcomes())
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
    [(200, 1, -0.08, -0.1624, 0.0024)],
]


def test_there_are_eleven() -> None:
    assert len(QUESTIONS) == len(ANSWERS) == 11


@pytest.mark.parametrize(("question", "wanted"), zip(QUESTIONS, ANSWERS, strict=False), ids=[name for name, _ in QUESTIONS])
def test_a_question_has_its_answer(
    question: tuple[str, str], wanted: list[tuple[Any, ...]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with duckdb.connect() as database:
        assert database.execute(question[1]).fetchall() == wanted


def test_the_interval_of_one_stratum_is_the_textbooks() -> None:
    """With one stratum Sato's variance is that of a difference of two shares."""
    half = 1.96 * (0.06 * 0.94 / 100 + 0.14 * 0.86 / 100) ** 0.5
    assert (round(-0.08 - half, 4), round(-0.08 + half, 4)) == ANSWERS[-1][0][-2:]


def test_visits_that_are_alike_tell_where_the_difference_is_not_of_the_reminder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two organisations, in each as many no-shows with a reminder as without; the one with few of them reminds most."""
    visits = [("few", True, 90, 9), ("few", False, 10, 1), ("many", True, 10, 3), ("many", False, 90, 27)]
    rows, found, client = [], Outcomes(), 0
    for organisation, reminded, number, missed in visits:
        for each in range(number):
            client += 1
            told = record(client, "direct", "sent", NOON, start=NOON + timedelta(days=10))
            rows += [msgspec.structs.replace(told, organisation=organisation)]
            if reminded:
                again = record(client, "reminder", "sent", NOON + timedelta(days=9), start=NOON + timedelta(days=10))
                rows += [msgspec.structs.replace(again, organisation=organisation)]
            found.take(OutcomeRecord(
                organisation=organisation, client=f"c{client}", appointment=f"a{client}", revision=1,
                outcome="noshow" if each < missed else "arrived", start=NOON, end=NOON, at=NOON,
            ))  # fmt: skip
    export(tmp_path, rows, found)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as database:
        simple, alike = (database.execute(sql).fetchall()[0] for _, sql in QUESTIONS[-2:])

    assert simple[4] == -0.16, "as if reminders lessened no-shows by a sixth"
    assert alike[:3] == (200, 2, 0.0)
    assert alike[3] < 0 < alike[4]


def cells() -> list[str]:
    book = json.loads((ANALYSIS / "delivery-log.ipynb").read_text())
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_made_of_the_questions() -> None:
    written = (ANALYSIS / "delivery-log.ipynb").read_text()
    assert runpy.run_path(str(ANALYSIS / "notebook.py"))["text"]() == written, "run `make manifests`"
    assert [sql for _, sql in QUESTIONS] == [re.findall(r'"""\n(.*)"""', cell, re.DOTALL)[0] for cell in cells()[1:]]


def test_the_notebook_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell is run as Jupyter runs it: its last expression is what is shown."""
    monkeypatch.chdir(folder)
    scope: dict[str, Any] = {}
    shown = []
    for cell in cells():
        *before, last = ast.parse(cell).body
        exec(compile(ast.Module(before, []), "cell", "exec"), scope)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), scope).fetchall())
        else:
            exec(compile(ast.Module([last], []), "cell", "exec"), scope)
    scope["db"].close()

    assert shown == ANSWERS


def statements() -> list[str]:
    text = re.sub(r"--.*$", "", (ANALYSIS / "clickhouse.sql").read_text(), flags=re.MULTILINE)
    return [one.strip() for one in text.split(";") if one.strip()]


def test_clickhouse_has_a_column_for_every_field_but_texts_and_addresses() -> None:
    table = statements()[0]
    columns = re.findall(r"^    (\w+) (?!known)", table, re.MULTILINE)

    assert [name for name in columns if name != "CONSTRAINT"] == [
        name for name in LogRecord.__struct_fields__ if name not in ("text", "address")
    ]
    assert f"CHECK schema <= {SCHEMA}" in table


@pytest.mark.skipif(importlib.util.find_spec("chdb") is None, reason="chdb is not installed (ClickHouse in a wheel of 180 MB)")
def test_clickhouse_answers(tmp_path: Path) -> None:
    """In a process of its own: ClickHouse in a library takes signals and threads for itself."""
    lines = [to_json(one) for one in records()]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join([*lines, *lines[:50]]) + b"\n")  # some twice, as after a crash
    (tmp_path / "newer.jsonl").write_bytes(lines[0].replace(b'"schema":2', b'"schema":3') + b"\n")
    create, *questions = statements()[:5]
    words = [
        sys.executable,
        "-c",
        CHDB,
        json.dumps([create, *questions]),
        str(tmp_path / "log.jsonl"),
        str(tmp_path / "newer.jsonl"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    days, costs, promise, untold, refused = json.loads(done.stdout)

    assert days == [["2026-11-02", "sms", 200], ["2026-11-11", "sms", 100]]
    assert [[*row[:4], float(row[4])] for row in costs] == [["2026-11", "linde", "EUR", 500, 37.5]]
    assert promise == [["direct", 200, 0.95], ["reminder", 100, 1]]
    assert untold == [["client_off", 2, 2]], "one of the three is there twice, and counts once"
    assert "known" in refused


def test_kafka_connect_takes_no_text_and_no_address_along() -> None:
    """It was run as written by Kafka's own `connect-standalone`; here is what must stay so."""
    made = json.loads((ANALYSIS / "connect-delivery-log.json").read_text())["config"]
    worker = dict(
        line.split("=", 1)
        for line in (ANALYSIS / "connect-worker.properties").read_text().splitlines()
        if line[:1] not in ("#", "")
    )

    assert made["transforms.minimise.exclude"].split(",") == ["text", "address"]
    assert made["topics"] in {topic.name for topic in TOPICS}
    assert worker["consumer.isolation.level"] == "read_committed"
    assert (worker["value.converter"].rpartition(".")[2], worker["value.converter.schemas.enable"]) == ("JsonConverter", "false")


def test_the_interval_is_newcombes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By his formula worked out by hand in another way: 6 of 100 and 14 of 100."""

    def wilson(k: int, n: int) -> tuple[float, float]:
        z, p = 1.96, k / n
        root = z * (z * z + 4 * n * p * (1 - p)) ** 0.5
        return (2 * n * p + z * z - root) / (2 * (n + z * z)), (2 * n * p + z * z + root) / (2 * (n + z * z))

    (l1, u1), (l2, u2), difference = wilson(6, 100), wilson(14, 100), -0.08
    low = difference - ((0.06 - l1) ** 2 + (u2 - 0.14) ** 2) ** 0.5
    high = difference + ((u1 - 0.06) ** 2 + (0.14 - l2) ** 2) ** 0.5
    assert (round(low, 4), round(high, 4)) == ANSWERS[-2][0][-2:]
