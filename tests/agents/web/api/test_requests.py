"""The API for third parties: what it takes, what it refuses and how it says so, and that its document tells the truth."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from agents.main import main
from agents.projection.projection import Projection, TopicEntry
from agents.projection.requests import message_of
from agents.projection.tables import open_database
from agents.settings.settings import Settings, SettingsError
from agents.web.api import keys as parties
from agents.web.api.openapi import document
from agents.web.api.rate_limit import TokenBuckets
from agents.web.api.requests import read_request, refused
from agents.web.app import create_web
from agents.web.http.server import Server
from schemas.inputs import Request
from schemas.topics import DELIVERY_LOG, REQUESTS
from schemas.wire import encode
from streams.intake.intake import intake
from streams.processing.caps import MOST_REQUESTS
from streams.processing.record_checks import FIRST_YEAR, LAST_YEAR
from streams.processing.turn import Record, Turn
from tests.agents.web.conftest import KEY, Kept
from tests.agents.web.samples import NOW, entries, record

ROQUA, OTHER = "afb_of-roqua-at-linde", "afb_of-roqua-at-plein"
ASKED = {"client": "anna", "request": "r1", "text": "Wilt u de lijst invullen? https://lijst.example/1"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.toml"
    keys.write_text(parties.entry("roqua", "linde", ROQUA) + parties.entry("roqua", "plein", OTHER))
    return Settings(unsubscribe_keys=(KEY,), web_port=0, web_slow_seconds=5.0, data=tmp_path, api_keys=keys, api_per_minute=20)


@pytest.fixture
async def api(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {ROQUA}"}) as session:
        yield session


async def answer(response: aiohttp.ClientResponse) -> tuple[int, dict[str, Any]]:
    """Status and body; whatever is answered must be as the document says."""
    spec = document()
    path = "/v1/requests/{id}" if response.url.path != "/v1/requests" else "/v1/requests"
    documented = spec["paths"][path][response.method.lower()]["responses"][str(response.status)]
    body = orjson.loads(await response.read())
    schema = documented["content"][response.content_type]["schema"]
    Draft202012Validator({**schema, "components": spec["components"]}).validate(body)
    for name in documented.get("headers", {}):
        assert name in response.headers
    return response.status, body


async def post(api: aiohttp.ClientSession, **changes: Any) -> tuple[int, dict[str, Any]]:
    async with api.post("/v1/requests", json=ASKED | changes) as response:
        return await answer(response)


async def test_a_request_is_written_as_intake_wants_it(api: aiohttp.ClientSession, kafka: Kept) -> None:
    status, state = await post(api, send_at="2026-03-02T10:00:00+01:00")
    assert status == 202
    (event,) = kafka.events
    assert (event.topic, event.key) == ("requests", "linde/anna")
    assert (event.value["organisation"], event.value["party"]) == ("linde", "roqua")
    record = Record(event.topic, 0, 0, event.key.encode() if event.key else None, orjson.dumps(event.value))
    decision = intake(1)(0, {}, {}).decide(Turn(now=datetime(2026, 3, 1, tzinfo=UTC), records=[record]))
    assert [output.topic for output in decision.outputs] == ["client-events"]
    assert state["message"] == message_of(read_request(orjson.dumps(ASKED), parties.Party("roqua", "linde", "")))


async def test_the_answer_says_where_to_look(api: aiohttp.ClientSession) -> None:
    async with api.post("/v1/requests", json=ASKED | {"request": "lijst één?"}) as response:
        assert response.headers["Location"] == "/v1/requests/lijst%20%C3%A9%C3%A9n%3F"


async def test_the_same_again_is_the_same_message(api: aiohttp.ClientSession, kafka: Kept) -> None:
    answers = [await post(api) for _ in range(2)]
    assert answers[0] == answers[1]
    assert kafka.events[0] == kafka.events[1]


@pytest.mark.parametrize("changes", [{"text": "Iets anders"}, {"client": "bram"}, {"send_at": "2026-03-02T10:00:00Z"}])
async def test_an_id_means_one_thing(api: aiohttp.ClientSession, kafka: Kept, changes: dict[str, Any]) -> None:
    await post(api)
    status, problem = await post(api, **changes)
    assert (status, problem["errors"][0]["pointer"]) == (409, "/request")
    assert len(kafka.events) == 1


async def test_of_two_at_once_one_is_refused(api: aiohttp.ClientSession, kafka: Kept) -> None:
    answers = await asyncio.gather(*(post(api, text=f"tekst {number}") for number in range(5)))
    assert sorted(status for status, _ in answers) == [202, 409, 409, 409, 409]
    assert len(kafka.events) == 1


async def test_an_id_is_remembered_in_the_projection(api: aiohttp.ClientSession, kafka: Kept, settings: Settings) -> None:
    value = orjson.dumps({**ASKED, "organisation": "linde", "party": "roqua", "text": "Het eerste"})
    Projection(open_database(None, settings.data)).take(REQUESTS.name, 0, 0, [TopicEntry(0, value, datetime.now(UTC))])
    assert (await post(api))[0] == 409


WRONG: dict[str, tuple[Any, int, str | None]] = {
    "no client": ({"client": ...}, 422, "/client"),
    "a number": ({"text": 1}, 422, "/text"),
    "empty": ({"text": ""}, 422, "/text"),
    "too long": ({"text": "x" * 613}, 422, "/text"),
    "a slash in an id": ({"client": "a/b"}, 422, "/client"),
    "a line break in an id": ({"request": "a\nb"}, 422, "/request"),
    "header injection": ({"subject": "Vraag\r\nBcc: x@example.org"}, 422, "/subject"),
    "a link that is not https": ({"text": "http://lijst.example"}, 422, "/text"),
    "text that is shown in another order": ({"text": "Vul in \u202egnp.exe"}, 422, "/text"),
    "a subject that is shown in another order": ({"subject": "Vraag\u2066"}, 422, "/subject"),
    "no offset": ({"send_at": "2026-03-02T10:00:00"}, 422, "/send_at"),
    "a year too far": ({"send_at": "9999-03-02T10:00:00Z"}, 422, "/send_at"),
    "over before it begins": ({"send_at": "2026-03-02T10:00:00Z", "expires_at": "2026-03-01T10:00:00Z"}, 422, "/expires_at"),
    "an unknown field": ({"sendat": None}, 422, "/sendat"),
    "another organisation": ({"organisation": "plein"}, 403, "/organisation"),
    "another party": ({"party": "x"}, 403, "/party"),
    "a list for an organisation": ({"organisation": ["linde"]}, 403, "/organisation"),
}


@pytest.mark.parametrize(("changes", "status", "pointer"), WRONG.values(), ids=WRONG)
async def test_a_refusal_names_the_field(
    api: aiohttp.ClientSession, kafka: Kept, changes: dict[str, Any], status: int, pointer: str
) -> None:
    body = {name: value for name, value in (ASKED | changes).items() if value is not ...}
    async with api.post("/v1/requests", json=body) as response:
        found, problem = await answer(response)
    assert (found, problem["errors"][0]["pointer"]) == (status, pointer)
    assert kafka.events == []


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[" * 5000, 400),
        ("application/json", b'{"client": "\\ud800"}', 400),
        ("application/json", b"[]", 422),
        ("application/json", b"null", 422),
        ("application/json; charset=utf-16", b"{}", 415),
        ("application/x-www-form-urlencoded", b"client=anna", 415),
        ("text/json", b"{}", 415),
        ("application/json", b" " * 70_000, 413),
    ],
)
async def test_what_is_not_json_is_refused(api: aiohttp.ClientSession, kafka: Kept, kind: str, body: bytes, status: int) -> None:
    async with api.post("/v1/requests", data=body, headers={"Content-Type": kind}) as response:
        assert (await answer(response))[0] == status
    assert kafka.events == []


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Basic {ROQUA}", "Bearer afb_forged", f"Bearer {ROQUA[:-1]}", "Bearer é"]
)
async def test_without_a_good_key_nothing_goes(server: Server, kafka: Kept, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        async with session.post("/v1/requests", json=ASKED) as response:
            assert (await answer(response))[0] == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
        async with session.get("/v1/requests/r1") as response:
            assert (await answer(response))[0] == 401
    assert kafka.events == []


async def test_a_slow_body_is_not_waited_for(server: Server, kafka: Kept) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        f"POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ROQUA}\r\nContent-Length: 99\r\n\r\n{{".encode()
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_while_kafka_is_away_nothing_is_taken(api: aiohttp.ClientSession, kafka: Kept) -> None:
    kafka.away = True
    assert (await post(api))[0] == 503
    kafka.away = False
    assert (await post(api))[0] == 202


async def test_who_asks_too_much_waits(api: aiohttp.ClientSession, server: Server) -> None:
    for _ in range(20):
        assert (await post(api))[0] == 202
    async with api.post("/v1/requests", json=ASKED) as response:
        assert (await answer(response))[0] == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 3
    async with api.post("/v1/requests", json=ASKED, headers={"Authorization": f"Bearer {OTHER}"}) as response:
        assert response.status == 202


async def test_a_request_too_many_for_a_client_is_refused_with_the_number_until_one_went(
    api: aiohttp.ClientSession, kafka: Kept, settings: Settings
) -> None:
    """Else one key could have one client's row grow until no worker can write it."""
    projection, later = Projection(open_database(None, settings.data)), "2030-01-01T10:00:00Z"
    asked = [Request(organisation="linde", client="anna", request=f"w{n}", party="roqua", text="x") for n in range(MOST_REQUESTS)]
    projection.take(REQUESTS.name, 0, 0, [TopicEntry(n, encode(one), NOW) for n, one in enumerate(asked)])

    status, problem = await post(api, request="one-more", send_at=later)
    assert (status, problem["errors"]) == (
        429, [{"pointer": "/client", "detail": "100 requests wait for this client: no more may"}],
    )  # fmt: skip
    assert kafka.events == []
    assert (await post(api, request="at-once"))[0] == 202
    assert (await post(api, request="another-client", client="bram", send_at=later))[0] == 202

    became = record(message_of(asked[0]), reason="request", notices=[{"id": "n", "kind": "request", "appointment": None}])
    projection.take(DELIVERY_LOG.name, 0, 0, entries([became]))
    assert (await post(api, request="one-more", send_at=later))[0] == 202


