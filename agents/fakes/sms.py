"""An SMS gateway that answers like MessageBird's REST API (POST /messages), and misbehaves on demand.

It replaces characters outside GSM 03.38 where `datacoding` is `plain`, as MessageBird says it does, and calls `reportUrl`
with the query string that MessageBird uses, signed where it has a signing key.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import jwt
import msgspec
import orjson
from aiohttp import web
from yarl import URL

from . import SHOWN, Message, SmsFake

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = "^{}\\[~]|€"


def _error(status: int, code: int, description: str, parameter: str | None) -> tuple[int, Any]:
    return status, {"errors": [{"code": code, "description": description, "parameter": parameter}]}


ANSWERS: dict[str, tuple[int, Any]] = {
    "wrong_key": _error(401, 2, "Request not allowed (incorrect access_key)", "access_key"),
    "no_recipient": _error(422, 9, "no (correct) recipients found", "recipient"),
    "bad_originator": _error(422, 10, "originator is invalid", "originator"),
    "no_balance": _error(422, 25, "Not enough balance", None),
    "no_endpoint": _error(404, 98, "Not found", None),
    "too_many": (429, {}),
    "broken": _error(500, 99, "Internal error", None),
    "html": (404, "<html><body>404 page not found</body></html>"),
    "empty": (201, ""),
    "null": (201, None),
    "redirect": (302, ""),
}
"""Answers by name: status and body; text goes out as it is, all else as JSON."""


class Program(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How the gateway behaves until it is programmed anew. Counts are of requests since then; seconds everywhere.

    Attributes:
        delay_seconds: before each answer.
        answer: a name of `ANSWERS`, given in place of the good answer; or `status` with `body` and `headers`.
        error_every: only each n-th request is answered so; 0: all of them.
        times: how often at most it is answered so, or hangs; None: without end.
        hang_every: each n-th request is never answered and not taken; `accept_then_hang`: it is taken (alone: all are).
        reports: the statuses reported to `reportUrl`, one after the other, each `report_delay_seconds` after the one before,
            `report_copies` times; `report_reorder`: the last one first.
        report_error: `statusErrorCode` of a `delivery_failed`.
        more_parts: it bills so many parts more than the text has.
    """

    delay_seconds: float = 0.0
    answer: Literal[
        "wrong_key", "no_recipient", "bad_originator", "no_balance", "no_endpoint", "too_many", "broken", "html", "empty",
        "null", "redirect",
    ] | None = None  # fmt: skip
    status: int | None = None
    body: Any = ""
    headers: dict[str, str] = {}
    error_every: int = 0
    times: int | None = None
    hang_every: int = 0
    accept_then_hang: bool = False
    reports: tuple[str, ...] = ("delivered",)
    report_delay_seconds: float = 0.0
    report_copies: int = 1
    report_reorder: bool = False
    report_error: int = 1
    more_parts: int = 0


class FakeSms(SmsFake):
    """The gateway. `received.messages` is what it took."""

    routes = {"/messages": "_post"}

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        key: str | None = None,
        signing_key: str | None = None,
        program: Program | None = None,
        record: Path | None = None,
        on_message: SHOWN | None = None,
        path: str = "",
    ) -> None:
        """Make it. `key` None: any access key will do. `path`: a base path of the API. `record`: a file for what it took."""
        super().__init__(host, port, path, record, on_message)
        self._key, self._signing_key = key, signing_key
        self._program = program or Program()
        self._requests = self._misbehaved = 0

    def reprogram(self, settings: bytes) -> None:
        """Take a `Program`."""
        self._program = msgspec.json.decode(settings, type=Program)
        self._requests = self._misbehaved = 0

    async def _post(self, request: web.Request) -> web.Response:
        program = self._program
        self._requests += 1
        refused, message = self._check(request.headers.get("Authorization", ""), await request.read())
        await self.wait(program.delay_seconds)
        if refused is not None:
            return _response(*refused)
        if self._strikes(program.hang_every or int(program.accept_then_hang)):
            if program.accept_then_hang:
                self._take(message)
            await self.wait(3600)
            return _response(503, "stopped")
        if (program.answer or program.status) and self._strikes(program.error_every or 1):
            status, body = ANSWERS[program.answer] if program.answer else (program.status or 500, program.body)
            headers = {"Location": f"{self.url}/messages"} if status == 302 else {}
            return _response(status, body, {**headers, **program.headers})
        self._take(message)
        return _response(201, _accepted(message, str(request.url)))

    def _strikes(self, every: int) -> bool:
        """Tell whether this request is one that is treated badly."""
        if not every or self._requests % every or (self._program.times is not None and self._misbehaved >= self._program.times):
            return False
        self._misbehaved += 1
        return True

    def _check(self, authorization: str, content: bytes) -> tuple[tuple[int, Any] | None, Message]:
        """Return the refusal that a request deserves, or the message in it."""
        scheme, _, key = authorization.partition(" ")
        if scheme != "AccessKey" or not key or (self._key is not None and key != self._key):
            return ANSWERS["wrong_key"], {}
        try:
            params = orjson.loads(content)
            recipients = params.get("recipients", [])
            numbers = recipients.split(",") if isinstance(recipients, str) else [str(number) for number in recipients]
            originator, body = str(params.get("originator") or ""), params.get("body")
        except (ValueError, AttributeError, TypeError):
            return _error(422, 21, "Bad request", None), {}
        if not re.fullmatch(r"\d{3,17}|(?=.{1,11}$)[A-Za-z0-9]+( [A-Za-z0-9]+)*", originator):
            return ANSWERS["bad_originator"], {}
        if not isinstance(body, str) or not body or len(body) > 1377:
            return _error(422, 9, "no body or it is too long", "body"), {}
        numbers = [number for number in numbers if re.fullmatch(r"[1-9]\d{7,14}", number)]
        if not numbers or len(numbers) > 50:
            return ANSWERS["no_recipient"], {}
        message = _message(params, originator, numbers, body)
        return None, {**message, "parts": message["parts"] + self._program.more_parts}

    def _take(self, message: Message) -> None:
        self.received.add(message)
        if message["reportUrl"] and message["reference"]:  # without a reference there are no reports
            for recipient in message["recipients"]:
                self.report(self._report(message, recipient, self._program))

    async def _report(self, message: Message, recipient: str, program: Program) -> None:
        for status in reversed(program.reports) if program.report_reorder else program.reports:
            await self.wait(program.report_delay_seconds)
            for _ in range(program.report_copies):
                # Encoded once, here: the signature is over the bytes of the address.
                url = URL(report_url(message, recipient, status, program.report_error), encoded=True)
                await self.tell("GET", url, headers=partial(self._signature, str(url)))

    def _signature(self, url: str) -> dict[str, str]:
        return {"MessageBird-Signature-JWT": sign(url, self._signing_key, datetime.now(UTC))} if self._signing_key else {}


