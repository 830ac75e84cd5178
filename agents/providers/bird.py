"""SMS through the API that replaces MessageBird's classic one (POST /v1/sms/messages), by its own SDK (`messagebird-sdk`).

This was read in the source of its version 0.106.0. A repetition with the same Idempotency-Key and body is the same message for
24 hours, so an outcome that nobody knows may be tried again at once. What the classic API has and this one has not (outside a
preview): a validity after which an SMS is not delivered any more, and an address for status reports with each message.

The SDK retries by itself, names its surroundings in headers, and builds a model that refuses what it does not know, although the
message was taken. So it is told not to, and its plain answer is read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
from bird import APIConnectionError, APIStatusError, AsyncBird, BirdError, RateLimitError

from . import MOST_BYTES, AnswerKind, ProviderAnswer, SmsCall, provider_id, tls

PATH = "/v1/sms/messages"

STATUSES: dict[int, AnswerKind] = {
    400: "permanent_message",
    401: "stop",  # the key
    402: "stop",  # the wallet
    403: "stop",
    404: "stop",  # our address of the API
    405: "stop",
    408: "retry",
    409: "unknown",  # the key was used, with another body or by a request that still runs: it may have been taken
    413: "permanent_message",
    421: "stop",
    422: "permanent_message",
    425: "retry",
    429: "retry",
    501: "stop",
}
"""What the API's HTTP statuses mean (its error categories, `bird._exceptions`)."""

NAMES: dict[str, AnswerKind] = {
    "SMSInvalidRecipient": "permanent_address",
    "SMSSenderNotConfigured": "stop",
    "SenderCategoryNotPermitted": "stop",
    # Failures that a message carries in `last_error`, of one that was taken only to be refused:
    "invalid_destination": "permanent_address",
    "landline_unreachable": "permanent_address",
    "recipient_opted_out": "permanent_address",
    "sender_unregistered": "stop",
    "insufficient_balance": "stop",
    "provider_unavailable": "retry",
}
"""What errors mean by name: they say more than the status."""

SENDER = frozenset({"SMSSenderNotConfigured", "SenderCategoryNotPermitted", "sender_unregistered"})
"""Of the sender that one organisation gave us; others may go on."""

REFUSED = ("rejected", "failed", "undelivered", "canceled")

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
"""Of these nothing has left us."""

_NAME = re.compile(r"[A-Za-z_]{1,60}")


class _Bounded(httpx.AsyncByteStream):
    """A body of which no more than `MOST_BYTES` is read; what is cut off is no JSON any more."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for chunk in self._whole:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    async def aclose(self) -> None:
        """Close the connection's stream: what was not read of it goes with the connection."""
        await self._whole.aclose()


