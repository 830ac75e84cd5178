"""SMS through MessageBird's REST API (POST /messages), by its own SDK.

The SDK has no time-out, follows redirects (a POST becomes a GET), opens a connection for each message and hides the HTTP status.
So it gets an HTTP client of ours; what came back is read from that client, whatever the SDK makes of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from messagebird.client import USER_AGENT, Client, ErrorException

from . import AnswerKind, ProviderAnswer, SmsCall, bounded, provider_id, tls
from .messagebird_answers import messagebird, messagebird_blames_originator, messagebird_blames_recipient, messagebird_codes

IDLE_SECONDS = 20.0
"""A connection that was idle for longer is not used again: a server that closes it meanwhile would leave the outcome unknown."""

SLACK_SECONDS = 1.0
"""What a call may take beyond its two time-outs: they bound each step, this bounds the sum."""

KINDS: dict[str, AnswerKind] = {"sent": "sent", "retry": "retry", "account_stop": "stop", "unknown": "unknown"}
"""Of the classes in `messagebird_answers.py`; `permanent` is the address or the message, by what the answer blames."""


class _Body(BytesIO):
    """A request body that knows whether any of it was read. It is read only once a connection stands and took the headers."""

    sent = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.sent = True
        return super().read(size)


class _Exchange:
    """One request and its answer: the SDK's `http_client`. It hands every body to the SDK and keeps status and headers."""

    def __init__(self, url: str, session: requests.Session, timeout: tuple[float, float]) -> None:
        self._url = url
        self._session = session
        self._timeout = timeout
        self._body: _Body | None = None
        self.response: requests.Response | None = None
        self.text = ""

    @property
    def sent(self) -> bool:
        """Tell whether the provider may have received the request."""
        return self._body is not None and self._body.sent

    def request(self, path: str, method: str = "GET", params: dict[str, Any] | None = None, *_: Any) -> str:
        """Send a request for the SDK. Raises what `requests` raises."""
        self._body = _Body(json.dumps(params or {}, ensure_ascii=False).encode())
        self.response = self._session.request(
            method, f"{self._url}/{path}", data=self._body, timeout=self._timeout, allow_redirects=False, stream=True
        )
        with self.response:
            self.text = (bounded.body(self.response, time.monotonic() + self._timeout[1]) or b"").decode(errors="replace")
        return self.text


