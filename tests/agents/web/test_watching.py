"""What probes and monitors hear of the web service, and what it counts."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from agents.commands import web as command
from agents.exits import STOPPED
from agents.monitoring.health import HealthServer
from agents.monitoring.web_metrics import READ, WebMetrics
from agents.projection.follower import Follower
from agents.projection.projection import Projection
from agents.projection.tables import connect
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.watching import READ_SECONDS, Watching

from .conftest import Kept

NOWHERE = "127.0.0.1:9"


class Watch:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def follower(tmp_path: Path, clock: Watch) -> Follower:
    """One whose database and Kafka are away."""
    pytest.importorskip("psycopg")
    engine = connect("postgresql+psycopg://web@127.0.0.1:9/overview?connect_timeout=1", tmp_path)
    return Follower(Projection(engine), "afspraakbericht", NOWHERE, clock=clock)


@pytest.fixture
async def alone(settings: Settings, kafka: Kept, follower: Follower) -> AsyncIterator[aiohttp.ClientSession]:
    """The service with that follower."""
    async with (
        Server(create_web(settings, kafka, follower), settings.web_host, 0, settings.web_slow_seconds) as server,
        aiohttp.ClientSession(server.url) as session,
    ):
        yield session


def value(metrics: WebMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"afspraakbericht_{name}", labels)


async def asked(session: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with session.get(path) as answer:
        return answer.status, await answer.json()


async def test_without_the_database_it_lives_and_clients_unsubscribe_and_it_says_how_old_the_overview_is(
    alone: aiohttp.ClientSession, kafka: Kept, token: str, clock: Watch
) -> None:
    assert await asked(alone, "/live") == (200, {"status": "live"})
    assert await asked(alone, "/health") == (200, {"status": "ok", "projection": {"age_seconds": 0.0, "lag_seconds": 0.0}})
    clock.now += 61
    assert await asked(alone, "/health") == (503, {"status": "behind", "projection": {"age_seconds": 61.0, "lag_seconds": 0.0}})
    assert await asked(alone, "/live") == (200, {"status": "live"})
    async with alone.post(f"/u/{token}", data={"keuze": "afmelden"}) as answer:
        assert answer.status == 200
    assert [event.topic for event in kafka.events] == ["opt-outs"]


async def test_requests_come_once_the_overview_was_read_or_that_took_too_long(
    follower: Follower, alone: aiohttp.ClientSession, clock: Watch
) -> None:
    assert await asked(alone, "/ready") == (503, {"status": "the overview is still read from the topics"})
    follower.caught_up = True
    assert await asked(alone, "/ready") == (200, {"status": "ready"})
    follower.caught_up = False
    slow = Watching(follower.metrics, follower, monotonic=clock)
    assert not slow.is_ready
    clock.now += READ_SECONDS
    assert slow.is_ready


@pytest.mark.parametrize("task", ["run", "age"])
async def test_a_follower_that_dies_ends_the_process_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    def dies(self: Follower) -> None:
        raise RuntimeError("a secret of a client")

    async def dies_later(self: Follower) -> None:
        dies(self)

    monkeypatch.setattr(Follower, task, dies_later if task == "run" else dies)
    with capture_logs() as told:
        assert await command._serve(Settings(bootstrap=NOWHERE, data=tmp_path, web_port=0)) == STOPPED
    last = [line for line in told if line["log_level"] == "critical"]
    assert [(line["event"], line["error"]) for line in last] == [("a task ended that must not", "RuntimeError")]
    assert "a secret" not in str(told)


async def test_what_is_refused_and_what_is_answered_is_counted_by_its_route(
    alone: aiohttp.ClientSession, follower: Follower, kafka: Kept, token: str
) -> None:
    metrics = follower.metrics
    await asked(alone, "/live")
    for path, status in ((f"/u/{token}", 200), ("/u/cut", 404)):
        async with alone.post(path, data={"keuze": "afmelden"}) as answer:
            assert answer.status == status
    kafka.away = True
    async with alone.post(f"/u/{token}", data={"keuze": "afmelden"}) as answer:
        assert answer.status == 503
    for path in ("/webhooks/messagebird?id=1", "/v1/requests/r", "/nowhere/secret"):
        async with alone.get(path) as answer:
            assert answer.status in (401, 404)
    async with alone.post("/webhooks/bird", data=b"{}") as answer:
        assert answer.status == 401

    assert value(metrics, "web_requests_total", route="/live", status="2xx") == 1
    assert value(metrics, "web_requests_total", route="/u/{token}", status="2xx") == 1
    assert value(metrics, "web_requests_total", route="/u/{token}", status="4xx") == 1
    assert value(metrics, "web_requests_total", route="/u/{token}", status="5xx") == 1
    assert value(metrics, "web_requests_total", route="-", status="4xx") == 1
    assert value(metrics, "web_request_seconds_count", route="/u/{token}") == 3
    assert value(metrics, "web_publish_seconds_count") == 1
    assert value(metrics, "web_publish_failures_total") == 1
    assert value(metrics, "web_tokens_unknown_total", what="unsubscribe") == 1
    assert value(metrics, "web_api_keys_refused_total") == 1
    assert value(metrics, "web_signatures_refused_total", provider="messagebird") == 1
    assert value(metrics, "web_signatures_refused_total", provider="bird") == 1
    text = generate_latest(metrics.registry).decode()
    assert not [word for word in ("secret", token, "linde", "anna") if word in text]


def test_what_alerts_look_at_is_there_before_anything_happened() -> None:
    metrics = WebMetrics()
    for topic in READ:
        assert value(metrics, "projection_skipped_total", topic=topic) == 0
    assert value(metrics, "web_signatures_refused_total", provider="messagebird") == 0
    assert value(metrics, "web_sign_ins_refused_total", way="local") == 0
    assert value(metrics, "projection_waits_total", cause="newer_schema") == 0


def test_the_metrics_port_tells_them_and_the_public_one_does_not() -> None:
    with HealthServer(WebMetrics(), WebMetrics().registry, "127.0.0.1", 0) as server:
        text = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10).read().decode()
    assert "afspraakbericht_build_info{" in text


async def test_the_public_port_has_no_metrics(client: aiohttp.ClientSession) -> None:
    async with client.get("/metrics") as answer:
        assert answer.status == 404
