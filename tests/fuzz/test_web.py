"""Hostile requests to the web service, by its OpenAPI document and as raw bytes: it answers, and keeps what it must keep.

`FUZZ_REQUESTS` says how many raw requests there are (1,500 without it); `make fuzz` sends 50,000.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import aiohttp
import hypothesis
import pytest
from hypothesis import strategies as st

from agents.settings.settings import Settings
from agents.web.api import keys as parties
from agents.web.api.openapi import document
from agents.web.app import create_web
from agents.web.http.server import Server
from tests.agents.web.conftest import Kept

from .requests import Sent, request

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1500"))
AT_ONCE = 20
SECRET = "a-secret-of-at-least-32-characters"
KEY, FHIR_KEY = "afb_of-roqua-at-linde", "afb_of-lindes-ecd"
OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods if method != "parameters"]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A web service in a loop and thread of its own, as its clients see it."""
    keys = tmp_path / "keys.toml"
    keys.write_text(parties.entry("roqua", "linde", KEY) + parties.entry("ecd", "linde", FHIR_KEY, "fhir"))
    producers = tmp_path / "producers.json"
    producers.write_bytes(b'[{"organisation": "linde", "contacts": true}]')
    settings = Settings(
        unsubscribe_keys=(SECRET,), session_keys=(SECRET,), web_port=0, web_slow_seconds=2.0, data=tmp_path, api_keys=keys,
        api_per_minute=100_000, producers=producers,
    )  # fmt: skip
    found: list[str] = []
    started, ended = Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with Server(create_web(settings, Kept()), "127.0.0.1", 0, settings.web_slow_seconds) as server:
            found.append(str(server.url).rstrip("/"))
            started.set()
            await ended.wait()

    thread = Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(30)
    loop.close()


def paths() -> list[str]:
    """Every path that the service has, with `{name}` where a part of it is chosen."""
    app = create_web(Settings(unsubscribe_keys=(SECRET,), data=Path("/nonexistent")), Kept())
    return sorted({re.sub(r"\{(\w+)[^}]*\}", r"{\1}", resource.canonical) for resource in app.router.resources()})


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_the_api_answers_as_its_document_says_whatever_it_is_asked(url: str, mode: str) -> None:
    import schemathesis  # takes seconds: not in each process that only collects the tests
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    found = schemathesis.openapi.from_dict(document())
    cases = st.one_of([found[path][method].as_strategy(generation_mode=GenerationMode(mode)) for path, method in OPERATIONS])

    @hypothesis.settings(max_examples=max(100, REQUESTS // 20), deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(cases)
    def every(case: schemathesis.Case[Any]) -> None:
        if case.path.startswith("/fhir/"):
            case.path_parameters["organisation"] = "linde"
            case.call_and_validate(
                base_url=url, headers={"Authorization": f"Bearer {FHIR_KEY}"},
                excluded_checks=[positive_data_acceptance, negative_data_rejection],
            )  # fmt: skip  # what is not read of FHIR may be anything
        else:
            case.call_and_validate(
                base_url=url, headers={"Authorization": f"Bearer {KEY}"}, excluded_checks=[positive_data_acceptance]
            )  # a schema cannot say that a link is https, or one field is after another

    every()


async def test_no_request_of_raw_bytes_breaks_it_or_gets_into_its_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    rng, known = random.Random(11), paths()
    sent = [request(rng, known) for _ in range(REQUESTS)]
    answers: Counter[str] = Counter()
    left = iter(sent)

    async def send() -> None:
        for one in left:
            status = await ask(url, one)
            answers[status] += 1
            assert status[:1] != "5" or status == "503", one.data[:2000]

    async with asyncio.TaskGroup() as senders:  # each goes on by itself: most of the time is waiting for what is slow by intent
        for _ in range(AT_ONCE):
            senders.create_task(send())
    async with aiohttp.ClientSession() as http, http.get(f"{url}/static/stijl.css") as response:
        assert response.status == 200
    marks = {mark.decode() for one in sent for mark in one.marks}
    assert not [mark for mark in marks if mark in caplog.text]
    assert {"200", "400", "401", "404"} <= answers.keys(), answers


async def ask(url: str, one: Sent) -> str:
    """Send a request as it is; return the status of the answer, `none` where the connection ended without one."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(one.data)
        await writer.drain()
        line = await asyncio.wait_for(reader.readline(), 30)
        await reader.read(1 << 16)
    except ConnectionError:
        line = b""
    finally:
        writer.close()
    words = line.split()
    return words[1].decode() if len(words) > 1 else "none"