class _Plain(httpx.AsyncBaseTransport):
    """A transport whose answers are bounded and never unpacked: what unpacks to gigabytes stays as it is."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask for no packed answer, and take one as its bytes."""
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(
            response.status_code, headers=headers, stream=_Bounded(response.stream), extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close what it stands before."""
        await self._inner.aclose()


class Bird:
    """An SMS gateway. Nothing is sent before its first call."""

    def __init__(self, url: str | None, key: str, timeout: tuple[float, float] = (3.0, 10.0), workers: int = 64) -> None:
        """Make it.

        Args:
            url: the API's address; None: of the region that the key names.
            key: the access key, `bk_eu1_…`.
            timeout: seconds to connect, and for the whole call.
            workers: connections at most.

        Raises:
            ValueError: the address or the key cannot be used.
        """
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError("the SMS provider's access key must be printable ASCII without spaces")
        connect, self._total = timeout
        local = url is not None and httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")
        self._http = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=workers, max_keepalive_connections=workers, keepalive_expiry=20.0),
            timeout=httpx.Timeout(self._total, connect=connect),
            trust_env=not local,
            follow_redirects=False,
        )
        # Behind the client's own choice of proxies, which a transport of ours would replace.
        self._http._transport = _Plain(self._http._transport)
        self._http._mounts = {where: inner and _Plain(inner) for where, inner in self._http._mounts.items()}
        try:
            self._client = AsyncBird(
                api_key=key, base_url=url, max_retries=0, timeout=httpx.Timeout(self._total, connect=connect),
                default_headers={"Bird-Enrichment": "0"}, http_client=self._http,
            )  # fmt: skip
        except BirdError as error:
            raise ValueError(f"the SMS provider's key names no region, and no address is given: {type(error).__name__}") from None

    async def __call__(self, call: SmsCall) -> ProviderAnswer:
        """Send it. Cancelling this may leave it sent."""
        if not re.fullmatch(r"\+?[1-9]\d{5,14}", call.recipient):
            return ProviderAnswer(kind="permanent_address", detail="bird: not an E.164 number")
        try:
            async with asyncio.timeout(self._total):
                answer = await self._client.request(
                    "POST", PATH, body=body_of(call), idempotency_key=f"{call.message}-{call.piece}"
                )
        except RateLimitError as error:
            return ProviderAnswer(kind="retry", detail=f"bird: 429{_told(error)}", retry_after=error.retry_after)
        except APIStatusError as error:
            return refusal(error)
        except APIConnectionError as error:
            if isinstance(error.__cause__, NOT_SENT):
                if (refused := tls.refusal(error.__cause__)) is not None:
                    return ProviderAnswer(kind="stop", detail=f"bird: {type(refused).__name__}")
                return ProviderAnswer(kind="retry", detail=f"bird: {type(error.__cause__).__name__}")
            return ProviderAnswer(kind="unknown", detail=f"bird: {type(error.__cause__).__name__}", repeatable=True)
        except TimeoutError:
            return ProviderAnswer(kind="unknown", detail="bird: no answer in time", repeatable=True)
        except UnicodeEncodeError:
            return ProviderAnswer(kind="permanent_message", detail="bird: not encodable")
        except RecursionError:  # JSON that is nested too deeply, in an error
            return ProviderAnswer(kind="unknown", detail="bird: unreadable")
        return accepted(answer)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()


def body_of(call: SmsCall) -> dict[str, Any]:
    """Return the request. The same call has the same body at every attempt: a key that is used with another body is refused."""
    number = call.originator.removeprefix("+")
    return {
        "to": "+" + call.recipient.removeprefix("+"),
        "from": f"+{number}" if number.isdecimal() and len(number) > 6 else number,  # shorter ones are short codes
        "text": call.body,
        "category": "service",
        "metadata": {"reference": call.reference},
        "options": {"smart_encoding": False},  # what may be replaced was replaced, and counted
    }


def refusal(error: APIStatusError) -> ProviderAnswer:
    """Return the outcome of an HTTP error."""
    named = [name for name in (error.name, error.code) if name in NAMES]
    kind = NAMES[named[0]] if named else STATUSES.get(error.status_code, "retry" if error.status_code >= 500 else "stop")
    if error.status_code == 422 and error.param == "from" and not named:
        kind = "stop"
    whose = SENDER.intersection(named) or (error.status_code == 422 and error.param == "from")
    return ProviderAnswer(
        kind=kind,
        detail=f"bird: {error.status_code}{_told(error)}",
        whose="organisation" if kind == "stop" and whose else "account",
    )


def accepted(answer: httpx.Response) -> ProviderAnswer:
    """Return the outcome of a success: taken, or taken only to be refused."""
    try:
        plain = answer.json()
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict) or not isinstance(plain.get("id"), str):
        return ProviderAnswer(kind="unknown", detail=f"bird: {answer.status_code}")  # not repeatable: it would answer the same
    status, failure = plain.get("status"), plain.get("last_error")
    code = failure.get("code") if isinstance(failure, dict) else None
    if status in REFUSED and isinstance(code, str):
        kind = NAMES.get(code, "permanent_message")
        whose: Any = "organisation" if code in SENDER else "account"
        return ProviderAnswer(
            kind=kind, detail=f"bird: {status}{_named(code)}", whose=whose, provider_id=provider_id(plain["id"])
        )
    segments = plain.get("segments")
    count = segments.get("count") if isinstance(segments, dict) else None
    parts = count if isinstance(count, int) else None
    return ProviderAnswer(kind="sent", detail=f"bird: {answer.status_code}", provider_id=provider_id(plain["id"]), parts=parts)


def _told(error: APIStatusError) -> str:
    """Return the error's name for the log, never its words."""
    return _named(error.name or error.code or "")


def _named(name: str) -> str:
    return f"/{name}" if _NAME.fullmatch(name) else ""