def sign(url: str, key: str, now: datetime) -> str:
    """Sign a status report: a JWT over its whole address, good for a minute."""
    digest = hashlib.sha256(url.encode()).hexdigest()
    claims = {"iss": "MessageBird", "nbf": now, "exp": now + timedelta(seconds=60), "jti": str(uuid.uuid4()), "url_hash": digest}
    return jwt.encode(claims, key, algorithm="HS256")


def report_url(message: Message, recipient: str, status: str, error: int = 1) -> str:
    """Return the address of a status report, with the query string as MessageBird writes it."""
    query = {
        "datacoding": message["datacoding"],
        "id": message["id"],
        "mccmnc": "20408",
        "messageLength": len(message["body"]),
        "messagePartCount": message["parts"],
        "ported": 0,
        "price[amount]": f"{0.076 * message['parts']:.3f}",
        "price[currency]": "EUR",
        "recipient": recipient,
        "reference": message["reference"],
        "statusDatetime": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": status,
    }
    if status == "delivery_failed":
        query |= {"statusErrorCode": error, "statusReason": "unknown subscriber"}
    return f"{message['reportUrl']}{'&' if '?' in message['reportUrl'] else '?'}{urlencode(query)}"


def _message(params: dict[str, Any], originator: str, recipients: list[str], body: str) -> Message:
    coding = params.get("datacoding") or "plain"
    plain = all(character in _BASIC + _TWICE for character in body)
    if coding == "auto":
        coding = "plain" if plain else "unicode"
    if coding == "plain" and not plain:
        body = "".join(character if character in _BASIC + _TWICE else "?" for character in body)
    return {
        "id": uuid.uuid4().hex,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "originator": originator,
        "recipients": recipients,
        "body": body,
        "reference": params.get("reference"),
        "datacoding": coding,
        "validity": params.get("validity"),
        "reportUrl": params.get("reportUrl"),
        "parts": _parts(body, coding),
    }


def _parts(body: str, coding: str) -> int:
    """Count the parts that it bills: what takes two units is never split, so each part is filled as far as it goes."""
    single, each = (70, 67) if coding == "unicode" else (160, 153)
    sizes = [len(one.encode("utf-16-le")) // 2 if coding == "unicode" else 1 + (one in _TWICE) for one in body]
    if sum(sizes) <= single:
        return 1
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts


def _accepted(message: Message, url: str) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    items = [
        {"recipient": int(recipient), "status": "sent", "statusDatetime": at, "messagePartCount": message["parts"]}
        for recipient in message["recipients"]
    ]
    counts = {"totalCount": len(items), "totalSentCount": len(items), "totalDeliveredCount": 0, "totalDeliveryFailedCount": 0}
    echoed = {name: message[name] for name in ("id", "originator", "body", "reference", "validity", "datacoding")}
    constant = {"direction": "mt", "type": "sms", "gateway": 239, "typeDetails": {}, "mclass": 1, "scheduledDatetime": None}
    return {
        "href": f"{url}/{message['id']}",
        **echoed,
        **constant,
        "createdDatetime": at,
        "recipients": {**counts, "items": items},
    }


def _response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, text=body, content_type="text/html", headers=headers)
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)
