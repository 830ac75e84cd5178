"""Listen, and do not wait for slow clients."""

from __future__ import annotations

import logging
import socket
import time
from types import TracebackType
from typing import Any, Self

from aiohttp import HttpVersion11, web, web_urldispatcher
from aiohttp.http_exceptions import HttpProcessingError

PAUSE_SECONDS = 60.0
"""Between two lines about malformed requests."""


class Unquoted(logging.Filter):
    """Has aiohttp tell of malformed requests without their bytes, which may hold keys and tokens, and once a minute at most."""

    def __init__(self) -> None:
        super().__init__()
        self.told = -PAUSE_SECONDS
        self.untold = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass on what is no malformed request, and of those a line with their number."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        self.untold += 1
        if time.monotonic() - self.told < PAUSE_SECONDS:
            return False
        record.msg, record.args, record.exc_info, record.exc_text = "malformed requests: %d", (self.untold,), None, None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        self.told, self.untold = time.monotonic(), 0
        return True


logging.getLogger("aiohttp.server").addFilter(Unquoted())


async def expected(request: web.Request) -> None:
    """Answer `Expect: 100-continue`; refuse another expectation without quoting it, as aiohttp's own answer does.

    That one is no UTF-8 for some bytes, and ended as a 500 with a trace-back.
    """
    if request.version != HttpVersion11:
        return
    if request.headers["Expect"].lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="unknown expectation")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # it is no part of the answer


# For routes that are not there, too: aiohttp makes them at each request, with what stands here.
web_urldispatcher._default_expect_handler = expected


class Server:
    """`async with Server(app, host, port, slow_seconds) as server: server.url`.

    A connection that has not sent the headers of a request within `slow_seconds` is closed; bodies are the guard's. So is one
    whose reader takes nothing of an answer for so long.
    """

    def __init__(self, app: web.Application, host: str, port: int, slow_seconds: float) -> None:
        self.host, self.port, self.slow_seconds = host, port, slow_seconds
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=slow_seconds, lingering_time=min(2.0, slow_seconds), shutdown_timeout=10.0
        )

    @property
    def url(self) -> str:
        """Its address, without a slash at its end."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, self.host, self.port)
            await site.start()
            self._cut_readers(site)
        except BaseException:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()

    def _cut_readers(self, site: web.TCPSite) -> None:
        """Make the kernel give up what a reader does not take: aiohttp would wait for ever (RFC 5482; only Linux has it)."""
        listening: Any = site._server
        for socket_ in listening.sockets if hasattr(socket, "TCP_USER_TIMEOUT") else ():
            # Each connection has it of the socket that took it.
            socket_.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(self.slow_seconds * 1000)))
