"""The pages of other texts (of a label, in another language), and what guards the settings: sure, who, what, a sample."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from html import escape, unescape
from pathlib import Path
from typing import Any, get_args

import aiohttp
import orjson
import pytest
from msgspec import inspect

from agents.fakes.smtp import FakeSmtp
from agents.projection.projection import Projection, TopicEntry
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.preferences.fields import Scope, paths_of, sheet_of
from agents.web.preferences.history import changes
from agents.web.preferences.preview import TITLES
from agents.web.preferences.strip import strip
from agents.web.sign_in import accounts
from agents.web.sign_in.oidc import verified_email
from schemas.inputs import Organisation, OrganisationOverride
from schemas.languages import Language
from schemas.wire import check, encode
from tests.agents.web.conftest import Kept
from tests.agents.web.overview.test_overview import PASSWORD, SESSION_KEY, get, sign_in
from tests.agents.web.preferences.test_settings import LINDE, OWN, UPSTREAM, filled, projection, save, say
from tests.agents.web.samples import NOW

__all__ = ["projection"]

BOTH = {**LINDE, "languages": ["nl", "en"]}


@pytest.fixture
async def inbox() -> AsyncIterator[FakeSmtp]:
    async with FakeSmtp() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projection: Projection, inbox: FakeSmtp) -> Settings:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    lines = [accounts.entry(f"{name}@example.org", name, PASSWORD) for name in ("linde", "plein")]
    file.write_text(f'{lines[0]}email = "jan@linde.example"\n{lines[1]}')
    say(projection, UPSTREAM, 0, "linde", BOTH)
    say(projection, UPSTREAM, 1, "plein", {**BOTH, "organisation": "plein"})
    return Settings(
        web_port=0, data=tmp_path, accounts=file, session_keys=(SESSION_KEY,), smtp_host="127.0.0.1", smtp_port=inbox.port,
        smtp_tls="none",
    )  # fmt: skip


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    app = create_web(settings, kafka, clock=lambda: NOW)
    async with Server(app, settings.web_host, 0, settings.web_slow_seconds) as running:
        yield running


async def send(client: aiohttp.ClientSession, page: str, status: int = 200, to: str = "/instellingen", /, **changed: str) -> str:
    """Open a page, change something, send its form."""
    data = filled(await get(client, page)) | changed
    async with client.post(to, data=data) as response:
        assert response.status == status
        return unescape(await response.text())


def last(kafka: Kept) -> Any:
    return orjson.loads(kafka.events[-1].value or b"null")


# --- all of the schema --------------------------------------------------------------------------------------------------------


def leaves(info: inspect.Type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every place of a record at which a value can stand; `*` is each key of a mapping. Lists, times and such are one value."""
    match info:
        case inspect.Metadata(type=inner):
            yield from leaves(inner, path)
        case inspect.UnionType(types=types):
            for one in types if len(types) == 1 else [one for one in types if not isinstance(one, inspect.NoneType)]:
                yield from leaves(one, path)
        case inspect.StructType(fields=fields, cls=cls) if cls.__name__ not in ("ReminderSettings", "QuietHours"):
            for field in fields:
                yield from leaves(field.type, (*path, field.encode_name))
        case inspect.DictType(value_type=value):
            yield from leaves(value, (*path, "*"))
        case _:
            yield path


def on_pages() -> set[tuple[str, ...]]:
    scopes = [Scope(label, language) for label in (None, "x") for language in (None, *get_args(Language))]
    found = {path for scope in scopes for field in sheet_of(scope).fields for path in paths_of(field)}
    return {tuple("*" if part in ("x", *get_args(Language)) else part for part in path) for path in found}


def test_whatever_an_organisation_may_choose_has_its_field_on_a_page() -> None:
    """All of `organisation-overrides`, by its schema: a new field there is missed here."""
    there = set(leaves(inspect.type_info(OrganisationOverride))) - {("organisation",)}
    assert there - on_pages() == set(), "the pages lack these"
    assert on_pages() - there == set(), "the record has no such field"
    assert len(there) > 100


def test_a_field_that_no_page_has_is_missed() -> None:
    class Longer(OrganisationOverride, frozen=True, kw_only=True):
        extra: int = 0

    assert set(leaves(inspect.type_info(Longer))) - on_pages() == {("organisation",), ("extra",)}


# --- labels -------------------------------------------------------------------------------------------------------------------

