"""Providers that run on this machine: real servers that answer as the real ones do, and misbehave on demand.

They are for tests, crash tests and the demo. They show and keep what they receive, numbers and texts included, so they are no
place for data of real clients. Each has an HTTP control endpoint: `GET /_received`, `DELETE /_received`, `POST /_program`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import orjson
from aiohttp import web

Message = dict[str, Any]

SHOWN = Callable[[Message], None]
"""Called with each message that was received, after it was recorded."""


class Fake(Protocol):
    """A fake provider, as the commands run it."""

    async def start(self) -> None:
        """Listen. Raises OSError where it cannot."""

    async def stop(self) -> None:
        """Cut everything off."""


class Received:
    """What a fake received, in order; also appended to a file, so that it outlives whoever sent it."""

    def __init__(self, record: Path | None = None, on_message: SHOWN | None = None) -> None:
        self.messages: list[Message] = []
        self._file = record.open("ab") if record is not None else None
        self._on_message = on_message

    def add(self, message: Message) -> None:
        """Keep a message. Once this returns a crash of this process does not lose it."""
        self.messages.append(message)
        if self._file is not None:
            self._file.write(orjson.dumps(message) + b"\n")
            self._file.flush()
        if self._on_message is not None:
            self._on_message(message)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def control(received: Received, program: Callable[[bytes], None]) -> list[web.RouteDef]:
    """The control endpoint; `program` raises msgspec.ValidationError or DecodeError for what it does not understand."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(received.messages), content_type="application/json")

    async def forget(_: web.Request) -> web.Response:
        received.messages.clear()
        return web.Response(status=204)

    async def change(request: web.Request) -> web.Response:
        try:
            program(await request.read())
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            return web.Response(status=400, text=f"{error}\n")
        return web.Response(status=204)

    return [web.get("/_received", show), web.delete("/_received", forget), web.post("/_program", change)]


async def serve_http(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve the app; gives the runner to clean up, and the port. Raises OSError where it cannot listen."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = listen(host, port)
    await web.SockSite(runner, listening).start()
    return runner, int(listening.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any that is free. Raises OSError."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)


async def run_until_stopped(fake: Fake, ready: Callable[[], Awaitable[None] | None]) -> None:
    """Run a fake until SIGINT or SIGTERM; `ready` is called once it listens. Raises OSError where it cannot."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # a loop without signals
            loop.add_signal_handler(number, stopped.set)
    await fake.start()
    try:
        ready()
        await stopped.wait()
    finally:
        await fake.stop()
