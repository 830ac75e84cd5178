"""Unusually many messages: counted once, told to the organisation by one process, by a real SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.fakes.smtp import FakeSmtp
from agents.monitoring.web_metrics import WebMetrics
from agents.projection import organisations
from agents.projection.projection import Projection
from agents.projection.queries import Queries
from agents.projection.tables import open_database
from agents.providers.smtp import Smtp
from agents.settings.settings import Settings
from agents.web.busy import Busy
from streams.history.volume import window_of
from tests.agents.web.samples import fill, record
from tests.world import organisation

NOW = datetime.fromisoformat("2026-03-20T12:05:00+00:00")


class Looks:
    """Processes on one database and one mail server."""

    def __init__(self, settings: Settings, smtp: FakeSmtp) -> None:
        self.settings, self.smtp, self.now = settings, smtp, NOW
        self.projection = Projection(open_database(None, settings.data))
        self.behind: float | None = 1.0

    def process(self, port: int | None = None) -> Busy:
        server = Smtp("127.0.0.1", port or self.smtp.port, "none", timeout=5.0, connections=1)
        queries = Queries(self.projection.engine)
        return Busy(queries, server, WebMetrics(), lambda: self.now, "https://o.example/", lambda: self.behind)

    def upstream(self, **changes: Any) -> None:
        value = orjson.dumps(organisation(organisation="linde", name="De Linde", **changes))
        self.projection.note(organisations.row("organisations", 0, int(self.now.timestamp()), b"linde", value, NOW))

    def went_out(self, count: int, at: datetime = NOW, **changes: Any) -> None:
        name = f"{at.isoformat()}-{changes}"
        fill(self.settings, [record(f"{name}-{number}", at=at.isoformat(), **changes) for number in range(count)])


def value(busy: Busy, name: str, **labels: str) -> float | None:
    return busy.metrics.registry.get_sample_value(f"afspraakbericht_{name}", labels)


@pytest.fixture
async def looks(tmp_path: Path) -> AsyncIterator[Looks]:
    async with FakeSmtp() as smtp:
        yield Looks(Settings(data=tmp_path), smtp)


async def test_the_organisation_is_told_once_by_one_of_two_processes(looks: Looks) -> None:
    looks.upstream(alerts_to="Beheer <beheer@linde.example>")
    looks.went_out(30, NOW - timedelta(days=3))
    looks.went_out(250)
    one, other = looks.process(), looks.process()
    await one.look()
    await other.look()
    (mail,) = [message_from_bytes(raw, policy=policy.default) for raw in looks.smtp.raw]
    assert (mail["To"], mail["Subject"]) == ("beheer@linde.example", "Er gaan ongewoon veel berichten uit")
    body = mail.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert "Op 20-03-2026 gingen er tussen 13:00 en 13:10 uur minstens 250 berichten over afspraken naar uw cliënten." in text
    assert "nooit meer dan 30." in text
    assert "Houd de berichten dan tegen op https://o.example/tegenhouden." in text
    assert [value(process, "organisations_busy") for process in (one, other)] == [1, 1]
    assert [value(process, "alert_mails_total", outcome="sent") for process in (one, other)] == [1, 0]


async def test_it_is_told_again_after_six_hours_and_forgotten_after_one(looks: Looks) -> None:
    looks.upstream(alerts_to="beheer@linde.example")
    looks.went_out(250)
    process = looks.process()
    await process.look()
    looks.now = NOW + timedelta(hours=1, minutes=10)
    await process.look()
    assert value(process, "organisations_busy") == 0
    looks.now = NOW + timedelta(hours=6, minutes=1)
    looks.went_out(500, looks.now)
    await process.look()
    assert len(looks.smtp.raw) == 2


async def test_while_the_mail_server_is_away_it_is_tried_again(looks: Looks) -> None:
    looks.upstream(alerts_to="beheer@linde.example")
    looks.went_out(250)
    away = looks.process(port=1)
    for _ in range(2):
        await away.look()
    assert value(away, "alert_mails_total", outcome="failed") == 2
    await looks.process().look()
    assert len(looks.smtp.raw) == 1


SILENT: list[tuple[str, dict[str, Any], int, float | None, float]] = [
    ("reminders have their many each day", {"reason": "reminder"}, 250, 1.0, 0),
    ("what did not go out does not count", {"status": "suppressed"}, 250, 1.0, 0),
    ("few", {}, 200, 1.0, 0),
    ("the topics are still read for the first time", {}, 250, None, 0),
    ("or again: what is usual is not known yet", {}, 250, 301.0, 0),
    ("a third party's many are told, too", {"reason": "request"}, 250, 1.0, 1),
]


@pytest.mark.parametrize(("why", "changes", "count", "behind", "busy"), SILENT, ids=[row[0] for row in SILENT])
async def test_who_is_busy(
    looks: Looks, why: str, changes: dict[str, Any], count: int, behind: float | None, busy: float
) -> None:
    looks.upstream(alerts_to="beheer@linde.example")
    looks.went_out(count, **changes)
    looks.behind = behind
    process = looks.process()
    await process.look()
    assert (value(process, "organisations_busy"), len(looks.smtp.raw)) == (busy, busy)


@pytest.mark.parametrize("alerts_to", [None, "-"], ids=["turned off", "not said"])
async def test_without_an_address_nobody_is_mailed_and_the_figure_is_there(looks: Looks, alerts_to: str | None) -> None:
    looks.upstream(**({"alerts_to": None} if alerts_to is None else {}))
    looks.went_out(250)
    process = looks.process()
    await process.look()
    assert (value(process, "organisations_busy"), looks.smtp.raw) == (1, [])


async def test_what_is_older_than_five_weeks_is_forgotten(looks: Looks) -> None:
    looks.went_out(3, NOW - timedelta(days=36))
    looks.went_out(2, NOW - timedelta(days=34))
    process = looks.process()
    await process.look()
    assert await process.queries.volumes("linde", "direct") == {window_of(NOW - timedelta(days=34)): 2}
