"""An SMS gateway that answers like the API which replaces MessageBird's classic one, and misbehaves on demand.

It remembers each Idempotency-Key: the same request again is the same message, another one under that key a conflict.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from pathlib import Path
from typing import Any, Self

import msgspec
import orjson
from aiohttp import web

from renderers.gsm7 import measure

from . import SHOWN, Received, control, serve_http


class BirdProgram(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How it behaves until it is programmed anew.

    Attributes:
        delay_seconds: before each answer.
        status: answered in place of the good answer, with `error` (its members), `body` as it is, and `headers`.
        last_error: it takes each message, and says at once that it failed so.
        times: how often at most it misbehaves; None: without end.
        hang: it takes the message and never answers.
    """

    delay_seconds: float = 0.0
    status: int | None = None
    error: dict[str, Any] = {}
    body: str | None = None
    headers: dict[str, str] = {}
    last_error: str | None = None
    times: int | None = None
    hang: bool = False


class FakeBird:
    """The gateway. `url` is its address once it was started; `received.messages` what it took, each once."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, key: str | None = None, record: Path | None = None,
        on_message: SHOWN | None = None,
    ) -> None:  # fmt: skip
        self._host, self._port, self._key = host, port, key
        self._program = BirdProgram()
        self._struck = 0
        self._known: dict[str, tuple[bytes, bytes]] = {}
        self._stopping = asyncio.Event()
        self.received = Received(record, on_message)
        self.requests: list[dict[str, str]] = []

    async def start(self) -> None:
        """Listen. Raises OSError where it cannot."""
        app = web.Application()
        app.add_routes([web.post("/v1/sms/messages", self._post), *control(self.received, self._reprogram)])
        self._runner, self._port = await serve_http(app, self._host, self._port)

    async def stop(self) -> None:
        """Cut everything off."""
        self._stopping.set()
        await self._runner.cleanup()
        self.received.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://{self._host}:{self._port}"

    def program(self, **settings: Any) -> None:
        """Behave like that from now on; settings as in `BirdProgram`."""
        self._reprogram(orjson.dumps(settings))

    def _reprogram(self, settings: bytes) -> None:
        self._program, self._struck = msgspec.json.decode(settings, type=BirdProgram), 0

    async def _post(self, request: web.Request) -> web.Response:
        program, content = self._program, await request.read()
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        await self._wait(program.delay_seconds)
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            return _error(401, {"type": "auth_error", "message": "invalid key"})
        key = request.headers.get("Idempotency-Key", "")
        strikes = program.times is None or self._struck < program.times
        if program.status is not None and strikes:
            self._struck += 1
            if program.body is not None:
                return web.Response(status=program.status, text=program.body, content_type="text/html")
            return _error(program.status, program.error, program.headers)
        if key in self._known and self._known[key][0] != content:
            return _error(409, {"type": "conflict_error", "code": "IdempotencyKeyReused"})
        if key not in self._known:
            self._known[key] = (content, self._take(orjson.loads(content), key, program.last_error))
        if program.hang and strikes:
            self._struck += 1
            await self._wait(3600)
        return web.Response(status=202, body=self._known[key][1], content_type="application/json")

    def _take(self, body: dict[str, Any], key: str, failure: str | None) -> bytes:
        id_ = "sms_" + hashlib.sha256(key.encode()).hexdigest()[:26]
        measured = measure(body["text"])
        self.received.add({"id": id_, "key": key, **body, "parts": measured.parts})
        encoding = "UCS2" if measured.encoding == "UCS-2" else "GSM_7BIT"
        answer = {
            "id": id_, "direction": "outbound", "status": "failed" if failure else "accepted", "to": body["to"],
            "from": body["from"], "text": body["text"], "category": body["category"],
            "segments": {"count": measured.parts, "encoding": encoding, "characters": len(body["text"])},
            "last_error": {"code": failure, "description": "as programmed"} if failure else None,
        }  # fmt: skip
        return orjson.dumps(answer)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)


def _error(status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps({"error": error}), content_type="application/json", headers=headers)
