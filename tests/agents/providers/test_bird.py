"""SMS through the new API's own SDK and real sockets, against a fake of it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agents.fakes.bird import FakeBird
from agents.providers import ProviderAnswer, SmsCall
from agents.settings.settings import Settings, SettingsError
from agents.worker.app import create_gateway

if TYPE_CHECKING:
    from agents.providers.bird import Bird

CALL = SmsCall(
    message="m1", reference="ref-0", originator="Zorg Oost", recipient="+31612345678", body="Uw afspraak: één.", unicode=False
)
KEY = "bk_eu1_secret"


def bird(*words: Any, **more: Any) -> Bird:
    """The API, whose SDK takes seconds to import: not in each process that only collects the tests."""
    from agents.providers.bird import Bird

    return Bird(*words, **more)


@dataclass
class Gateway:
    fake: FakeBird
    send: Bird


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with FakeBird(key=KEY) as fake:
        send = bird(fake.url, KEY, timeout=(5.0, 8.0), workers=4)
        yield Gateway(fake, send)
        await send.close()


async def test_a_good_message_is_sent_with_all_that_it_carries(gateway: Gateway) -> None:
    outcome = await gateway.send(CALL)

    (message,) = gateway.fake.received.messages
    assert outcome == ProviderAnswer(kind="sent", detail="bird: 202", provider_id=message["id"], parts=1)
    del message["id"]
    assert message == {
        "key": "m1-0", "to": "+31612345678", "from": "Zorg Oost", "text": "Uw afspraak: één.", "category": "service",
        "metadata": {"reference": "ref-0"}, "options": {"smart_encoding": False}, "parts": 1,
    }  # fmt: skip


async def test_nothing_is_told_of_where_we_run(gateway: Gateway) -> None:
    await gateway.send(CALL)
    (headers,) = gateway.fake.requests
    assert headers["bird-enrichment"] == "0"
    assert "bird-caller" not in headers


@pytest.mark.parametrize(
    ("originator", "sender"), [("+31201234567", "+31201234567"), ("31201234567", "+31201234567"), ("2468", "2468")]
)
async def test_a_number_as_sender_is_e164_and_a_short_code_is_not(gateway: Gateway, originator: str, sender: str) -> None:
    await gateway.send(msgspec.structs.replace(CALL, originator=originator))
    assert gateway.fake.received.messages[0]["from"] == sender


async def test_a_call_that_is_made_again_is_the_same_message(gateway: Gateway) -> None:
    gateway.fake.program(hang=True, times=1)
    hasty = bird(gateway.fake.url, KEY, timeout=(5.0, 0.3))
    first = await hasty(CALL)
    second = await gateway.send(CALL)
    await hasty.close()

    assert (first.kind, first.repeatable) == ("unknown", True)
    assert second.kind == "sent"
    assert len(gateway.fake.received.messages) == 1


async def test_pieces_are_messages_of_their_own(gateway: Gateway) -> None:
    await asyncio.gather(*(gateway.send(msgspec.structs.replace(CALL, piece=piece)) for piece in range(3)))
    assert sorted(message["key"] for message in gateway.fake.received.messages) == ["m1-0", "m1-1", "m1-2"]


async def test_a_key_that_was_used_for_something_else_leaves_it_unknown(gateway: Gateway) -> None:
    await gateway.send(CALL)
    outcome = await gateway.send(msgspec.structs.replace(CALL, body="Iets anders"))
    assert (outcome.kind, outcome.repeatable) == ("unknown", False)


def refused(status: int, **error: Any) -> dict[str, Any]:
    return {"status": status, "error": error}


PROGRAMS: list[tuple[dict[str, Any], ProviderAnswer]] = [
    (refused(401, type="auth_error"), ProviderAnswer(kind="stop", detail="bird: 401")),
    (
        refused(402, type="billing_error", name="InsufficientBalance"),
        ProviderAnswer(kind="stop", detail="bird: 402/InsufficientBalance"),
    ),
    (refused(403), ProviderAnswer(kind="stop", detail="bird: 403")),
    (refused(404), ProviderAnswer(kind="stop", detail="bird: 404")),
    ({"status": 404, "body": "<html>nothing here</html>"}, ProviderAnswer(kind="stop", detail="bird: 404")),
    ({"status": 302, "headers": {"Location": "/elsewhere"}}, ProviderAnswer(kind="stop", detail="bird: 302")),
    (refused(400), ProviderAnswer(kind="permanent_message", detail="bird: 400")),
    (refused(413), ProviderAnswer(kind="permanent_message", detail="bird: 413")),
    (refused(422, param="text"), ProviderAnswer(kind="permanent_message", detail="bird: 422")),
    (refused(422, name="SMSInvalidRecipient"), ProviderAnswer(kind="permanent_address", detail="bird: 422/SMSInvalidRecipient")),
    (
        refused(422, code="SMSSenderNotConfigured"),
        ProviderAnswer(kind="stop", whose="organisation", detail="bird: 422/SMSSenderNotConfigured"),
    ),
    (refused(422, param="from"), ProviderAnswer(kind="stop", whose="organisation", detail="bird: 422")),
    (refused(429, type="rate_limit_error"), ProviderAnswer(kind="retry", detail="bird: 429")),
    (
        {**refused(429, type="rate_limit_error"), "headers": {"Retry-After": "7"}},
        ProviderAnswer(kind="retry", detail="bird: 429", retry_after=7.0),
    ),
    (refused(408), ProviderAnswer(kind="retry", detail="bird: 408")),
    (refused(409), ProviderAnswer(kind="unknown", detail="bird: 409")),
    (refused(500), ProviderAnswer(kind="retry", detail="bird: 500")),
    (refused(503, name="not for the log, 0612345678"), ProviderAnswer(kind="retry", detail="bird: 503")),
    ({"status": 502, "body": "<html>oops</html>"}, ProviderAnswer(kind="retry", detail="bird: 502")),
    (refused(501), ProviderAnswer(kind="stop", detail="bird: 501")),
    ({"status": 200, "body": "<html>hello</html>"}, ProviderAnswer(kind="unknown", detail="bird: 200")),
    ({"status": 200, "body": "null"}, ProviderAnswer(kind="unknown", detail="bird: 200")),
]


@pytest.mark.parametrize(("program", "outcome"), PROGRAMS, ids=[json.dumps(program) for program, _ in PROGRAMS])
async def test_an_answer_becomes_an_outcome(gateway: Gateway, program: dict[str, Any], outcome: ProviderAnswer) -> None:
    gateway.fake.program(**program)

    assert await gateway.send(CALL) == outcome
    assert len(gateway.fake.requests) == 1, "the SDK does not try again by itself"


@pytest.mark.parametrize(
    ("failure", "kind", "whose"),
    [
        ("invalid_destination", "permanent_address", "account"),
        ("landline_unreachable", "permanent_address", "account"),
        ("recipient_opted_out", "permanent_address", "account"),
        ("content_rejected", "permanent_message", "account"),
        ("sender_unregistered", "stop", "organisation"),
        ("insufficient_balance", "stop", "account"),
        ("provider_unavailable", "retry", "account"),
        ("something_new", "permanent_message", "account"),
    ],
)
async def test_a_message_that_was_taken_only_to_be_refused(gateway: Gateway, failure: str, kind: str, whose: str) -> None:
    gateway.fake.program(last_error=failure)
    outcome = await gateway.send(CALL)
    assert (outcome.kind, outcome.whose, outcome.detail) == (kind, whose, f"bird: failed/{failure}")


async def test_without_a_connection_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    send = bird(f"http://127.0.0.1:{port}", KEY)
    assert (await send(CALL)).kind == "retry"
    await send.close()


@pytest.mark.parametrize("number", ["", "0612345678", "+31612345678,+31687654321", "jan@example.org"])
async def test_what_is_no_number_is_not_sent(gateway: Gateway, number: str) -> None:
    assert (await gateway.send(msgspec.structs.replace(CALL, recipient=number))).kind == "permanent_address"
    assert gateway.fake.requests == []


async def test_a_text_that_cannot_be_encoded_is_not_sent(gateway: Gateway) -> None:
    assert (await gateway.send(msgspec.structs.replace(CALL, body="half a \ud83d"))).kind == "permanent_message"


async def test_calls_run_side_by_side(gateway: Gateway) -> None:
    gateway.fake.program(delay_seconds=0.05)
    calls = [msgspec.structs.replace(CALL, message=f"m{number}") for number in range(8)]
    assert [outcome.kind for outcome in await asyncio.gather(*map(gateway.send, calls))] == ["sent"] * 8


def test_a_key_without_a_region_needs_an_address() -> None:
    with pytest.raises(ValueError, match="region"):
        bird(None, "key")


def test_the_settings_choose_the_provider() -> None:
    read = Settings.from_env({"AFSPRAAKBERICHT_SMS_PROVIDER": "bird", "AFSPRAAKBERICHT_BIRD_KEY": KEY})
    from agents.providers.bird import Bird

    assert isinstance(create_gateway(read.for_worker()), Bird)
    with pytest.raises(SettingsError, match="BIRD_KEY"):
        Settings.from_env({"AFSPRAAKBERICHT_SMS_PROVIDER": "bird", "AFSPRAAKBERICHT_MESSAGEBIRD_KEY": "x"}).for_worker()