async def test_a_request_that_waits_may_be_sent_again_where_as_many_wait_as_may(
    api: aiohttp.ClientSession, settings: Settings
) -> None:
    projection, later = Projection(open_database(None, settings.data)), "2030-01-01T10:00:00Z"
    party = parties.Party("roqua", "linde", "")
    bodies = [ASKED | {"request": f"w{n}", "send_at": later} for n in range(MOST_REQUESTS)]
    asked = [read_request(orjson.dumps(body), party) for body in bodies]
    projection.take(REQUESTS.name, 0, 0, [TopicEntry(n, encode(one), NOW) for n, one in enumerate(asked)])

    assert (await post(api, request="w7", send_at=later))[0] == 202
    assert (await post(api, request="new", send_at=later))[0] == 429


async def test_a_party_sees_what_became_of_its_own_request(api: aiohttp.ClientSession, kafka: Kept, settings: Settings) -> None:
    projection = Projection(open_database(None, settings.data))
    async with api.get("/v1/requests/r1") as response:
        assert (await answer(response))[0] == 404
    _, accepted = await post(api)
    projection.take(REQUESTS.name, 0, 0, [TopicEntry(0, orjson.dumps(kafka.events[0].value), datetime.now(UTC))])
    async with api.get("/v1/requests/r1") as response:
        assert await answer(response) == (200, accepted)
    record = {
        "message": accepted["message"], "organisation": "linde", "client": "anna", "channel": "sms", "reason": "request",
        "status": "suppressed", "detail": "client_off", "at": "2026-03-02T10:00:00Z", "attempt": 0,
        "notices": [{"id": "n", "kind": "request", "appointment": None}],
    }  # fmt: skip
    projection.take(DELIVERY_LOG.name, 0, 0, [TopicEntry(0, orjson.dumps(record), datetime.now(UTC))])
    async with api.get("/v1/requests/r1") as response:
        _, state = await answer(response)
        assert (state["state"], state["detail"]) == ("suppressed", "client_off")
    async with api.get("/v1/requests/r1", headers={"Authorization": f"Bearer {OTHER}"}) as response:
        assert (await answer(response))[0] == 404


