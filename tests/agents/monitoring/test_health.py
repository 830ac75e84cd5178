"""The metrics port: live, ready, metrics."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

from agents.commands.worker import run
from agents.exits import NOT_YET
from agents.monitoring.health import STALLED, STARTING, Health, HealthError, HealthServer
from agents.monitoring.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def get(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_is_live_while_its_loop_turns_and_while_it_starts() -> None:
    clock = Clock()
    health = Health(clock)
    clock.now += STARTING
    assert health.fault() is None, "no turn yet: it still starts"
    clock.now += 1
    assert health.fault() == "the main loop has not turned for 121 s"

    health.on_tick()
    clock.now += STALLED
    assert health.fault() is None
    clock.now += 1
    assert health.fault() == "the main loop has not turned for 11 s"


def test_it_is_ready_with_loaded_partitions_only() -> None:
    """Also with none of them: a worker too many stands by, and a rolling upgrade must not wait for it."""
    health = Health()
    assert not health.ready
    health.on_assigned(0)
    assert health.ready
    health.on_revoked()
    assert not health.ready


def test_the_pages() -> None:
    clock = Clock()
    metrics = Metrics(monotonic=clock)
    with HealthServer(metrics, metrics.registry, "127.0.0.1", 0) as server:
        assert get(server, "/live") == (200, "live\n")
        assert get(server, "/ready") == (503, "no partitions yet, or their rows are still loaded\n")
        metrics.on_tick()
        metrics.on_assigned(4)
        assert get(server, "/ready") == (200, "ready\n")
        assert "afspraakbericht_partitions_assigned 4.0" in get(server, "/metrics")[1]
        assert get(server, "/")[0] == 404
        assert get(server, "/live", "POST")[0] == 405
        clock.now += STALLED + 1
        assert get(server, "/live") == (503, "the main loop has not turned for 11 s\n")
        assert get(server, "/ready")[0] == 503, "it would not take part in the group for much longer"
        assert get(server, "/metrics")[0] == 200, "what it knew last is told all the same"


def test_the_address_is_the_one_asked_for() -> None:
    metrics = Metrics()
    with HealthServer(metrics, metrics.registry, "127.0.0.1", 0) as server:
        assert server._server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Any) -> None:
    metrics = Metrics()
    with HealthServer(metrics, metrics.registry, "127.0.0.1", 0) as server:
        with pytest.raises(HealthError, match="Address already in use"):
            HealthServer(metrics, metrics.registry, "127.0.0.1", server.port)
        monkeypatch.setattr("agents.commands.worker.configure", lambda *_: None)
        monkeypatch.setenv("AFSPRAAKBERICHT_METRICS_PORT", str(server.port))
        monkeypatch.setenv("AFSPRAAKBERICHT_MESSAGEBIRD_KEY", "test_key")
        monkeypatch.setenv("AFSPRAAKBERICHT_DATA", str(tmp_path))
        assert run(None) == NOT_YET  # type: ignore[arg-type]
        assert capsys.readouterr().err == f"the metrics port 127.0.0.1:{server.port} cannot be opened: Address already in use\n"
