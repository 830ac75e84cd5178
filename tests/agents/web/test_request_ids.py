"""A request's id: of the proxy, never of a client, in the answer, the web's lines, and the headers of what it writes."""

from __future__ import annotations

import re

import aiohttp
import pytest
import structlog

from .conftest import Kept

GIVEN = "0123456789abcdef0123456789abcdef"
OFF = {"keuze": "afmelden"}
ID = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(("said", "kept"), [(GIVEN, True), ("anna@linde.example", False), (GIVEN + "0", False), (None, False)])
async def test_one_id_goes_from_the_request_to_the_answer_the_line_and_the_record(
    client: aiohttp.ClientSession, kafka: Kept, token: str, said: str | None, kept: bool
) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with client.post(f"/u/{token}", data=OFF, headers={} if said is None else {"X-Request-ID": said}) as answer:
            assert answer.status == 200
    told = answer.headers["X-Request-ID"]
    assert (told == said) is kept
    assert ID.fullmatch(told)
    assert kafka.headers == [[("request-id", told.encode())]]
    assert [line["request_id"] for line in lines if line["event"] == "request"] == [told]


async def test_requests_of_one_connection_have_ids_of_their_own(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    seen = []
    for _ in range(3):
        async with client.post(f"/u/{token}", data=OFF) as answer:
            seen.append(answer.headers["X-Request-ID"])
    assert len(set(seen)) == 3
    assert kafka.headers == [[("request-id", id_.encode())] for id_ in seen]


async def test_a_refusal_has_one_too(client: aiohttp.ClientSession) -> None:
    async with client.get("/nowhere", headers={"X-Request-ID": GIVEN}) as answer:
        assert (answer.status, answer.headers["X-Request-ID"]) == (404, GIVEN)
