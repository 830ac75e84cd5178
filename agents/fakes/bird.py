"""An SMS gateway that answers like the API which replaces MessageBird's classic one, and misbehaves on demand.

It remembers each Idempotency-Key: the same request again is the same message, another one under that key a conflict.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import orjson
from aiohttp import web

from renderers.gsm7 import measure

from . import SHOWN, SmsFake


class BirdProgram(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How it behaves until it is programmed anew.

    Attributes:
        delay_seconds: before each answer.
        status: answered in place of the good answer, with `error` (its members), `body` as it is, and `headers`.
        last_error: it takes each message, and says at once that it failed so.
        times: how often at most it misbehaves; None: without end.
        hang: it takes the message and never answers.
        reports: the events (`sms.delivered`, …) of each message it takes, one after the other, `report_delay_seconds` after the
            one before, `report_copies` times; `report_reorder`: the last one first.
        report_error: the code of what failed.
    """

    delay_seconds: float = 0.0
    status: int | None = None
    error: dict[str, Any] = {}
    body: str | None = None
    headers: dict[str, str] = {}
    last_error: str | None = None
    times: int | None = None
    hang: bool = False
    reports: tuple[str, ...] = ("sms.sent", "sms.delivered")
    report_delay_seconds: float = 0.0
    report_copies: int = 1
    report_reorder: bool = False
    report_error: str = "invalid_destination"


class FakeBird(SmsFake):
    """The gateway. `received.messages` is what it took, each once; `requests` the headers of all that came."""

    routes = {"/v1/sms/messages": "_post"}

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, key: str | None = None, record: Path | None = None,
        on_message: SHOWN | None = None, webhook: str | None = None, secret: bytes = b"",
    ) -> None:  # fmt: skip
        """Make it. `webhook`: the address to which it reports, if to any, signed with `secret`."""
        super().__init__(host, port, "", record, on_message)
        self._webhook, self._secret, self._key = webhook, secret, key
        self._program = BirdProgram()
        self._struck = 0
        self._known: dict[str, tuple[bytes, bytes]] = {}
        self.requests: list[dict[str, str]] = []

    def reprogram(self, settings: bytes) -> None:
        """Take a `BirdProgram`."""
        self._program, self._struck = msgspec.json.decode(settings, type=BirdProgram), 0

    async def _post(self, request: web.Request) -> web.Response:
        program, content = self._program, await request.read()
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        await self.wait(program.delay_seconds)
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
            await self.wait(3600)
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
        if self._webhook is not None:
            self.report(self._report(self._webhook, body, answer, self._program))
        return orjson.dumps(answer)

    async def _report(self, address: str, body: dict[str, Any], answer: dict[str, Any], program: BirdProgram) -> None:
        for type_ in reversed(program.reports) if program.report_reorder else program.reports:
            await self.wait(program.report_delay_seconds)
            content = orjson.dumps(event(type_, body, answer, program.report_error, datetime.now(UTC)))
            for _ in range(program.report_copies):
                await self.tell("POST", address, data=content, headers=partial(self._signature, content))

    def _signature(self, content: bytes) -> dict[str, str]:
        return sign(content, self._secret, datetime.now(UTC))


def event(type_: str, body: dict[str, Any], answer: dict[str, Any], error: str, now: datetime) -> dict[str, Any]:
    """Return a status report as the provider sends it: what the SDK's `Event…` models ask for."""
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    failed = type_ in ("sms.failed", "sms.undelivered", "sms.rejected", "sms.expired")
    failure = {"code": error, "description": "as programmed", "carrier_error_code": None, "occurred_at": at} if failed else None
    return {
        "type": type_, "timestamp": at,
        "data": {
            "sms_id": answer["id"], "workspace_id": "ws_01krdgeqcxet5s7t44vh8rt9mg", "to": answer["to"], "from": answer["from"],
            "tags": None, "metadata": body.get("metadata"), "requested_language": None, "resolved_language": None,
            "template_id": None, "template_version_id": None, "template_content_hash": None, "segments": answer["segments"],
            "cost": {
                "amount": f"{0.076 * answer['segments']['count']:.5f}", "currency_code": "EUR", "transaction_amount": None,
                "passthrough_amount": None,
            },
            **({"error": failure} if failed else {}),
        },
    }  # fmt: skip


def sign(content: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of a status report (standardwebhooks.com)."""
    id_, sent = f"msg_{uuid.uuid4().hex}", str(int(now.timestamp()))
    digest = hmac.new(secret, f"{id_}.{sent}.".encode() + content, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {
        "webhook-id": id_, "webhook-timestamp": sent, "webhook-signature": signature, "Content-Type": "application/json",
    }  # fmt: skip


def _error(status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps({"error": error}), content_type="application/json", headers=headers)
