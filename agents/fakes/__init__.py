"""Providers that run on this machine: real servers that answer as the real ones do, and misbehave on demand.

They are for tests, crash tests and the demo. They show and keep what they receive, numbers and texts included, so they are no
place for data of real clients. Each has an HTTP control endpoint: `GET /_received`, `DELETE /_received`, `POST /_program`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec
import orjson
from aiohttp import web
from yarl import URL

Message = dict[str, Any]

SHOWN = Callable[[Message], None]
"""Called with each message that was received, after it was recorded."""


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
    """Return the routes of the control endpoint; `program` raises msgspec.ValidationError or DecodeError."""

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
    """Serve the app; return the runner to clean up, and the port. Raises OSError where it cannot listen."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = listen(host, port)
    await web.SockSite(runner, listening).start()
    return runner, int(listening.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0: any that is free. Raises OSError."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)


class Fake:
    """A provider: `async with Fake(…) as fake: …`. What it received is in `received`, also in the file `record`."""

    def __init__(self, record: Path | None, on_message: SHOWN | None) -> None:
        self.received = Received(record, on_message)
        self.stopping = asyncio.Event()

    async def start(self) -> None:
        """Listen. Raises OSError where it cannot."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Cut everything off."""
        self.stopping.set()
        self.received.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until it is stopped."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), seconds)


class SmsFake(Fake):
    """An SMS gateway over HTTP, which reports what became of its messages by requests of its own.

    `routes` are its API's, by path. `url` is its address once it was started.
    """

    routes: Mapping[str, str] = {}
    patience: Sequence[float] = (0.1, 0.5, 2.0, 5.0)
    """Seconds after each try to report."""

    def __init__(self, host: str, port: int, path: str, record: Path | None, on_message: SHOWN | None) -> None:
        super().__init__(record, on_message)
        self._host, self._port, self._path = host, port, path
        self._reports: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError where it cannot."""
        app = web.Application()
        api = [web.post(self._path + path, getattr(self, handler)) for path, handler in self.routes.items()]
        app.add_routes([*api, *control(self.received, self.reprogram)])
        self._runner, self._port = await serve_http(app, self._host, self._port)
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def stop(self) -> None:
        """Cut everything off."""
        self.stopping.set()
        for task in self._reports:
            task.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)
        await self._client.close()
        await self._runner.cleanup()
        await super().stop()

    @property
    def url(self) -> str:
        """Return the API's address."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}{self._path}"

    def program(self, **settings: Any) -> None:
        """Behave like that from now on."""
        self.reprogram(orjson.dumps(settings))

    def reprogram(self, settings: bytes) -> None:
        """Take settings as `POST /_program` has them. Raises msgspec.ValidationError or DecodeError."""
        raise NotImplementedError

    def report(self, work: Coroutine[Any, Any, None]) -> None:
        """Report beside what else it does, until it is stopped."""
        task = asyncio.create_task(work)
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def tell(self, method: str, url: str | URL, **request: Any) -> None:
        """Send a report until it is answered with 200, some times at most. `headers`: a function, signed anew each time."""
        headers = request.pop("headers")
        for patience in self.patience:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._client.request(method, url, headers=headers(), allow_redirects=False, **request) as answer:
                    if answer.status == 200:
                        return
            await self.wait(patience)
