"""FHIR over HTTP: what is taken and what is refused, and that Kafka has it before anybody is told so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from jsonschema import Draft202012Validator

from agents.main import main
from agents.settings.settings import Settings
from agents.web.api import keys as parties
from agents.web.api.openapi import document
from agents.web.http.middleware import LARGEST_BODY, LARGEST_FHIR
from agents.web.http.server import Server
from tests.agents.web.conftest import KEY, Kept
from tests.streams.translate.test_fhir import APPOINTMENT, bundle

OURS, ASKING, STRANGER = "afb_of-zorgs-ecd", "afb_of-roqua-at-zorg", "afb_of-another"
TAKEN = [{"severity": "information", "code": "informational", "diagnostics": "it is taken, and will be decided on"}]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.toml"
    lines = [("ecd", "zorg", OURS, "fhir"), ("roqua", "zorg", ASKING, "requests"), ("ecd", "plein", STRANGER, "fhir")]
    keys.write_text("".join(parties.entry(party, organisation, key, may) for party, organisation, key, may in lines))  # type: ignore[arg-type]
    producers = tmp_path / "producers.json"
    producers.write_bytes(b'[{"organisation": "zorg"}]')
    return Settings(
        unsubscribe_keys=(KEY,), web_port=0, web_slow_seconds=5.0, data=tmp_path, api_keys=keys, api_per_minute=1000,
        producers=producers,
    )  # fmt: skip


@pytest.fixture
async def api(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {OURS}"}) as session:
        yield session


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document()["components"]})


async def ask(
    api: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Any = APPOINTMENT,
    *,
    kind: str = "application/fhir+json",
    **headers: str,
) -> tuple[int, list[dict[str, Any]]]:
    """Status and issues; any answer is an OperationOutcome as the document says, without a value of what was sent."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    async with api.request(method, path, data=data, headers={"Content-Type": kind, **headers}) as response:
        text = await response.read()
        assert response.content_type == "application/fhir+json"
        assert b"geheim" not in text
        found = orjson.loads(text)
        assert found["resourceType"] == "OperationOutcome"
        if response.status != 405:
            documented = document()["paths"]["/fhir/{organisation}"]["post"]["responses"][str(response.status)]
            assert set(documented.get("headers", ())) <= set(response.headers)
            validator("OperationOutcome").validate(found)
        return response.status, found["issue"]


async def test_a_resource_at_its_address_is_written_as_it_came(api: aiohttp.ClientSession, kafka: Kept) -> None:
    body = orjson.dumps(APPOINTMENT, option=orjson.OPT_INDENT_2)
    assert await ask(api, "PUT", "/fhir/zorg/Appointment/a-77", body) == (200, TAKEN)
    assert [tuple(event) for event in kafka.events] == [("fhir", "zorg/Appointment/a-77", body)]


async def test_a_bundle_is_taken_with_warnings_of_what_cannot_be_used(api: aiohttp.ClientSession, kafka: Kept) -> None:
    plain = bundle({"resource": APPOINTMENT}, {"resource": APPOINTMENT | {"status": "geheim"}}) | {
        "type": "subscription-notification"
    }
    status, issues = await ask(api, "POST", "/fhir/zorg", plain)
    assert (status, issues) == (200, [
        {"severity": "warning", "code": "invalid", "diagnostics": "Invalid enum value",
         "expression": ["Bundle.entry[1].resource.status"]},
    ])  # fmt: skip
    assert [(event.topic, event.key) for event in kafka.events] == [("fhir", "zorg/Bundle")]


async def test_a_resource_with_an_id_may_be_posted(api: aiohttp.ClientSession, kafka: Kept) -> None:
    assert (await ask(api, "POST", "/fhir/zorg/Appointment"))[0] == 200
    assert [event.key for event in kafka.events] == ["zorg/Appointment/a-77"]