class MessageBird:
    """An SMS gateway. The calls run in threads of its own, so none blocks the event loop or waits for other users of threads."""

    def __init__(self, url: str, key: str, timeout: tuple[float, float] = (3.0, 10.0), workers: int = 64) -> None:
        """Make it; nothing is sent yet.

        Args:
            url: the API's address, such as `https://rest.messagebird.com`; a path in it is kept.
            key: the access key.
            timeout: seconds to connect, and to wait for the next byte of the answer. A call takes at most a second more.
            workers: how many calls run at a time; more wait, and their waiting counts.

        Raises:
            ValueError: the address or the key cannot be used.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the SMS provider's address must be http:// or https:// with a host, without a query")
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError("the SMS provider's access key must be printable ASCII without spaces")
        self._url = url.rstrip("/")
        self._local_host = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self._key = key
        self._timeout = timeout
        self._total = sum(timeout) + SLACK_SECONDS
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="messagebird")
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    async def __call__(self, call: SmsCall) -> ProviderAnswer:
        """Send it. Cancelling this does not stop a request that has begun: its outcome is then unknown."""
        if not re.fullmatch(r"\+?[1-9]\d{5,14}", call.recipient):
            return ProviderAnswer(kind="permanent_address", detail="messagebird: not an E.164 number")
        job = self._threads.submit(self._post, _params(call))
        try:
            # Shielded: a time-out must not mark a job as cancelled whose request is on its way.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(job)), self._total)
        except TimeoutError:
            if job.cancel():
                return ProviderAnswer(kind="retry", detail="messagebird: no free worker")
            return ProviderAnswer(kind="unknown", detail="messagebird: no answer in time")
        except asyncio.CancelledError:
            job.cancel()
            raise

    async def close(self) -> None:
        """Let go of connections and threads; a request that has begun goes on until its time-outs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for session in self._sessions:
            session.close()

    def _post(self, params: dict[str, Any]) -> ProviderAnswer:
        exchange = _Exchange(self._url, self._session(), self._timeout)
        failure: Exception | None = None
        try:
            Client(self._key, exchange).request("messages", "POST", params)
        except UnicodeEncodeError:
            return ProviderAnswer(kind="permanent_message", detail="messagebird: not encodable")
        # What the SDK and requests raise for answers that they cannot read, too. The exchange knows better.
        except (
            ErrorException,
            requests.RequestException,
            OSError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:
            failure = error
        self._local.used = time.monotonic()
        if exchange.response is not None:
            return _outcome(exchange.response, exchange.text)
        if failure is not None and not exchange.sent and (refused := tls.refusal(failure)) is not None:
            return ProviderAnswer(kind="stop", detail=f"messagebird: {type(refused).__name__}")
        answer = messagebird(None, {"error": "timeout" if exchange.sent else "connect"})
        return ProviderAnswer(kind=KINDS[answer], detail=f"messagebird: {type(failure).__name__}")

    def _session(self) -> requests.Session:
        """Return the session of the running thread: a `requests.Session` is not made for several."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers.update(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json; charset=UTF-8",
                    "User-Agent": USER_AGENT,
                }
            )
            # As an auth hook, so that a .netrc cannot replace it. Proxies and certificates of the environment count, but not
            # for a gateway on this machine.
            session.auth = self._authorise
            session.trust_env = not self._local_host
            self._sessions.append(session)
        elif time.monotonic() - self._local.used > IDLE_SECONDS:
            session.close()  # only its connections: it opens new ones
        return session

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"AccessKey {self._key}"
        return request


def _params(call: SmsCall) -> dict[str, Any]:
    originator = call.originator.removeprefix("+") if call.originator[1:].isdigit() else call.originator
    optional = {"reportUrl": call.report_url, "validity": call.validity_seconds}
    return {
        "originator": originator,
        "recipients": [call.recipient.removeprefix("+")],
        "body": call.body,
        "type": "sms",
        "datacoding": "unicode" if call.unicode else "plain",
        "reference": call.reference,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _outcome(response: requests.Response, text: str) -> ProviderAnswer:
    status = response.status_code
    answer = messagebird(status, text)
    codes = "".join(f"/{code}" for code in messagebird_codes(text))
    detail = f"messagebird: {status}{codes}"
    if answer == "permanent" and messagebird_blames_originator(text):
        # The organisation's setting is at fault: its messages wait until it is put right, others' go on.
        return ProviderAnswer(kind="stop", detail=detail, whose="organisation")
    if answer == "permanent":
        kind: AnswerKind = "permanent_address" if messagebird_blames_recipient(text) else "permanent_message"
        return ProviderAnswer(kind=kind, detail=detail)
    if answer == "sent":
        taken = json.loads(text)
        return ProviderAnswer(kind="sent", detail=detail, provider_id=provider_id(taken["id"]), parts=_parts(taken))
    return ProviderAnswer(kind=KINDS[answer], detail=detail, retry_after=_retry_after(response.headers.get("Retry-After")))


def _parts(taken: dict[str, Any]) -> int | None:
    """Return how many parts the provider counted, over all recipients; None where it does not say."""
    recipients = taken.get("recipients")
    items = recipients.get("items") if isinstance(recipients, dict) else None
    counts = [item.get("messagePartCount") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    whole = [count for count in counts if isinstance(count, int)]
    return sum(whole) if whole and len(whole) == len(counts) else None


def _retry_after(value: str | None) -> float | None:
    """Return seconds, from a number of them or a date (RFC 9110 10.2.3); None where the header is absent or neither."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}", value.strip()):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
