"""The settings page: what it saves, what it refuses and why, and what an attacker gets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from agents.projection import organisations
from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.preferences import form as choices
from agents.web.preferences.preview import TITLES
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import Sessions
from schemas.inputs import Organisation, OrganisationOverride
from schemas.wire import check
from streams.notices.settings import apply_override
from tests.agents.web.conftest import Kept
from tests.agents.web.overview.test_overview import PASSWORD, SESSION_KEY, form, get, sign_in
from tests.agents.web.samples import NOW
from tests.world import organisation

UPSTREAM, OWN = "organisations", "organisation-overrides"
REMINDER = {"days_before": 2, "at": "09:30"}
LINDE = organisation(
    organisation="linde",
    name="Thuiszorg De Linde",
    reminder=REMINDER,
    sms={"originator": "Linde", "before": "De Linde:", "after": "", "unit_price": "0.075", "currency": "EUR"},
    email={"from": "zorg@linde.example", "reply_to": None, "subject": "Uw afspraak", "before": "Beste cliënt,", "after": ""},
)


@pytest.fixture
def projection(tmp_path: Path) -> Projection:
    return Projection(open_database(None, tmp_path))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projection: Projection) -> Settings:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    file.write_text("\n".join(accounts.entry(f"{name}@example.org", name, PASSWORD) for name in ("linde", "plein", "nieuw")))
    say(projection, UPSTREAM, 0, "linde", LINDE)
    say(projection, UPSTREAM, 1, "plein", {**LINDE, "organisation": "plein", "notifications": False})
    return Settings(web_port=0, web_slow_seconds=5.0, data=tmp_path, accounts=file, session_keys=(SESSION_KEY,))


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    app = create_web(settings, kafka, clock=lambda: NOW)
    async with Server(app, settings.web_host, 0, settings.web_slow_seconds) as running:
        yield running


def say(projection: Projection, topic: str, offset: int, name: str, value: dict[str, Any] | None, partition: int = 0) -> None:
    """A record of a settings topic comes in."""
    expected = projection.positions().get((topic, partition), 0)
    content = orjson.dumps(value) if value is not None else None
    projection.take(topic, partition, expected, [TopicEntry(offset, content, NOW + timedelta(seconds=offset), name.encode())])


def filled(page: str) -> dict[str, str]:
    """The form of a page, as a browser would send it."""
    page = page[page.index('class="settings"') :]
    found = {name: unescape(value) for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page)}
    found |= {"formulier": form(page), "versie": re.findall(r'name="versie" value="([^"]+)"', page)[0]}
    boxes = re.findall(r'<input type="checkbox" [^>]*name="(\w+)" value="1"( checked)?>', page)
    found = {name: value for name, value in found.items() if not name.startswith("eigen_")}
    found |= {name: "1" for name, checked in boxes if checked}
    for name, options in re.findall(r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found[name] = (re.findall(r'value="(\w+)" selected', options) or re.findall(r'value="(\w+)"', options))[0]
    found |= {
        n: unescape(text) for n, text in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    }
    return found


async def save(client: aiohttp.ClientSession, status: int = 200, path: str = "/instellingen", /, **changes: str) -> str:
    """Open the page, change something, save."""
    data = filled(await get(client, "/instellingen")) | {"zeker": "1"} | changes
    async with client.post(path, data=data) as response:
        assert response.status == status, await response.text()
        return await response.text()


async def test_the_page_shows_what_upstream_says(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await get(client, "/instellingen")
    for words in (
        "2 dagen van tevoren, om 09:30 uur",
        "De Linde:",
        "Beste cliënt,",
        "<i>geen tekst</i>",
        "<b>aan</b>",
        "<b>geen</b>",
    ):
        assert words in page
    assert "checked" not in page


SAVED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "messages off": ({"eigen_berichten": "1", "berichten": "uit"}, {"notifications": False}),
    "a reminder": (
        {"eigen_herinnering": "1", "herinnering": "ja", "herinnering_dagen": "3", "herinnering_tijd": "08:15"},
        {"reminder": {"days_before": 3, "at": "08:15"}},
    ),
    "a reminder, also just after a message": (
        {"eigen_herinnering": "1", "herinnering": "ja", "herinnering_niet_binnen": "0"},
        {"reminder": {"days_before": 2, "at": "09:30", "not_within_hours": 0}},
    ),
    "no reminder": ({"eigen_herinnering": "1", "herinnering": "nee", "herinnering_dagen": "x"}, {"reminder": None}),
    "a reminder on working days": (
        {"eigen_herinnering": "1", "herinnering": "ja", "herinnering_dagen": "3", "herinnering_soort": "werk"},
        {"reminder": {"days_before": 3, "at": "09:30", "days": "working"}},
    ),
    "three reminders": (
        {
            "eigen_herinnering": "1",
            "herinnering": "ja",
            "herinnering_dagen": "7",
            "herinnering_dagen_2": "1",
            "herinnering_soort_2": "werk",
            "herinnering_dagen_3": "0",
            "herinnering_tijd_3": "07:00",
            "herinnering_niet_binnen_3": "6",
        },
        {
            "reminders": [
                {"days_before": 7, "at": "09:30"},
                {"days_before": 1, "at": "10:00", "days": "working"},
                {"days_before": 0, "at": "07:00", "not_within_hours": 6},
            ]
        },
    ),
    "free days": (
        {"eigen_vrij": "1", "vrij": "05-05-2027\r\n 24-12-2027\r\n\r\n1-6-2027"},
        {"free_days": ["2027-05-05", "2027-12-24", "2027-06-01"]},
    ),
    "no free days": ({"eigen_vrij": "1", "vrij": " "}, {"free_days": []}),
    "no place": ({"eigen_locatie": "1", "locatie": "nee"}, {"say": {"location": False}}),
    "a place for those who act for a client": (
        {"eigen_locatie_anderen": "1", "locatie_anderen": "ja"},
        {"say": {"location_to_others": True}},
    ),
    "whom and what to prepare by": (
        {"eigen_behandelaar": "1", "behandelaar": "ja", "eigen_instructies": "1", "instructies": "ja"},
        {"say": {"practitioner": True, "instructions": True}},
    ),
    "two languages": ({"eigen_talen": "1", "talen": "nl_en"}, {"languages": ["nl", "en"]}),
    "quiet hours": (
        {"eigen_stilte": "1", "stilte": "ja", "stilte_van": "22:00", "stilte_tot": "07:00"},
        {"quiet_hours": {"from": "22:00", "until": "07:00"}},
    ),
    "no quiet hours": ({"eigen_stilte": "1", "stilte": "nee"}, {"quiet_hours": None}),
    "an SMS template": ({"eigen_sms_voor": "1", "sms_voor": "Wij:"}, {"sms": {"before": "Wij:"}}),
    "an empty one": ({"eigen_sms_voor": "1", "sms_voor": ""}, {"sms": {"before": ""}}),
    "of 200 characters": ({"eigen_sms_na": "1", "sms_na": "é" * 200}, {"sms": {"after": "é" * 200}}),
    "both of e-mail": (
        {"eigen_mail_voor": "1", "mail_voor": "Dag,\r\n\r\nWij", "eigen_mail_na": "1", "mail_na": "Groet"},
        {"email": {"before": "Dag,\n\nWij", "after": "Groet"}},
    ),
    "a template of one kind of message": (
        {"eigen_geannuleerd_sms_na": "1", "geannuleerd_sms_na": "Tot ziens."},
        {"templates": {"cancelled": {"sms": {"after": "Tot ziens."}}}},
    ),
    "of several, and a subject": (
        {
            "eigen_herinnering_mail_onderwerp": "1",
            "herinnering_mail_onderwerp": " Denkt u eraan? ",
            "eigen_herinnering_mail_na": "1",
            "herinnering_mail_na": "Tot dan",
            "eigen_aanvraag_sms_voor": "1",
            "aanvraag_sms_voor": "",
        },
        {
            "templates": {
                "reminder": {"email": {"subject": "Denkt u eraan?", "after": "Tot dan"}},
                "request": {"sms": {"before": ""}},
            }
        },
    ),
    "a subject": ({"eigen_mail_onderwerp": "1", "mail_onderwerp": " Afspraak "}, {"email": {"subject": "Afspraak"}}),
}


@pytest.mark.parametrize(("fields", "own"), SAVED.values(), ids=SAVED)
async def test_what_is_chosen_is_saved_as_an_event_of_its_own_and_shown_again(
    client: aiohttp.ClientSession, kafka: Kept, fields: dict[str, str], own: dict[str, Any]
) -> None:
    await sign_in(client)
    page = await save(client, **fields)
    (event,) = kafka.events
    assert (event.topic, event.key, orjson.loads(event.value)) == (OWN, "linde", {"organisation": "linde", **own})
    assert "opgeslagen en geldt" in page
    assert page.count(" checked>") == len([name for name in fields if name.startswith("eigen_")])
    assert filled(page)["versie"] == "0"
    await save(client)
    assert len(kafka.events) == 1, "the same again is no event"


async def test_a_box_that_is_not_ticked_leaves_a_field_upstreams(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    await save(client, sms_voor="Iets anders", berichten="uit")
    assert kafka.events == []


async def test_a_box_unticked_gives_the_field_back_and_the_last_one_everything(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client)
    await save(client, eigen_sms_voor="1", sms_voor="Wij:", eigen_berichten="1", berichten="uit")
    await save(client, eigen_berichten="")
    await save(client, eigen_sms_voor="")
    assert [orjson.loads(event.value or b"null") for event in kafka.events][1:] == [
        {"organisation": "linde", "sms": {"before": "Wij:"}},
        None,
    ]


async def test_the_next_sync_of_upstream_undoes_nothing_and_is_shown_beside_it(
    client: aiohttp.ClientSession, projection: Projection
) -> None:
    await sign_in(client)
    await save(client, eigen_sms_voor="1", sms_voor="Wij:")
    say(projection, UPSTREAM, 2, "linde", {**LINDE, "sms": {**LINDE["sms"], "before": "Nieuw uit het ECD:"}})
    page = await get(client, "/instellingen")
    assert "<b>Nieuw uit het ECD:</b>" in page
    assert filled(page)["sms_voor"] == "Wij:"
    assert "Wij: Er is een afspraak" in page


WRONG = {
    "a template of 201 characters": ("sms_voor", {"sms_voor": "x" * 201}, "niet meer dan 200 tekens"),
    "an empty subject": ("mail_onderwerp", {"mail_onderwerp": "  "}, "onderwerp in van 1"),
    "a template of one kind of 201 characters": (
        "verplaatst_sms_voor",
        {"verplaatst_sms_voor": "x" * 201},
        "niet meer dan 200 tekens",
    ),
    "header injection by one kind's subject": (
        "nieuw_mail_onderwerp",
        {"nieuw_mail_onderwerp": "Dag\nX: y"},
        "onderwerp in van 1",
    ),
    "header injection": ("mail_onderwerp", {"mail_onderwerp": "Dag\r\nBcc: iedereen@example.org"}, "onderwerp in van 1"),
    "header injection by one newline": ("mail_onderwerp", {"mail_onderwerp": "Dag\nX: y"}, "onderwerp in van 1"),
    "a nul in a subject": ("mail_onderwerp", {"mail_onderwerp": "a\x00b"}, "onderwerp in van 1"),
    "neither on nor off": ("berichten", {"berichten": "misschien"}, "Kies of er"),
    "366 days": ("herinnering", {"herinnering": "ja", "herinnering_dagen": "366"}, "0 tot en met 365"),
    "days that are no number": ("herinnering", {"herinnering": "ja", "herinnering_dagen": "٣"}, "0 tot en met 365"),
    "a very large number": ("herinnering", {"herinnering": "ja", "herinnering_dagen": "9" * 5000}, "0 tot en met 365"),
    "no time": ("herinnering", {"herinnering": "ja", "herinnering_tijd": ""}, "0 tot en met 365"),
    "169 hours": ("herinnering", {"herinnering": "ja", "herinnering_niet_binnen": "169"}, "uren van 0 tot en met 168"),
    "no hours": ("herinnering", {"herinnering": "ja", "herinnering_niet_binnen": ""}, "uren van 0 tot en met 168"),
    "a place that is perhaps said": ("locatie", {"locatie": "misschien"}, "Kies ja of nee"),
    "a language that is none": ("talen", {"talen": "nl_xx"}, "in welke talen"),
    "a third one of 366 days": ("herinnering", {"herinnering": "ja", "herinnering_dagen_3": "366"}, "0 tot en met 365"),
    "a second one without a time": (
        "herinnering",
        {"herinnering": "ja", "herinnering_dagen_2": "1", "herinnering_tijd_2": ""},
        "0 tot en met 365",
    ),
    "days of no kind": ("herinnering", {"herinnering": "ja", "herinnering_soort": "vrij"}, "0 tot en met 365"),
    "a day that is none": ("vrij", {"vrij": "30-02-2027"}, "één datum"),
    "two days on a line": ("vrij", {"vrij": "05-05-2027, 06-05-2027"}, "één datum"),
    "25 o'clock": ("stilte", {"stilte": "ja", "stilte_van": "25:00", "stilte_tot": "07:00"}, "twee verschillende tijden"),
    "from and until the same": ("stilte", {"stilte": "ja", "stilte_van": "07:00", "stilte_tot": "07:00"}, "twee verschillende"),
}


@pytest.mark.parametrize(("name", "fields", "said"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("path", ["/instellingen", "/instellingen/voorbeeld"])
async def test_what_cannot_be_is_told_at_its_field_and_nothing_is_saved(
    client: aiohttp.ClientSession, kafka: Kept, name: str, fields: dict[str, str], said: str, path: str
) -> None:
    await sign_in(client)
    page = await save(client, 422 if path == "/instellingen" else 200, path, **{f"eigen_{name}": "1"}, **fields)
    assert said in page
    assert f'id="{name}-fout"' in page
    assert f'href="#{name}"' in page
    assert kafka.events == []


async def test_every_wrong_field_is_told_at_once_and_the_good_ones_keep_what_was_filled_in(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client)
    page = await save(
        client, 422, eigen_sms_voor="1", sms_voor="x" * 201, eigen_mail_onderwerp="1", mail_onderwerp="",
        eigen_sms_na="1", sms_na="Tot dan <b>!",
    )  # fmt: skip
    assert "2 velden kloppen nog niet" in page
    assert page.count('class="fault"') == 2
    assert (filled(page)["sms_na"], filled(page)["sms_voor"]) == ("Tot dan <b>!", "x" * 201)
    assert "<b>!" not in page


async def test_a_page_that_was_overtaken_says_so_before_it_overwrites(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    mine = filled(await get(client, "/instellingen")) | {"eigen_sms_voor": "1", "sms_voor": "Van mij:"}
    await save(client, eigen_sms_voor="1", sms_voor="Van een collega:")
    async with client.post("/instellingen", data=mine) as response:
        page = await response.text()
        assert response.status == 409
    assert "Iemand anders heeft de instellingen gewijzigd" in page
    assert filled(page)["sms_voor"] == "Van mij:"
    assert len(kafka.events) == 1
    async with client.post("/instellingen", data=filled(page)) as response:
        assert response.status == 200
    assert orjson.loads(kafka.events[1].value)["sms"] == {"before": "Van mij:"}


async def test_while_kafka_is_away_nothing_is_called_saved(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    kafka.away = True
    assert "opgeslagen" not in await save(client, 503, eigen_berichten="1", berichten="uit")
    assert "checked" not in await get(client, "/instellingen")


async def test_the_preview_says_what_a_client_reads_and_what_it_costs(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)

    async def sizes(text: str) -> list[Any]:
        page = await save(client, 200, "/instellingen/voorbeeld", eigen_sms_voor="1", sms_voor=text)
        return re.findall(r'class="size[^"]*"><b>(.*?)</b> · (.*?) · (.*?) tekens</p>', page)

    assert (await sizes("Wij:"))[0] == ("1 deel", "€\xa00,075", "83 van 160")
    assert (await sizes("Cliënt ë:"))[0] == ("2 delen", "€\xa00,15", "88 van 134")
    assert (await sizes("x" * 200))[0][0] == "2 delen"
    assert kafka.events == []


async def test_it_says_where_a_text_stands_that_it_may_not_fit_before_that_is_saved(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client)
    path, own = "/instellingen/voorbeeld", {"eigen_sms_na": "1", "sms_na": "Kunt u niet? Bel ons."}
    assert "De tekst na het bericht van de sms" not in await get(client, "/instellingen")
    page = await save(client, 200, path, **own)
    assert "De tekst na het bericht van de sms staat ook onder: geannuleerde afspraak en bericht van een andere partij." in page
    page = await save(client, 200, path, **own, eigen_geannuleerd_sms_na="1", geannuleerd_sms_na="")
    assert "De tekst na het bericht van de sms" not in page, "with a text of one kind a request has none"
    assert kafka.events == []


async def test_the_preview_is_made_of_what_counts_not_of_what_is_not_ticked(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await save(client, 200, "/instellingen/voorbeeld", sms_voor="Niet gekozen")
    sample = page[page.index('id="voorbeeld"') :]
    assert "De Linde: Er is een afspraak met u gemaakt op vrijdag 27 maart 2026 van 13:15 tot 14:15." in sample
    assert "Niet gekozen" not in sample


async def test_the_preview_has_every_kind_of_message_with_parts_and_price_and_as_an_email(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client)
    page = await save(
        client, 200, "/instellingen/voorbeeld", eigen_geannuleerd_sms_na="1", geannuleerd_sms_na="Tot ziens <b>!",
        eigen_verplaatst_mail_onderwerp="1", verplaatst_mail_onderwerp="Verplaatst",
    )  # fmt: skip
    sample = unescape(page[page.index('id="voorbeeld"') : page.index('id="meting"')])
    assert re.findall("<h3>Sms: (.*?)</h3>", sample) == [title.lower() for title in TITLES.values()]
    assert re.findall("<h3>E-mail: (.*?)</h3>", sample) == [title.lower() for title in TITLES.values()]
    assert sample.count('class="size') == len(TITLES)
    assert "De Linde: Uw afspraak op vrijdag 27 maart 2026 is geannuleerd. Tot ziens <b>!" in sample
    assert sample.count('<b dir="auto">Verplaatst</b>') == 5, "moved, a series, another place, another kind, several"
    assert kafka.events == []


async def test_the_preview_has_each_language_and_what_a_label_has_of_its_own(
    client: aiohttp.ClientSession, projection: Projection
) -> None:
    label = {"templates": {"reminder": {"sms": {"after": "Neem uw pas mee."}}}}
    say(projection, UPSTREAM, 2, "linde", {**LINDE, "languages": ["nl", "en"], "labels": {"intake": label, "desk": {}}})
    await sign_in(client)
    page = await get(client, "/instellingen")
    titles = re.findall("<h3>Sms: (.*?)</h3>", unescape(page))
    plain = [title.lower() for title in TITLES.values()]
    assert titles == [
        *[f"{title} (nederlands)" for title in plain], "herinnering, soort intake (nederlands)",
        *[f"{title} (engels)" for title in plain],
    ]  # fmt: skip
    assert "Neem uw pas mee." in page
    assert "An appointment has been made for you on Friday 27 March 2026 from 13:15 to 14:15." in page


async def test_what_the_page_does_not_show_stays_as_it_was_chosen(
    client: aiohttp.ClientSession, projection: Projection, kafka: Kept
) -> None:
    own: dict[str, Any] = {"organisation": "linde", "labels": {"intake": {"notify": "reminder"}}, "say": {"practitioner": True}}
    say(projection, OWN, 5, "linde", own)
    await sign_in(client)
    await save(client, eigen_berichten="1", berichten="uit")
    assert orjson.loads(kafka.events[-1].value or b"") == own | {"notifications": False}


async def test_reminders_of_upstream_are_shown_and_one_chosen_stands_for_all_of_them(
    client: aiohttp.ClientSession, projection: Projection, kafka: Kept
) -> None:
    several = [{"days_before": 3, "at": "10:00", "days": "working"}, {"days_before": 1, "at": "17:00", "not_within_hours": 0}]
    say(projection, UPSTREAM, 2, "linde", {**LINDE, "reminders": several, "free_days": ["2027-05-05"]})
    await sign_in(client)
    page = await get(client, "/instellingen")
    assert (
        "3 werkdagen van tevoren, om 10:00 uur, niet binnen 12 uur na een bericht en 1 dag van tevoren, om 17:00 uur" in page
    )  # fmt: skip
    assert "<b>05-05-2027</b>" in page
    assert (filled(page)["herinnering_dagen_2"], filled(page)["herinnering_tijd_2"]) == ("1", "17:00")
    page = await save(client, eigen_herinnering="1", herinnering_dagen_2="")
    assert orjson.loads(kafka.events[-1].value or b"")["reminder"] == {"days_before": 3, "at": "10:00", "days": "working"}
    assert filled(page)["herinnering_dagen_2"] == ""


async def test_upstreams_template_of_one_kind_is_shown(client: aiohttp.ClientSession, projection: Projection) -> None:
    say(projection, UPSTREAM, 2, "linde", {**LINDE, "templates": {"moved": {"sms": {"after": "Nieuwe tijd!"}}}})
    await sign_in(client)
    page = await get(client, "/instellingen")
    assert "<b>Nieuwe tijd!</b>" in page
    assert filled(page)["verplaatst_sms_na"] == "Nieuwe tijd!"
    assert "zoals bij alle berichten" in page


async def test_an_organisation_that_upstream_has_not_named_has_nothing_to_choose(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client, "nieuw")
    page = await get(client, "/instellingen")
    assert "nog geen instellingen" in page
    data = {"formulier": form(page), "versie": "-1", "eigen_berichten": "1", "berichten": "aan"}
    async with client.post("/instellingen", data=data) as response:
        assert response.status == 409
    assert kafka.events == []


class TestWhatIntakeRefused:
    async def test_of_upstream_is_told_with_its_field_and_the_last_good_one_counts(
        self, client: aiohttp.ClientSession, projection: Projection
    ) -> None:
        say(projection, UPSTREAM, 2, "linde", {**LINDE, "sms": {**LINDE["sms"], "before": "geheim" * 50}})
        await sign_in(client)
        page = await get(client, "/instellingen")
        assert "De laatste instellingen uit uw ECD zijn geweigerd" in page
        assert "Veld: <b>Sms: tekst vóór het bericht</b>" in page
        assert "geheim" not in page
        assert "<b>De Linde:</b>" in page
        say(projection, UPSTREAM, 3, "linde", LINDE)
        assert "geweigerd" not in await get(client, "/instellingen")

    @pytest.mark.parametrize(
        ("part", "field", "value", "told"),
        [
            ("email", "from", "Zorg @ Huis", "email.from"), ("email", "from", "a@b.nl, c@d.nl", "email.from"),
            ("email", "from", ..., "email.from"), ("email", "reply_to", "<>@", "email.reply_to"),
            ("email", "subject", "Bericht\x07", "E-mail: onderwerp"), ("email", "subject", "", "E-mail: onderwerp"),
            ("sms", "originator", "Zorg€", "sms.originator"), ("sms", "originator", "Een lange naam", "sms.originator"),
            ("sms", "originator", ..., "sms.originator"),
        ],
    )  # fmt: skip
    async def test_of_what_no_sender_could_send_the_field_is_named(
        self, client: aiohttp.ClientSession, projection: Projection, part: str, field: str, value: object, told: str
    ) -> None:
        changed = {name: one for name, one in {**LINDE[part], field: value}.items() if one is not ...}
        say(projection, UPSTREAM, 2, "linde", {**LINDE, part: changed})
        await sign_in(client)
        page = await get(client, "/instellingen")
        assert re.findall("Veld: <b>([^<]*)</b>", page) == [told]

    async def test_of_our_own_is_told_too(self, client: aiohttp.ClientSession, projection: Projection) -> None:
        say(projection, OWN, 0, "linde", {"organisation": "linde", "reminder": {"days_before": 400, "at": "10:00"}})
        await sign_in(client)
        page = await get(client, "/instellingen")
        assert "De laatste eigen instellingen zijn geweigerd" in page
        assert "Veld: <b>Herinnering</b>" in page

    async def test_of_another_organisation_is_not(self, client: aiohttp.ClientSession, projection: Projection) -> None:
        say(projection, UPSTREAM, 2, "plein", {"organisation": "plein"})
        await sign_in(client)
        assert "geweigerd" not in await get(client, "/instellingen")

    @pytest.mark.parametrize("key", [b"", b"\xff", b"a/b", b"a\x00", b"x" * 201, None])
    def test_without_a_key_that_names_an_organisation_it_is_nobodys(self, projection: Projection, key: bytes | None) -> None:
        assert organisations.row(UPSTREAM, 0, 0, key, b"{}", NOW) is None


def test_what_a_form_says_laid_over_shows_the_same_form() -> None:
    upstream = check(Organisation, LINDE)
    for fields, own in SAVED.values():
        override = check(OrganisationOverride, {"organisation": "linde", **own})
        shown = choices.values(apply_override(upstream, override), override)
        assert choices.chosen("linde", shown) == (override, {}, ""), fields


# --- who would do harm ------------------------------------------------------------------------------------------------------

PATHS = ("/instellingen", "/instellingen/voorbeeld")


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_session_nothing_is_shown_or_saved(client: aiohttp.ClientSession, kafka: Kept, path: str) -> None:
    async with client.post(path, data={"eigen_berichten": "1"}, allow_redirects=False) as response:
        back = "naar=/instellingen&" if path == "/instellingen" else ""
        assert (response.status, response.headers["Location"]) == (303, f"/aanmelden?{back}verlopen=1")
    await get(client, "/instellingen", 303)
    assert kafka.events == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "forged", "A" * 60, None])
async def test_a_form_that_is_not_of_our_page_for_this_session_is_refused(
    client: aiohttp.ClientSession, kafka: Kept, path: str, token: str | None
) -> None:
    await sign_in(client)
    other = Sessions([SESSION_KEY])
    forged = token if token is not None else other.form(other.new("linde", "x", 0))
    await save(client, 403, path, formulier=forged, eigen_berichten="1", berichten="uit")
    assert kafka.events == []


async def test_another_organisations_id_in_a_form_is_nobodys(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    await save(client, organisation="plein", organisatie="plein", key="plein", eigen_berichten="1", berichten="uit")
    assert [(event.key, orjson.loads(event.value)["organisation"]) for event in kafka.events] == [("linde", "linde")]
    for query in ("?organisation=plein", "?organisatie=plein"):
        assert "<b>aan</b>" in await get(client, f"/instellingen{query}"), "what plein's says is: uit"


BODIES = [
    ("application/json", b'{"eigen_berichten": "1"}', 415),
    ("text/plain", b"eigen_berichten=1", 415),
    ("", b"eigen_berichten=1", 415),
    ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
    ("application/x-www-form-urlencoded", b"a=%ff", 400),
    ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 200), 400),
    ("multipart/form-data", b"--x", 400),
    ("application/x-www-form-urlencoded", b"a=" + b"b" * 70_000, 413),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "body", "status"), BODIES)
async def test_a_body_that_is_no_form_of_ours_is_refused(
    client: aiohttp.ClientSession, kafka: Kept, path: str, kind: str, body: bytes, status: int
) -> None:
    await sign_in(client)
    async with client.post(path, data=body, headers={"Content-Type": kind}) as response:
        assert response.status == status
    assert kafka.events == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("versie", ["", "x", "1e9", "9" * 30, "-", "0\n"])
async def test_a_version_that_is_none_is_refused(client: aiohttp.ClientSession, kafka: Kept, path: str, versie: str) -> None:
    await sign_in(client)
    await save(client, 400, path, versie=versie, eigen_berichten="1", berichten="uit")
    assert kafka.events == []


async def test_a_slow_client_is_not_waited_for(server: Server, client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    cookie = next(iter(client.cookie_jar))
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST /instellingen HTTP/1.1\r\nHost: x\r\nCookie: {cookie.key}={cookie.value}\r\nContent-Length: 100\r\n"
    writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\neigen_ber".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()
    assert kafka.events == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(client: aiohttp.ClientSession, method: str) -> None:
    await sign_in(client)
    async with client.request(method, "/instellingen") as response:
        assert response.status == 405


async def test_what_upstream_or_a_form_says_is_never_markup(client: aiohttp.ClientSession, projection: Projection) -> None:
    evil = '"></textarea><script>alert(1)</script>'
    say(projection, UPSTREAM, 2, "linde", {**LINDE, "sms": {**LINDE["sms"], "before": evil}})
    await sign_in(client)
    page = await save(client, 200, "/instellingen/voorbeeld", eigen_mail_voor="1", mail_voor=evil)
    assert "<script>" not in page
    assert "unsafe" not in page


async def test_the_log_names_the_organisation_and_no_text(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    structlog.reset_defaults()
    with capture_logs() as lines:
        await save(client, eigen_sms_voor="1", sms_voor="Geheime tekst")
    assert {"event": "saved", "topic": "organisation-overrides", "organisation": "linde", "log_level": "info"} in lines
    assert "Geheime" not in str(lines)
    assert "linde@example.org" not in str(lines)