LABEL, EN, LABEL_EN = (
    "/instellingen/teksten?soort=intake+%26+gesprek",
    "/instellingen/teksten?taal=en",
    "/instellingen/teksten?soort=intake+%26+gesprek&taal=en",
)
NAME = "intake & gesprek"


async def test_a_label_is_added_changed_and_taken_away(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    page = await send(
        client, LABEL, eigen_melden="1", melden="herinnering", eigen_herinnering_sms_na="1",
        herinnering_sms_na="Neem uw pas mee.", eigen_geannuleerd_mail_onderwerp="1",
        geannuleerd_mail_onderwerp=" Intake vervalt ",
    )  # fmt: skip
    templates = {"reminder": {"sms": {"after": "Neem uw pas mee."}}, "cancelled": {"email": {"subject": "Intake vervalt"}}}
    first = {"organisation": "linde", "labels": {NAME: {"notify": "reminder", "templates": templates}}}
    assert last(kafka) == first
    assert f"<h1>Soort afspraak {NAME}</h1>" in page
    assert "opgeslagen en geldt" in page
    assert f"Soort afspraak {NAME}" in unescape(await get(client, "/instellingen")), "it is in the list from now on"
    await send(client, LABEL, herinnering_sms_na="Neem uw pas en een foto mee.", eigen_geannuleerd_mail_onderwerp="")
    assert last(kafka)["labels"][NAME]["templates"] == {"reminder": {"sms": {"after": "Neem uw pas en een foto mee."}}}
    await send(client, LABEL_EN, eigen_herinnering_sms_na="1", herinnering_sms_na="Bring your card.")
    assert last(kafka)["translations"] == {"en": {"labels": {NAME: {"reminder": {"sms": {"after": "Bring your card."}}}}}}
    await send(client, LABEL, 200, "/instellingen/weg")
    assert kafka.events[-1].value is None, "of all languages, and nothing else was chosen"
    assert f"Soort afspraak {NAME}" not in unescape(await get(client, "/instellingen"))


async def test_what_another_page_chose_stays(client: aiohttp.ClientSession, projection: Projection, kafka: Kept) -> None:
    await sign_in(client)
    await save(client, eigen_sms_voor="1", sms_voor="Wij:")
    await send(client, LABEL, eigen_nieuw_sms_na="1", nieuw_sms_na="Tot dan.")
    await send(client, EN, eigen_sms_na="1", sms_na="See you.")
    await send(client, "/instellingen/teksten?soort=desk", eigen_melden="1", melden="geen")
    await save(client, eigen_sms_voor="")
    assert last(kafka) == {
        "organisation": "linde",
        "labels": {NAME: {"templates": {"created": {"sms": {"after": "Tot dan."}}}}, "desk": {"notify": "none"}},
        "translations": {"en": {"sms": {"after": "See you."}}},
    }
    await send(client, LABEL, 200, "/instellingen/weg")
    assert last(kafka)["labels"] == {"desk": {"notify": "none"}}


async def test_a_label_of_upstream_is_shown_with_what_it_says_and_can_be_taken_back(
    client: aiohttp.ClientSession, projection: Projection, kafka: Kept
) -> None:
    theirs = {"intake": {"notify": "reminder", "templates": {"reminder": {"sms": {"after": "Van het ECD."}}}}}
    say(projection, UPSTREAM, 2, "linde", {**BOTH, "labels": theirs})
    await sign_in(client)
    path = "/instellingen/teksten?soort=intake"
    page = unescape(await get(client, path))
    assert "<b>Van het ECD.</b>" in page
    assert "<b>alleen de herinnering</b>" in page
    assert "zoals bij alle soorten afspraken" in page
    assert filled(page)["herinnering_sms_na"] == "Van het ECD."
    assert "Haal deze soort weg" not in page, "it is upstream's"
    await send(client, path, eigen_herinnering_sms_na="1", herinnering_sms_na="Van ons.")
    assert "Haal deze soort weg" in await get(client, path)
    await send(client, path, 200, "/instellingen/weg")
    assert filled(unescape(await get(client, path)))["herinnering_sms_na"] == "Van het ECD."


async def test_the_preview_of_a_label_has_every_kind_of_message_of_it(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    page = await send(
        client, LABEL, 200, "/instellingen/voorbeeld", eigen_herinnering_sms_na="1", herinnering_sms_na="Neem een ë mee.",
        eigen_nieuw_mail_onderwerp="1", nieuw_mail_onderwerp="Uw intake",
    )  # fmt: skip
    sample = page[page.index('id="voorbeeld"') : page.index('id="meting"')]
    mine = [title.lower() for name, title in TITLES.items() if name != "request"]
    assert re.findall("<h3>Sms: (.*?)</h3>", sample) == mine
    assert re.findall("<h3>E-mail: (.*?)</h3>", sample) == mine
    assert sample.count('class="size') == len(mine), "parts and price of each"
    assert "De Linde: U heeft een afspraak op 27 maart om 13:15. Locatie: De Linde. Neem een ë mee." in sample
    assert "Door ë passen er 70 tekens in een deel, in plaats van 160. Zonder: 1 deel." in sample
    assert '<b dir="auto">Uw intake</b>' in sample
    assert kafka.events == []


async def test_what_does_not_fit_a_label_or_a_language_is_said_before_it_is_saved(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await send(client, EN, 200, "/instellingen/voorbeeld", eigen_sms_na="1", sms_na="Can't come? Call us.")
    assert "De tekst na het bericht van de sms (Engels) staat ook onder: geannuleerde afspraak." in page
    assert "In het Engels heeft de sms geen tekst vóór het bericht." in page
    assert "In het Engels heeft de e-mail geen tekst vóór het bericht." in page
    page = await send(
        client, EN, 200, "/instellingen/voorbeeld", eigen_sms_voor="1", sms_voor="De Linde:", eigen_mail_voor="1",
        mail_voor="Dear client,",
    )  # fmt: skip
    assert "heeft de" not in page[page.index('id="voorbeeld"') :]


async def test_texts_in_english_stand_beside_the_dutch_ones(client: aiohttp.ClientSession, kafka: Kept) -> None:
    await sign_in(client)
    page = unescape(await get(client, EN))
    assert 'Nederlands: <b lang="nl" dir="auto">De Linde:</b>' in page
    page = await send(
        client, EN, eigen_sms_voor="1", sms_voor="De Linde:", eigen_mail_onderwerp="1", mail_onderwerp="Your appointment",
        eigen_geannuleerd_sms_na="1", geannuleerd_sms_na="Call us for another one.",
    )  # fmt: skip
    assert last(kafka)["translations"] == {
        "en": {
            "sms": {"before": "De Linde:"}, "email": {"subject": "Your appointment"},
            "templates": {"cancelled": {"sms": {"after": "Call us for another one."}}},
        }
    }  # fmt: skip
    assert "De Linde: Your appointment on Friday 27 March 2026 has been cancelled. Call us for another one." in page


@pytest.mark.parametrize(
    ("path", "field", "value", "why"),
    [
        (LABEL, "herinnering_sms_na", "x" * 201, "niet meer dan 200 tekens"),
        (LABEL, "nieuw_mail_onderwerp", "Dag\nBcc: x@y.nl", "op één regel"),
        (LABEL, "melden", "nooit", "Kies welke berichten er gaan"),
        (EN, "mail_onderwerp", "", "onderwerp in van 1"),
        (LABEL_EN, "verplaatst_mail_na", "a\x00b", "niet meer dan 200 tekens"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_and_nothing_is_saved(
    client: aiohttp.ClientSession, kafka: Kept, path: str, field: str, value: str, why: str
) -> None:
    await sign_in(client)
    page = await send(client, path, 422, **{f"eigen_{field}": "1", field: value})
    assert why in page
    assert page.count('class="fault"') == 1
    assert kafka.events == []


async def test_more_than_a_record_holds_is_refused_in_words(
    client: aiohttp.ClientSession, projection: Projection, kafka: Kept
) -> None:
    long = {"sms": {"before": "ë" * 200, "after": "ë" * 200}, "email": {"before": "ë" * 200, "after": "ë" * 200}}
    labels = {f"soort {number}": {"templates": {"created": long}} for number in range(37)}
    say(projection, OWN, 4, "linde", {"organisation": "linde", "labels": labels})
    await sign_in(client)
    names = [f"{start}_{name}" for start in ("nieuw", "verplaatst") for name in ("sms_voor", "sms_na", "mail_voor", "mail_na")]
    changed = {f"eigen_{name}": "1" for name in names}
    texts = {name.removeprefix("eigen_"): "ë" * 200 for name in changed}
    page = await send(client, LABEL, 422, **changed, **texts)
    assert "samen te veel tekst" in page
    assert kafka.events == []


async def test_a_label_of_which_there_are_too_many_is_refused_in_words(
    client: aiohttp.ClientSession, projection: Projection, kafka: Kept
) -> None:
    labels = {f"soort {number}": {"notify": "none"} for number in range(50)}
    say(projection, OWN, 4, "linde", {"organisation": "linde", "labels": labels})
    await sign_in(client)
    assert "samen te veel tekst" in await send(client, LABEL, 422, eigen_melden="1", melden="geen")
    assert kafka.events == []


@pytest.mark.parametrize("soort", ["", "a/b", "x" * 201, "%0A"])
async def test_what_no_label_can_be_is_told(client: aiohttp.ClientSession, soort: str) -> None:
    await sign_in(client)
    assert "Een soort afspraak heeft een naam van 1" in await get(client, f"/instellingen/teksten?soort={soort}", 422)


async def test_a_language_that_is_not_used_has_no_page(client: aiohttp.ClientSession, projection: Projection) -> None:
    say(projection, UPSTREAM, 2, "linde", LINDE)
    await sign_in(client)
    for taal in ("en", "nl", "xx"):
        await get(client, f"/instellingen/teksten?taal={taal}", 404)
    assert "taal=en" not in await get(client, "/instellingen")


async def test_a_page_of_texts_that_was_overtaken_says_by_whom(
    client: aiohttp.ClientSession, kafka: Kept, projection: Projection
) -> None:
    await sign_in(client)
    mine = filled(await get(client, LABEL)) | {"eigen_melden": "1", "melden": "geen"}
    await save(client, eigen_sms_voor="1", sms_voor="Van een collega:")
    follow(projection, kafka)
    async with client.post("/instellingen", data=mine) as response:
        page = unescape(await response.text())
        assert response.status == 409
    assert "Iemand anders heeft de instellingen gewijzigd terwijl u bezig was: linde@example.org, 20 mrt 2026 13:00" in page
    assert "eerst zoals uw ECD zegt: De Linde:; daarna Van een collega:" in page
    assert len(kafka.events) == 1


# --- who changed what ---------------------------------------------------------------------------------------------------------


def follow(projection: Projection, kafka: Kept, start: int = 0) -> None:
    """What was written to `access-log` comes back from there."""
    looks = [TopicEntry(number, encode(look), NOW) for number, look in enumerate(kafka.looks)][start:]
    projection.take("access-log", 0, start, looks)


async def test_who_changed_what_is_there_to_read(client: aiohttp.ClientSession, kafka: Kept, projection: Projection) -> None:
    await sign_in(client)
    await save(client, eigen_herinnering="1", herinnering_dagen="3", eigen_berichten="1", berichten="uit")
    await send(client, LABEL_EN, eigen_nieuw_sms_na="1", nieuw_sms_na="See you <b>.")
    follow(projection, kafka)
    page = await get(client, "/instellingen")
    listed = page[page.index('id="geschiedenis"') :]
    assert re.findall("<li><p>(.*?)</p>", listed) == ["linde@example.org, 20 mrt 2026 13:00"] * 2
    assert "See you &lt;b&gt;." in listed
    assert sorted(re.findall("<li><b>(.*?)</b>: (.*?)</li>", listed)) == [
        ("Berichten versturen", "eerst zoals uw ECD zegt: aan; daarna uit"),
        ("Herinnering", "eerst zoals uw ECD zegt: 2 dagen van tevoren, om 09:30 uur, niet binnen 12 uur na een bericht; daarna "
         "3 dagen van tevoren, om 09:30 uur, niet binnen 12 uur na een bericht"),
        (f"Nieuwe afspraak: sms: tekst na het bericht (soort {escape(NAME)}, Engels)",
         "eerst zoals uw ECD zegt: zoals bij alle soorten afspraken; daarna See you &lt;b&gt;."),
    ]  # fmt: skip
    await sign_in(client, "plein")
    assert "Er is nog niets gewijzigd." in await get(client, "/instellingen"), "another organisation's is nobody else's"


async def test_a_change_that_broke_off_is_not_said_to_have_been_made(
    client: aiohttp.ClientSession, kafka: Kept, projection: Projection
) -> None:
    await sign_in(client)
    kafka.away_for = {OWN}
    await save(client, 503, eigen_sms_voor="1", sms_voor="Wij:")
    assert [look.outcome for look in kafka.looks[-2:]] == ["done", "failed"]
    follow(projection, kafka)
    assert "Er is nog niets gewijzigd." in await get(client, "/instellingen")


def test_each_thing_that_can_be_chosen_is_told_when_it_changes() -> None:
    upstream = check(Organisation, BOTH)
    own = {
        "organisation": "linde", "notifications": False, "reminders": [{"days_before": 0, "at": "07:00"}],
        "free_days": ["2027-05-05"], "quiet_hours": {"from": "21:00", "until": "08:00"},
        "sms": {"after": "Dag"}, "say": {"location": False},
        "link_hosts": ["video.linde.nl"], "languages": ["en", "nl"], "labels": {"a": {"notify": "none"}},
        "translations": {"nl": {"email": {"subject": "S"}, "labels": {"b": {"moved": {"sms": {"before": "B"}}}}}},
    }  # fmt: skip
    override = check(OrganisationOverride, own)
    there = {change.what: change.now for change in changes(upstream, None, override)}
    assert there == {
        "Berichten versturen": "uit", "Herinnering": "op de dag zelf, om 07:00 uur, niet binnen 12 uur na een bericht",
        "Vrije dagen": "05-05-2027", "Stille uren": "van 21:00 tot 08:00 uur", "Sms: tekst na het bericht": "Dag",
        "Locatie noemen": "nee", "Websites voor links in een herinnering per e-mail": "video.linde.nl",
        "Talen": "Engels, en Nederlands voor wie dat wil", "Welke berichten (soort a)": "geen berichten",
        "E-mail: onderwerp (Nederlands)": "S",
        "Verplaatste afspraak of andere locatie: sms: tekst vóór het bericht (soort b, Nederlands)": "B",
    }  # fmt: skip
    back = {change.what for change in changes(upstream, override, None)}
    assert back == set(there)
    assert changes(upstream, override, override) == ()


# --- off ----------------------------------------------------------------------------------------------------------------------


async def test_messages_are_switched_off_only_by_who_is_sure_and_every_page_says_so(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client)
    page = await send(client, "/instellingen", eigen_berichten="1", berichten="uit")
    assert "Weet u zeker dat u alle berichten uitzet?" in page
    assert kafka.events == []
    assert "Alle berichten staan uit." not in page
    await send(client, "/instellingen", eigen_berichten="1", berichten="uit", zeker="1")
    assert last(kafka) == {"organisation": "linde", "notifications": False}
    for path in ("/instellingen", "/berichten", "/kosten", "/tegenhouden", "/wie-keek", LABEL):
        assert "Alle berichten staan uit." in await get(client, path), path
    page = await send(client, "/instellingen", berichten="aan")
    assert "Weet u zeker" not in page, "on needs no second word"
    assert "Alle berichten staan uit." not in page
    await sign_in(client, "plein")
    assert "Alle berichten staan uit." not in await get(client, "/berichten")


async def test_giving_back_the_choice_to_an_upstream_that_is_off_asks_too(
    client: aiohttp.ClientSession, kafka: Kept, projection: Projection
) -> None:
    say(projection, UPSTREAM, 2, "linde", {**BOTH, "notifications": False})
    await sign_in(client)
    assert "Alle berichten staan uit." in await get(client, "/berichten"), "also where upstream says it"
    await send(client, "/instellingen", eigen_berichten="1", berichten="aan")
    assert "Weet u zeker" in await send(client, "/instellingen", eigen_berichten="")


# --- a sample to oneself ------------------------------------------------------------------------------------------------------


async def test_a_sample_goes_to_the_officers_own_address_and_to_no_other(
    client: aiohttp.ClientSession, kafka: Kept, inbox: FakeSmtp
) -> None:
    await sign_in(client)
    page = await send(
        client, "/instellingen", 200, "/instellingen/proef", eigen_mail_voor="1", mail_voor="Dag!", proef="cancelled",
        email="ander@elders.example", aan="ander@elders.example", to="ander@elders.example",
    )  # fmt: skip
    assert "De proef is verstuurd naar jan@linde.example. Er is nog niets opgeslagen." in page
    assert filled(page)["mail_voor"] == "Dag!", "what was filled in is still there"
    (mail,) = [message_from_bytes(raw, policy=policy.default) for raw in inbox.raw]
    assert [one["recipients"] for one in inbox.received.messages] == [["jan@linde.example"]]
    assert (mail["To"], mail["Subject"]) == ("jan@linde.example", "Proef: Uw afspraak")
    plain = mail.get_body(("plain",))
    assert plain is not None
    body = plain.get_content()
    assert "Dag!" in body
    assert "Uw afspraak op vrijdag 27 maart 2026 is geannuleerd." in body
    assert mail["List-Unsubscribe"] is None, "there is nobody whom it could unsubscribe"
    assert kafka.events == []
    assert [(look.action, look.outcome, look.filter, look.clients) for look in kafka.looks[-1:]] == [
        ("test-message", "done", "cancelled", ())
    ]


async def test_nobody_has_many_samples_sent(client: aiohttp.ClientSession, kafka: Kept, inbox: FakeSmtp) -> None:
    await sign_in(client)
    for _ in range(3):
        await send(client, "/instellingen", 200, "/instellingen/proef")
    looks = len(kafka.looks)
    assert "Wacht een minuut" in await send(client, "/instellingen", 429, "/instellingen/proef")
    assert (len(inbox.raw), len(kafka.looks)) == (3, looks)


async def test_without_an_address_that_somebody_vouches_for_there_is_no_sample(
    client: aiohttp.ClientSession, kafka: Kept, inbox: FakeSmtp
) -> None:
    await sign_in(client, "plein")
    assert "Stuur een proef" not in await get(client, "/instellingen")
    await send(client, "/instellingen", 403, "/instellingen/proef", email="plein@example.org")
    assert inbox.raw == []


async def test_while_kafka_is_away_no_sample_is_sent(client: aiohttp.ClientSession, kafka: Kept, inbox: FakeSmtp) -> None:
    await sign_in(client)
    kafka.away_for = {"access-log"}
    await send(client, "/instellingen", 503, "/instellingen/proef")
    assert inbox.raw == []


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": " jan@linde.example ", "email_verified": True}, "jan@linde.example"),
        ({"email": "jan@linde.example"}, ""),
        ({"email": "jan@linde.example", "email_verified": False}, ""),
        ({"email": "jan@linde.example", "email_verified": "true"}, ""),
        ({"email": "jan@linde.example, x@y.nl", "email_verified": True}, ""),
        ({"email": "jan@linde.example\r\nBcc: x@y.nl", "email_verified": True}, ""),
        ({"email": ["jan@linde.example"], "email_verified": True}, ""),
        ({"email_verified": True}, ""),
    ],
)  # fmt: skip
def test_only_an_address_that_the_provider_has_verified_counts(claims: dict[str, Any], email: str) -> None:
    assert verified_email(claims) == email


# --- the day as a strip -------------------------------------------------------------------------------------------------------

STRIPS: list[tuple[dict[str, Any], list[tuple[int, int]], list[tuple[int, bool]], str]] = [
    ({"reminder": None, "quiet_hours": None}, [], [], "Er zijn geen stille uren. Er zijn geen herinneringen."),
    ({"quiet_hours": {"from": "21:00", "until": "08:00"}}, [(0, 480), (1260, 1440)], [(570, False)],
     "Stille uren van 21:00 tot 08:00 uur. Een herinnering om 09:30 uur."),
    ({"quiet_hours": {"from": "00:00", "until": "10:00"}}, [(0, 600)], [(570, True)],
     "Stille uren van 00:00 tot 10:00 uur. De herinnering om 09:30 uur gaat om 10:00 uur, of toch meteen als de afspraak binnen "
     "24 uur begint."),
    ({"quiet_hours": {"from": "22:00", "until": "00:00"}}, [(1320, 1440)], [(570, False)],
     "Stille uren van 22:00 tot 00:00 uur. Een herinnering om 09:30 uur."),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "quiet", "marks", "words"), STRIPS)
def test_a_day_is_shown_as_a_strip(
    changed: dict[str, Any], quiet: list[tuple[int, int]], marks: list[tuple[int, bool]], words: str
) -> None:
    day = strip(check(Organisation, {**BOTH, **changed}))
    assert (day.quiet, [(mark.at, mark.waits) for mark in day.marks], day.words) == (quiet, marks, words)


async def test_the_strip_follows_the_form(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await send(
        client, "/instellingen", 200, "/instellingen/voorbeeld", eigen_stilte="1", stilte="ja", stilte_van="09:00",
        stilte_tot="10:00",
    )  # fmt: skip
    assert '<rect class="quiet" x="540" width="60" height="60"/>' in page
    assert "De herinnering om 09:30 uur gaat om 10:00 uur" in page
