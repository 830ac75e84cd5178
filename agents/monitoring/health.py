"""Tell whether a worker (or a web process) lives and is ready, and the port where Prometheus and an orchestrator ask.

The server has threads of its own, so that it answers, and says what is wrong, while the main loop is stuck or still starts.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from ..engine.monitor import Monitor
from ..exits import of_port

Answer = Iterable[bytes]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

STALLED = 10.0
"""Seconds without a turn of the main loop after which a worker does not count as live."""

STARTING = 120.0
"""The same before its first turn: connecting to Kafka takes its time, and gives up by itself."""


SILENT = 60.0
"""Seconds without an answer of a broker after which a worker is not ready. No reason to restart it: it would find none, too."""


class HealthError(Exception):
    """The port cannot be opened; one line for the operator."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"the metrics port {host}:{port} cannot be opened: {error.strerror}")
        self.exit_code = of_port(error)


class Health(Monitor):
    """What the engine says of its state. Live: the loop turns. Ready: the partitions are assigned and their rows are loaded.

    A worker beyond the number of partitions has none, and is ready all the same: it stands by.
    """

    unready = "no partitions yet, or their rows are still loaded"
    """Why it is not ready, while it is not."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.ready = False
        self._beat = monotonic()
        self._limit = STARTING
        self._heard: float | None = None

    def on_heard(self) -> None:
        """Note that a broker answered."""
        self._heard = self.monotonic()

    def unheard(self) -> float:
        """Return the seconds since a broker answered; 0 before the first answer, without which a worker does not start."""
        return self.monotonic() - self._heard if self._heard is not None else 0.0

    def silent(self) -> str | None:
        """Say why it is not ready though its rows are loaded: no broker answers; None where one does."""
        return f"no broker has answered for {self.unheard():.0f} s" if self.unheard() > SILENT else None

    def on_tick(self) -> None:
        """Note that the loop turns."""
        self._beat, self._limit = self.monotonic(), STALLED

    def on_assigned(self, partitions: int) -> None:
        """Note that its rows are loaded and its processors run."""
        self.ready = True

    def on_revoked(self) -> None:
        """Note that the worker stops, or that the group is dealt anew."""
        self.ready = False

    def fault(self) -> str | None:
        """Say why it should be restarted; None where it should not."""
        still = self.monotonic() - self._beat
        return f"the main loop has not turned for {still:.0f} s" if still > self._limit else None


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a scraper that hangs does not keep the worker from ending


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # a client that says nothing does not keep its thread

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
        """Log nothing: a scrape is no news."""


class HealthServer:
    """`/metrics`, `/live` and `/ready` on a port; a context manager.

    Args:
        health: what is asked.
        registry: what `/metrics` tells.
        host: the address to listen on.
        port: 0 takes a free one; `self.port` is the one taken.
    """

    def __init__(self, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
        self.health = health
        self._metrics = make_wsgi_app(registry)
        server: type[_Server] = _Server6 if ":" in host else _Server
        try:
            self._server = make_server(host.strip("[]"), port, self, server, _Handler)
        except OSError as error:
            raise HealthError(host, port, error) from None
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Answer:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _say(start_response, "405 Method Not Allowed", "GET only")
        if path == "/metrics":
            return self._metrics(environ, start_response)  # type: ignore[no-any-return]
        fault = self.health.fault()
        if path == "/live":
            return _say(start_response, "503 Service Unavailable" if fault else "200 OK", fault or "live")
        if path == "/ready":
            why = fault or (self.health.silent() if self.health.ready else self.health.unready)
            return _say(start_response, "503 Service Unavailable" if why else "200 OK", why or "ready")
        return _say(start_response, "404 Not Found", "here are /metrics, /live and /ready")

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def serving(health: Health, registry: CollectorRegistry, host: str, port: int | None) -> AbstractContextManager[object]:
    """Serve the metrics port, where the settings name one. Raises HealthError."""
    return nullcontext() if port is None else HealthServer(health, registry, host, port)


def _say(start_response: StartResponse, status: str, text: str) -> Answer:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
    return [text.encode() + b"\n"]