@pytest.mark.parametrize("id_", ["..%2f..%2fetc", "%00", "x" * 3000, "%ff", "'%20OR%201=1--"])
async def test_an_odd_id_is_not_found(server: Server, id_: str) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        f"GET /v1/requests/{id_} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ROQUA}\r\nConnection: close\r\n\r\n".encode()
    )
    assert (await reader.read())[:12] in (b"HTTP/1.1 404", b"HTTP/1.1 400")
    writer.close()


async def test_the_document_is_served_and_names_every_route(api: aiohttp.ClientSession, settings: Settings, kafka: Kept) -> None:
    async with api.get("/openapi.json") as response:
        served = await response.json()
    validate(served)
    assert served == document()
    app = create_web(settings, kafka)
    ours = {
        (route.resource.canonical, route.method.lower())
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith(("/v1/", "/fhir/")) and route.method != "HEAD"
    }
    documented = {(path, method) for path, methods in served["paths"].items() for method in methods if method != "parameters"}
    assert ours == documented


def test_a_request_that_the_document_allows_is_one_that_is_taken() -> None:
    schema = document()["components"]["schemas"]["Request"]
    Draft202012Validator(schema).validate(ASKED)
    assert set(schema["properties"]) | {"organisation", "party"} == set(Request.__struct_fields__)


