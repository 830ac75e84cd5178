"""The page of holds: what it shows and to whom, two presses, and what happened between page and press."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest

from agents.kafka.writer import Event
from agents.monitoring.web_metrics import WebMetrics
from agents.projection import organisations
from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.overview.holds import WORDED
from agents.web.sign_in import accounts
from agents.web.watching import Watching
from schemas.doubts import DoubtedRecord
from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.topics import DOUBTED, HELD, HOLDS, REQUESTS
from schemas.wire import encode, read
from tests.agents.web.conftest import Kept
from tests.agents.web.samples import NOW, doubted, held
from tests.agents.web.test_access import form, sign_in, token
from tests.world import organisation

PASSWORD = "een-lang-wachtwoord"
PAGE = "/tegenhouden"
LINDE = organisation(organisation="linde", name="De Linde")


class World:
    """The projection under the page, the browser, and what was written."""

    def __init__(self, projection: Projection, kafka: Kept, browser: aiohttp.ClientSession) -> None:
        self.projection, self.kafka, self.browser = projection, kafka, browser

    def put(self, hold: Hold | None) -> None:
        """A hold comes in from elsewhere: another web process, or the command."""
        value = encode(hold) if hold is not None else None
        self.kafka.events.append(Event("elsewhere", "linde", value))
        self.projection.note(organisations.row(HOLDS.name, 0, len(self.kafka.events) - 1, b"linde", value, NOW))

    def waits(self, *records: HeldRecord) -> None:
        at = self.projection.positions().get((HELD.name, 0), 0)
        entries = [TopicEntry(at + n, encode(one), NOW, str(one.whose).encode()) for n, one in enumerate(records)]
        self.projection.take(HELD.name, 0, at, entries)

    def doubts(self, organisation: str, partition: int, record: DoubtedRecord | None) -> None:
        at = self.projection.positions().get((DOUBTED.name, 0), 0)
        value = encode(record) if record is not None else None
        self.projection.take(DOUBTED.name, 0, at, [TopicEntry(at, value, NOW, f"{organisation}/{partition}".encode())])

    async def page(self) -> str:
        async with self.browser.get(PAGE) as response:
            assert response.status == 200
            return await response.text()

    async def press(self, page: str, label: str) -> tuple[int, str]:
        """Press a button of a page, with what its form carries."""
        (wanted,) = [one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f">{label}</button>" in one]
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', wanted))
        async with self.browser.post(PAGE, data=fields) as response:
            return response.status, await response.text()

    @property
    def written(self) -> list[Hold]:
        return [read(Hold, event.value) for event in self.kafka.events if event.topic == HOLDS.name]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    users = {"beheer": ("beheer",), "beide": ("inzage", "beheer")}
    file.write_text("\n".join(accounts.entry(user, "linde", PASSWORD, roles) for user, roles in users.items()))  # type: ignore[arg-type]
    return Settings(web_port=0, data=tmp_path, accounts=file, session_keys=("a-key-of-sessions-that-is-long-enough",))


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    async with Server(create_web(settings, kafka, clock=lambda: NOW), "127.0.0.1", 0, 5.0) as running:
        yield running


@pytest.fixture
async def world(settings: Settings, kafka: Kept, client: aiohttp.ClientSession) -> World:
    projection = Projection(open_database(None, settings.data))
    projection.note(organisations.row("organisations", 0, 0, b"linde", orjson.dumps(LINDE), NOW))
    await sign_in(client, "beide")
    return World(projection, kafka, client)


ON = Hold(organisation="linde", at=NOW - timedelta(hours=2), by="Jan")
TEXT = "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."


def figures(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


async def test_it_shows_what_waits_what_that_costs_and_to_whom_that_is_meant_for_how_it_would_read(world: World) -> None:
    assert "De berichten gaan gewoon weg" in await world.page()
    world.put(ON)
    world.waits(held("cl-003"), held("cl-004", near=1), held("cl-005", channel="email"))
    page = await world.page()
    assert "De berichten worden tegengehouden</b> sinds 20 mrt 2026 11:00, door Jan." in page
    assert figures(page) == {
        "Berichten die wachten": "3", "Cliënten": "3", "Hiervan over afspraken binnen 24 uur": "1", "Sms-delen": "2",
        "Kosten sms": "€\xa00,16",
    }  # fmt: skip
    assert page.count(TEXT) == 3
    assert "dan wordt het aantal vanzelf lager" in page
    last = world.kafka.looks[-1]
    assert (last.action, last.clients, last.outcome) == ("held", ("cl-003", "cl-004", "cl-005"), "shown")
    world.waits(held("cl-003", until=NOW - timedelta(minutes=1)))  # over, as its appointment began
    world.projection.take(HELD.name, 0, 4, [TopicEntry(4, None, NOW, b"linde/cl-004")])  # mended upstream
    assert figures(await world.page())["Berichten die wachten"] == "1"


async def test_one_who_acts_for_a_client_is_no_client_more(world: World) -> None:
    world.put(ON)
    world.waits(held("cl-003"), held("cl-003", recipient="p:moeder"), held("cl-003", recipient="p:vader"), held("cl-004"))
    page = await world.page()
    assert (figures(page)["Berichten die wachten"], figures(page)["Cliënten"], figures(page)["Sms-delen"]) == ("4", "2", "4")
    assert [" aan moeder</p>" in page, " aan vader</p>" in page, "van 2 cliënten" in page] == [True, True, False]
    assert page.count(TEXT.replace(" met u", "")) == 2
    assert world.kafka.looks[-1].clients == ("cl-003", "cl-004")
    async with world.browser.get(f"/clienten/{token('cl-003')}") as response:
        text = await response.text()
    assert "Er wacht 1 bericht aan deze cliënt, omdat" in text
    assert "Er wachten 2 berichten aan wie voor deze cliënt handelt, omdat" in text


async def test_who_may_not_see_clients_sees_numbers_alone(world: World, client: aiohttp.ClientSession) -> None:
    client.cookie_jar.clear()
    await sign_in(client, "beheer")
    world.put(ON)
    world.waits(held("cl-003"))
    page = await world.page()
    assert figures(page)["Cliënten"] == "1"
    assert ("cl-003" in page, TEXT in page) == (False, False)
    assert world.kafka.looks[-1].clients == ()


async def test_it_shows_snapshots_that_are_not_believed_until_they_are(world: World) -> None:
    assert "Afspraken die uw ECD niet meer noemt" not in await world.page()
    world.doubts("linde", 3, doubted(3, clients=21, since=NOW - timedelta(hours=2)))
    world.doubts("linde", 7, doubted(7, clients=30))
    world.doubts("plein", 3, doubted(3, organisation="plein", clients=500))
    world.doubts("linde", 9, doubted(9, clients=99, until=NOW))  # what it misses has begun: nothing of it waits
    page = await world.page()
    assert "Bij 51 cliënten noemt uw ECD afspraken niet meer</b>, sinds 20 mrt 2026 11:00." in page
    world.doubts("linde", 3, None)
    assert "Bij 30 cliënten noemt uw ECD" in await world.page()
    world.doubts("linde", 7, None)
    assert "Afspraken die uw ECD niet meer noemt" not in await world.page()


async def test_the_cost_of_very_many_is_said_about(world: World) -> None:
    world.put(ON)
    world.waits(*[held(f"cl-{number}") for number in range(WORDED + 200)])
    assert figures(await world.page())["Sms-delen"] == f"ongeveer {WORDED + 200}"


async def test_a_hold_takes_two_presses_and_shows_at_once(world: World) -> None:
    status, asked = await world.press(await world.page(), "Houd de berichten tegen")
    assert (status, world.written) == (200, [])
    assert "Wilt u de berichten tegenhouden?" in asked
    status, page = await world.press(asked, "Ja, houd de berichten tegen")
    assert status == 200
    assert "Het is gedaan" in page
    assert world.written == [Hold(organisation="linde", at=NOW, by="beide")]
    done = [(one.action, one.filter, one.outcome) for one in world.kafka.looks if one.action == "hold"]
    assert done == [("hold", "notices=held", "done")]


async def test_pressed_twice_is_once(world: World) -> None:
    _, asked = await world.press(await world.page(), "Houd de berichten tegen")
    for _ in range(2):
        assert (await world.press(asked, "Ja, houd de berichten tegen"))[0] == 200
    assert len(world.written) == 1
    _, asked = await world.press(await world.page(), "Laat de berichten gaan")
    for _ in range(2):
        assert (await world.press(asked, "Ja, laat de berichten gaan"))[0] == 200
    assert [one.notices for one in world.written] == [True, False]


async def test_an_end_leaves_the_parties_that_are_held(world: World) -> None:
    world.put(Hold(organisation="linde", at=NOW - timedelta(hours=2), parties=["rooster"]))
    _, asked = await world.press(await world.page(), "Laat de berichten gaan")
    await world.press(asked, "Ja, laat de berichten gaan")
    assert world.written == [Hold(organisation="linde", at=NOW, notices=False, parties=["rooster"], by="beide")]


async def test_nothing_is_said_of_what_the_page_showed_and_it_asks_in_words(world: World) -> None:
    world.put(ON)
    world.waits(held("cl-003"))
    _, asked = await world.press(await world.page(), "Zeg niets hierover")
    assert "Over wat er om 13:00 al een minuut wachtte, krijgen cliënten geen bericht. Ook later niet." in asked
    assert world.written == []
    for _ in range(2):
        assert (await world.press(asked, "Ja, zeg hier niets over"))[0] == 200
    assert world.written == [Hold(organisation="linde", at=NOW, notices=False, seen_at=NOW, by="beide")]


async def test_in_its_first_minute_there_is_nothing_to_leave_unsaid(world: World) -> None:
    """What began to wait less than a minute before the page was made may not have been on it."""
    world.put(Hold(organisation="linde", at=NOW - timedelta(seconds=59)))
    world.waits(held("cl-003"))
    assert "Zeg niets hierover" not in await world.page()
    assert "over een minuut opnieuw" in await world.page()


ENDED = Hold(organisation="linde", at=NOW, notices=False)
MEANWHILE: list[tuple[str, str, Hold | None]] = [
    ("it was ended, and what waited is told", "Zeg niets hierover", ENDED),
    ("it was ended by a null value", "Zeg niets hierover", None),
    ("nothing was said of what another page showed", "Zeg niets hierover", Hold(
        organisation="linde", at=NOW, notices=False, seen_at=NOW - timedelta(minutes=10))),
    ("nothing is said of it any more", "Laat de berichten gaan", Hold(organisation="linde", at=NOW, notices=False, seen_at=NOW)),
    ("it was ended, and set anew", "Zeg niets hierover", Hold(organisation="linde", at=NOW)),
    ("a party is held, too", "Laat de berichten gaan", Hold(organisation="linde", at=ON.at, parties=["rooster"])),
]  # fmt: skip


@pytest.mark.parametrize("presses", [1, 2], ids=["before the first press", "between the two"])
@pytest.mark.parametrize(("why", "label", "hold"), MEANWHILE, ids=[row[0] for row in MEANWHILE])
async def test_where_somebody_pressed_meanwhile_nothing_is_done_and_it_is_shown_as_it_is(
    world: World, why: str, label: str, hold: Hold | None, presses: int
) -> None:
    world.put(ON)
    world.waits(held("cl-003"))
    page = await world.page()
    if presses == 2:
        _, page = await world.press(page, label)
        label = re.findall(r"<button type=\"submit\">(Ja, .*?)</button>", page)[0]
    world.put(hold)
    status, shown = await world.press(page, label)
    assert (status, world.written) == (409, []), why
    assert "Er is niets veranderd." in shown
    assert "cl-003" not in shown


async def test_a_hold_of_a_partys_requests_and_its_end(world: World) -> None:
    asked = {"organisation": "linde", "client": "anna", "request": "r", "party": "rooster", "text": "Vul in."}
    world.projection.take(REQUESTS.name, 0, 0, [TopicEntry(0, orjson.dumps(asked), NOW)])
    _, sure = await world.press(await world.page(), "Houd rooster tegen")
    await world.press(sure, "Ja, houd ze tegen")
    assert world.written[-1] == Hold(organisation="linde", at=NOW, notices=False, parties=["rooster"], by="beide")
    page = await world.page()
    assert re.findall(r'<th scope="row">(.*?)</th><td class="number">(\d+)</td><td>(.*?)</td>', page) == [
        ("rooster", "1", "Tegengehouden")
    ]
    _, sure = await world.press(page, "Laat rooster gaan")
    await world.press(sure, "Ja, laat ze gaan")
    assert world.written[-1].parties == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"wat": "houd", "versie": "-1", "zeker": "ja", "formulier": "van-een-ander"}, 403),
        ({"wat": "houd", "versie": "-1", "zeker": "ja", "formulier": None}, 403),
        ({"wat": "alles", "versie": "-1"}, 400),
        ({"wat": "houd", "versie": "x"}, 400),
        ({"wat": "houd", "versie": "-1", "partij": "rooster"}, 400),
        ({"wat": "houd-partij", "versie": "-1"}, 400),
        ({"wat": "zwijg", "versie": "-1"}, 400),
        ({"wat": "zwijg", "versie": "-1", "gezien": "2026-03-20T11:00:00"}, 400),
        ({"wat": "zwijg", "versie": "-1", "gezien": "2026-03-20T11:00:00Z", "zeker": "ja"}, 409),
    ],
)
async def test_a_form_of_another_page_or_of_none_does_nothing(world: World, fields: dict[str, str | None], status: int) -> None:
    said = {"formulier": form(await world.page())} | fields
    async with world.browser.post(PAGE, data={name: value for name, value in said.items() if value is not None}) as response:
        assert response.status == status
    assert world.written == []


async def test_while_kafka_is_away_nothing_is_done_and_what_was_begun_is_said_to_have_failed(world: World) -> None:
    _, asked = await world.press(await world.page(), "Houd de berichten tegen")
    world.kafka.away_for.add(HOLDS.name)
    assert (await world.press(asked, "Ja, houd de berichten tegen"))[0] == 503
    assert [one.outcome for one in world.kafka.looks if one.action == "hold"] == ["done", "failed"]
    assert world.written == []


async def test_the_page_of_a_client_says_that_something_waits(world: World) -> None:
    world.waits(held("cl-003"))
    async with world.browser.get(f"/clienten/{token('cl-003')}") as response:
        assert "Er wacht 1 bericht aan deze cliënt, omdat uw organisatie berichten tegenhoudt." in await response.text()


class Reading:
    """A follower that is so far."""

    def __init__(self, age: float, lag: float, *, caught_up: bool = True) -> None:
        self.age, self.lag, self.caught_up = lambda: age, lambda: lag, caught_up


@pytest.mark.parametrize(
    ("follower", "behind"), [(Reading(2.0, 0.0), 2.0), (Reading(2.0, 90.0), 90.0), (Reading(0.0, 0.0, caught_up=False), None)]
)
def test_what_was_shown_is_as_old_as_what_was_read(follower: Reading, behind: float | None) -> None:
    """Nothing is left unsaid that came after what the projection had read when it made the page."""
    assert Watching(WebMetrics(), follower).behind() == behind  # type: ignore[arg-type]


def test_an_instant_of_a_page_is_read_back_as_it_was() -> None:
    assert datetime.fromisoformat((NOW - timedelta(seconds=0.3)).isoformat()) == NOW - timedelta(seconds=0.3)
