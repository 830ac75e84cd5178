"""The web server: it listens, and does not wait for slow clients."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web


class Server:
    """`async with Server(app, host, port, slow_seconds) as server: server.url`.

    A connection that has not sent the headers of a request within `slow_seconds` is closed; bodies are the guard's.
    """

    def __init__(self, app: web.Application, host: str, port: int, slow_seconds: float) -> None:
        self.host, self.port = host, port
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
            await web.TCPSite(self._runner, self.host, self.port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()
