"""The provider's status reports: only signed ones, each once, and 200 only once Kafka has it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
import orjson
import pytest
from yarl import URL

from agents.fakes import bird
from agents.providers.messagebird_webhook import reference_tokens
from agents.settings.settings import Settings

from .conftest import KEY, Kept

SIGNING = "the-signing-key-of-the-account-0"
BASE = "https://afspraakbericht.example/webhooks/messagebird/"
PATH = "/webhooks/messagebird"
SECRET = b"a secret of the endpoint, 32 by."

Send = Callable[..., Awaitable[int]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        unsubscribe_keys=(KEY,), web_port=0, web_slow_seconds=5.0, data=tmp_path, report_url=BASE,
        messagebird_signing_keys=("an-older-key-that-still-counts-0", SIGNING), bird_webhook_secrets=(b"x" * 32, SECRET),
    )  # fmt: skip


@pytest.fixture
def report(settings: Settings) -> str:
    """The query string of a report on message m1 of linde/anna."""
    reference = reference_tokens(settings).seal("linde", "anna", "m1", "0", "0")
    fields = {
        "id": "b6aa", "reference": reference, "recipient": "31612345678", "status": "delivered",
        "statusDatetime": "2026-03-02T10:00:00+00:00",
        "price[amount]": "0.075", "price[currency]": "EUR", "messagePartCount": "1",
    }  # fmt: skip
    return urlencode(fields)


def sign(target: str, key: str = SIGNING, **claims: Any) -> str:
    now = datetime.now(UTC)
    url = "https://afspraakbericht.example" + target
    content = {
        "iss": "MessageBird", "nbf": now - timedelta(seconds=1), "exp": now + timedelta(seconds=60), "jti": "one",
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
    } | claims  # fmt: skip
    return jwt.encode({name: value for name, value in content.items() if value is not None}, key, "HS256")


@pytest.fixture
def send(client: aiohttp.ClientSession) -> Send:
    async def send_(target: str, signature: str | None, method: str = "GET") -> int:
        headers = {"MessageBird-Signature-JWT": signature} if signature is not None else {}
        async with client.request(method, URL(target, encoded=True), headers=headers) as response:
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
            return response.status

    return send_


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_a_signed_report_is_written(send: Send, kafka: Kept, report: str, path: str) -> None:
    target = f"{path}?{report}"
    assert await send(target, sign(target)) == 200
    (event,) = kafka.events
    assert (event.topic, event.key) == ("delivery-reports", "linde/anna")
    assert orjson.loads(event.value)["status"] == "delivered"


async def test_a_signature_counts_once(send: Send, kafka: Kept, report: str) -> None:
    target = f"{PATH}?{report}"
    signature = sign(target)
    assert [await send(target, signature) for _ in range(3)] == [200, 401, 401]
    assert len(kafka.events) == 1


async def test_what_kafka_did_not_take_may_come_again(send: Send, kafka: Kept, report: str) -> None:
    target = f"{PATH}?{report}"
    signature = sign(target)
    kafka.away = True
    assert await send(target, signature) == 503
    kafka.away = False
    assert [await send(target, signature) for _ in range(2)] == [200, 401]
    assert len(kafka.events) == 1


BAD: dict[str, Callable[[str], str | None]] = {
    "none": lambda target: None,
    "empty": lambda target: "",
    "not a token": lambda target: "a.b.c",
    "another key": lambda target: sign(target, "another-key-of-another-account-00"),
    "another url": lambda target: sign(f"{target}&status=failed"),
    "over": lambda target: sign(target, exp=datetime.now(UTC) - timedelta(minutes=5)),
    "another issuer": lambda target: sign(target, iss="Somebody"),
    "no url": lambda target: sign(target, url_hash=None),
    "no id": lambda target: sign(target, jti=None),
    "no algorithm": lambda target: jwt.encode({"iss": "MessageBird", "jti": "x"}, "", "none"),
    "cut": lambda target: sign(target)[:-4],
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
async def test_a_bad_signature_is_refused(send: Send, kafka: Kept, report: str, make: Callable[[str], str | None]) -> None:
    target = f"{PATH}?{report}"
    assert await send(target, make(target)) == 401
    assert kafka.events == []


@pytest.mark.parametrize("query", ["reference=forged&status=delivered", "status=delivered", "%ff=%00"])
async def test_a_signed_report_on_something_else_is_taken_and_dropped(send: Send, kafka: Kept, query: str) -> None:
    target = f"{PATH}?{query}"
    assert await send(target, sign(target)) == 200
    assert kafka.events == []


async def test_a_report_with_too_many_fields_is_refused(send: Send, kafka: Kept) -> None:
    target = f"{PATH}?{'&'.join(['a=b'] * 200)}"
    assert await send(target, sign(target)) == 400


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
async def test_only_get_counts(send: Send, kafka: Kept, report: str, method: str) -> None:
    target = f"{PATH}?{report}"
    assert await send(target, sign(target), method) == 405
    assert kafka.events == []


async def test_an_event_of_the_new_api_is_written_and_counts_once(client: aiohttp.ClientSession, kafka: Kept) -> None:
    body = bird_event()
    headers = bird.sign(body, SECRET, datetime.now(UTC))
    kafka.away = True
    assert await post(client, body, headers) == 503
    kafka.away = False
    assert [await post(client, body, headers) for _ in range(3)] == [200, 401, 401]
    assert await post(client, body, bird.sign(body, SECRET, datetime.now(UTC)), "/webhooks/bird/") == 200
    assert {(event.topic, event.key) for event in kafka.events} == {("delivery-reports", "linde/anna")}
    assert [orjson.loads(event.value)["status"] for event in kafka.events] == ["delivered", "delivered"]


@pytest.mark.parametrize("headers", [{}, bird.sign(b"{}", SECRET, datetime.now(UTC)), {"webhook-signature": "v1,"}])
async def test_an_event_that_is_not_signed_is_refused(
    client: aiohttp.ClientSession, kafka: Kept, headers: dict[str, str]
) -> None:
    assert await post(client, bird_event(), headers) == 401
    assert kafka.events == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"type":"sms.delivered","data":{"metadata":{"reference":"x"}}}'])
async def test_a_signed_event_on_something_else_is_taken_and_dropped(
    client: aiohttp.ClientSession, kafka: Kept, body: bytes
) -> None:
    assert await post(client, body, bird.sign(body, SECRET, datetime.now(UTC))) == 200
    assert kafka.events == []


async def test_an_event_that_is_too_large_is_refused(client: aiohttp.ClientSession, kafka: Kept) -> None:
    body = b" " * 2_000_000
    assert await post(client, body, bird.sign(body, SECRET, datetime.now(UTC))) == 413


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_an_event_is_posted(client: aiohttp.ClientSession, method: str) -> None:
    async with client.request(method, "/webhooks/bird") as response:
        assert response.status == 405


def bird_event() -> bytes:
    tokens = reference_tokens(Settings(unsubscribe_keys=(KEY,)))
    answer = {"id": "sms_0", "to": "+31612345678", "from": "Zorg", "segments": {"count": 1}}
    said = {"metadata": {"reference": tokens.seal("linde", "anna", "m1", "0", "0")}}
    return orjson.dumps(bird.event("sms.delivered", said, answer, "", datetime.now(UTC)))


async def post(client: aiohttp.ClientSession, body: bytes, headers: dict[str, str], path: str = "/webhooks/bird") -> int:
    async with client.post(path, data=body, headers=headers) as response:
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
        return response.status