NO_ID = {name: value for name, value in APPOINTMENT.items() if name != "id"}
LONG = APPOINTMENT | {"description": "x" * LARGEST_FHIR}
PUT = ("PUT", "/fhir/zorg/Appointment/a-77")
REFUSED: list[tuple[str, tuple[str, str], Any, int, str | None]] = [
    ("a status that is none", PUT, APPOINTMENT | {"status": "geheim"}, 422, "Appointment.status"),
    ("no lastUpdated", PUT, APPOINTMENT | {"meta": {}}, 422, "Appointment.meta.lastUpdated"),
    ("another id than the address", ("PUT", "/fhir/zorg/Appointment/b"), APPOINTMENT, 422, "Appointment.id"),
    ("no id", ("POST", "/fhir/zorg/Appointment"), NO_ID, 422, "Appointment.id"),
    ("another type than the address", ("PUT", "/fhir/zorg/Patient/a-77"), APPOINTMENT, 422, "resourceType"),
    ("an appointment where Bundles go", ("POST", "/fhir/zorg"), APPOINTMENT, 422, "resourceType"),
    ("a type that is not taken", ("PUT", "/fhir/zorg/Observation/a"), APPOINTMENT, 404, None),
    ("nothing asked", ("GET", "/fhir/zorg/Appointment/a-77"), b"", 405, None),
    ("not JSON", PUT, b"{", 400, "$"),
    ("XML", PUT, b"<Appointment/>", 400, "$"),
    ("too deep", PUT, b'{"resourceType":"Appointment","x":' + b"[" * 40 + b"]" * 40 + b"}", 400, "$"),
    ("too large", PUT, LONG, 413, None),
    ("a bundle of nothing but faults", ("POST", "/fhir/zorg"), bundle({"resource": NO_ID}), 422, "Bundle.entry[0].resource.id"),
    ("a thousand and one entries", ("POST", "/fhir/zorg"), bundle(*[{}] * 1001), 422, "Bundle.entry"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "body", "status", "place"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_cannot_be_used_is_refused_with_its_place(
    api: aiohttp.ClientSession, kafka: Kept, call: tuple[str, str], body: Any, status: int, place: str | None
) -> None:
    found, issues = await ask(api, *call, body)
    assert (found, issues[0]["severity"], issues[0].get("expression")) == (status, "error", [place] if place else None)
    assert kafka.events == []


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        pytest.param("", "/fhir/zorg/Appointment/a-77", 401, id="no key"),
        pytest.param("afb_nobody", "/fhir/zorg/Appointment/a-77", 401, id="one that is not known"),
        pytest.param(ASKING, "/fhir/zorg/Appointment/a-77", 401, id="a third party's: it may ask for messages and nothing else"),
        pytest.param(STRANGER, "/fhir/zorg/Appointment/a-77", 403, id="another organisation's"),
        pytest.param(STRANGER, "/fhir/plein/Appointment/a-77", 403, id="of an organisation with which nothing is agreed"),
    ],
)
async def test_whose_it_is(api: aiohttp.ClientSession, kafka: Kept, key: str, path: str, status: int) -> None:
    assert (await ask(api, "PUT", path, Authorization=f"Bearer {key}"))[0] == status
    assert kafka.events == []


async def test_a_key_of_an_organisation_asks_for_no_messages(api: aiohttp.ClientSession, kafka: Kept) -> None:
    asked = {"client": "anna", "request": "r", "text": "Hallo."}
    async with api.post("/v1/requests", json=asked) as response:
        assert response.status == 401
    assert kafka.events == []


async def test_nothing_is_said_to_be_taken_that_kafka_does_not_have(api: aiohttp.ClientSession, kafka: Kept) -> None:
    kafka.away = True
    status, issues = await ask(api, "PUT", "/fhir/zorg/Appointment/a-77")
    assert (status, issues[0]["code"]) == (503, "transient")


async def test_another_body_than_fhirs_is_refused(api: aiohttp.ClientSession) -> None:
    assert (await ask(api, "PUT", "/fhir/zorg/Appointment/a-77", kind="application/fhir+xml"))[0] == 415
    assert (await ask(api, "PUT", "/fhir/zorg/Appointment/a-77", kind="application/json; charset=utf-8"))[0] == 200


async def test_fhir_alone_may_be_as_large(api: aiohttp.ClientSession) -> None:
    large = APPOINTMENT | {"description": "x" * 2 * LARGEST_BODY}
    assert (await ask(api, "PUT", "/fhir/zorg/Appointment/a-77", large))[0] == 200
    async with api.post("/v1/requests", data=b"x" * 2 * LARGEST_BODY) as response:
        assert response.status == 413


async def test_a_key_is_made_for_one_thing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api-key", "ecd", "zorg", "--fhir"]) == 0
    said = capsys.readouterr()
    (party,) = parties.read(said.err.split(":\n\n")[1]).values()
    assert (party.party, party.organisation, party.may) == ("ecd", "zorg", "fhir")
    assert main(["api-key", "roqua", "zorg"]) == 0
    (party,) = parties.read(capsys.readouterr().err.split(":\n\n")[1]).values()
    assert party.may == "requests"


@pytest.mark.parametrize(("body", "name", "right"), [
    (APPOINTMENT, "AppointmentResource", True),
    (APPOINTMENT | {"meta": {}}, "AppointmentResource", False),
    (APPOINTMENT | {"meta": {"lastUpdated": 5}}, "AppointmentResource", False),
    (APPOINTMENT | {"status": "geheim"}, "AppointmentResource", False),
    (APPOINTMENT | {"resourceType": "Patient"}, "AppointmentResource", False),
    (NO_ID, "AppointmentResource", False),
    (APPOINTMENT | {"id": None}, "AppointmentResource", False),
    (bundle({"resource": APPOINTMENT}), "Bundle", True),
    (bundle(*[{}] * 1001), "Bundle", False),
])  # fmt: skip
def test_the_document_says_which_resources_are_taken(body: dict[str, Any], name: str, right: bool) -> None:
    assert validator(f"Fhir{name}").is_valid(body) is right
