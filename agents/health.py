"""Whether a worker lives and is ready, and the port where Prometheus and an orchestrator ask.

The server has threads of its own, so that it answers, and says what is wrong, while the main loop is stuck or still starts.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from .engine import Monitor

Answer = Iterable[bytes]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

STALLED = 10.0
"""Seconds without a turn of the main loop after which a worker does not count as live."""

STARTING = 120.0
"""The same before its first turn: connecting to Kafka takes its time, and gives up by itself."""


class HealthError(Exception):
    """The port cannot be opened; one line for the operator."""


class Health(Monitor):
    """What the engine says of its state. Live: the loop turns. Ready: the partitions are assigned and their rows are loaded.

    A worker beyond the number of partitions has none, and is ready all the same: it stands by.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.ready = False
        self._beat = monotonic()
        self._limit = STARTING

    def on_tick(self) -> None:
        """The loop turns."""
        self._beat, self._limit = self.monotonic(), STALLED

    def on_assigned(self, partitions: int) -> None:
        """Its rows are loaded and its shards run."""
        self.ready = True

    def on_revoked(self) -> None:
        """It stops, or the group is dealt anew."""
        self.ready = False

    def fault(self) -> str | None:
        """Why it should be restarted; None where it should not."""
        still = self.monotonic() - self._beat
        return f"the main loop has not turned for {still:.0f} s" if still > self._limit else None


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a scraper that hangs does not keep the worker from ending


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # a client that says nothing does not keep its thread

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
        """A scrape is no news."""


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
            raise HealthError(f"the metrics port {host}:{port} cannot be opened: {error.strerror}") from None
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Answer:
        """One request."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _say(start_response, "405 Method Not Allowed", "GET only")
        if path == "/metrics":
            return self._metrics(environ, start_response)  # type: ignore[no-any-return]
        fault = self.health.fault()
        if path == "/live":
            return _say(start_response, "503 Service Unavailable" if fault else "200 OK", fault or "live")
        if path == "/ready":
            why = fault or (None if self.health.ready else "no partitions yet, or their rows are still loaded")
            return _say(start_response, "503 Service Unavailable" if why else "200 OK", why or "ready")
        return _say(start_response, "404 Not Found", "here are /metrics, /live and /ready")

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _say(start_response: StartResponse, status: str, text: str) -> Answer:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
    return [text.encode() + b"\n"]