async def test_a_key_that_is_taken_out_of_the_file_is_refused_at_once(api: aiohttp.ClientSession, settings: Settings) -> None:
    assert (await post(api))[0] == 202
    assert settings.api_keys is not None
    settings.api_keys.write_text("# none")
    assert (await post(api))[0] == 401


def test_a_file_that_went_bad_leaves_the_last_good_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(parties.entry("roqua", "linde", ROQUA))
    known = parties.ApiKeys(file)
    file.write_text("[[key]]\nparty = 1")
    assert known.find(ROQUA) == known.find(ROQUA)
    assert known.find(ROQUA) is not None


def test_a_service_does_not_start_on_a_bad_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text("[[key]]\nparty = 1")
    with pytest.raises(SettingsError, match="AFSPRAAKBERICHT_API_KEYS"):
        create_web(Settings(api_keys=file, data=tmp_path), Kept())


def test_the_command_makes_a_key_that_the_file_knows_by_its_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys.toml"
    keys = []
    for organisation in ('lin"de', "plein"):
        assert main(["api-key", "roqua", organisation, "--file", str(file)]) == 0
        keys.append(capsys.readouterr().out.strip())
    known = parties.ApiKeys(file)
    assert [known.find(key)[:2] for key in keys] == [("roqua", 'lin"de'), ("roqua", "plein")]  # type: ignore[index]
    assert not any(key in file.read_text() for key in keys)
    assert main(["api-key", "a/b", "plein"]) == 2
    assert main(["api-key", "a", "plein", "--file", str(tmp_path / "no" / "file")]) == 2


def test_limits_fill_up_again() -> None:
    limits = TokenBuckets(60)
    assert [limits.take("a", 0.0) for _ in range(61)] == [0.0] * 60 + [1.0]
    assert limits.take("b", 0.0) == 0.0
    assert [limits.take("a", 1.0), limits.take("a", 1.0)] == [0.0, 1.0]


def test_a_refusal_of_intake_becomes_a_pointer() -> None:
    assert refused("Expected `str`, got `int` - at `$.text`").field == "/text"
    assert refused("Object missing required field `client`").field == "/client"
    assert refused("something").field == ""


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202), ("application/json;charset=UTF-8", 202), ('Application/JSON; charset="utf-8"', 202),
        ("application/json; charset=latin1", 415), ("text/json", 415), ("", 415),
    ],
)  # fmt: skip
async def test_json_is_taken_however_its_type_is_written(api: aiohttp.ClientSession, kind: str, status: int) -> None:
    async with api.post("/v1/requests", data=orjson.dumps(ASKED), headers={"Content-Type": kind}) as response:
        assert response.status == status


async def test_a_key_of_any_bytes_is_a_wrong_key(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /v1/requests/r1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()


async def test_an_expectation_of_any_bytes_is_refused_calmly(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    for path in (b"/v1/requests", b"/nowhere"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nExpect: \xff\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 417")
        writer.close()


def test_the_document_names_the_years_that_are_taken() -> None:
    fields = document()["components"]["schemas"]["Request"]["properties"]
    pattern = next(one["pattern"] for one in fields["send_at"]["anyOf"] if "pattern" in one)
    taken = [year for year in (1969, FIRST_YEAR, 2026, LAST_YEAR, 2200) if re.search(pattern, f"{year}-01-01T00:00:00Z")]
    assert taken == [FIRST_YEAR, 2026, LAST_YEAR]
