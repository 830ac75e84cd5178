"""Every page in a real browser (Chromium on PATH): usable without a mouse and on a phone; axe-core finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from agents.access.table import ROUTES
from agents.fakes.smtp import FakeSmtp
from agents.kafka.writer import Event
from agents.projection import organisations
from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.providers import EmailCall
from agents.providers.smtp import Smtp
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import Sessions
from renderers.email import EmailText, message_bytes
from schemas.access import ROLES, Role
from schemas.holds import Hold
from schemas.wire import encode, read
from tests.browser.driving import NEEDED, SIZES, check, launched, opened, press
from tests.world import organisation

from . import calls
from .conftest import KEY, Kept
from .samples import NOW, doubted, fill, held, sample

SESSIONS = "a-key-of-sessions-that-is-long-enough"

pytestmark = NEEDED


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan@linde.example", "linde", "een-lang-wachtwoord"))
    found = Settings(unsubscribe_keys=(KEY,), web_port=0, data=tmp_path, accounts=file, session_keys=(SESSIONS,))
    fill(found, sample())
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    app = create_web(settings, kafka, clock=lambda: NOW)
    async with Server(app, settings.web_host, 0, settings.web_slow_seconds) as running:
        yield running


@pytest_asyncio.fixture(params=SIZES, loop_scope="module")
async def page(request: pytest.FixtureRequest, server: Server, chromium: Any) -> AsyncIterator[Any]:
    async with opened(chromium, request.param, server.url) as page:
        yield page


async def test_from_a_mail_in_the_inbox_to_unsubscribed_and_back(
    page: Any, server: Server, settings: Settings, kafka: Kept, token: str
) -> None:
    upstream(settings, LINDE)
    async with FakeSmtp() as inbox:
        words = EmailText("Bericht", "t", "t", "<p>t</p>")
        data = message_bytes(
            words, from_="zorg@linde.example", reply_to=None, to="anna@client.example", message_id="a@b", date=NOW,
            unsubscribe=f"https://afspraakbericht.example/u/{token}",
        )  # fmt: skip
        smtp = Smtp("127.0.0.1", inbox.port, "none", None, None, timeout=10.0, connections=1)
        await smtp(EmailCall(message="m", mail_from="zorg@linde.example", recipient="anna@client.example", data=data))
        (link,) = message_from_bytes(inbox.raw[0], policy=policy.SMTP).get_all("List-Unsubscribe", [])
    await page.goto(link.strip("<>").replace("https://afspraakbericht.example", server.url))
    assert "krijgt u van Thuiszorg De Linde geen" in await page.text_content("main")
    await check(page, "afmelden")
    assert kafka.events == []
    await press(page, "Meld mij af voor e-mail")
    assert await page.text_content("h1") == "Uw afmelding is ontvangen"
    await check(page, "afgemeld")
    await press(page, "Zet e-mail weer aan")
    assert await page.text_content("h1") == "Uw aanmelding is ontvangen"
    await check(page, "weer-aan")
    assert [event.value["off"] for event in kafka.events] == [True, False]


async def test_a_link_that_was_cut(page: Any, kafka: Kept, token: str) -> None:
    await page.goto(f"/u/{token[:-8]}")
    assert await page.text_content("h1") == "Deze link werkt niet"
    assert await page.locator("button").count() == 0
    await check(page, "afmelden-link-niet-compleet")
    assert kafka.events == []


async def test_while_kafka_is_away(page: Any, kafka: Kept, token: str) -> None:
    await page.goto(f"/u/{token}")
    kafka.away = True
    await press(page, "Meld mij af voor e-mail")
    assert await page.text_content("h1") == "Dit lukt nu even niet"
    await check(page, "storing")


async def test_the_overview(page: Any) -> None:
    await page.goto("/berichten?kanaal=sms")
    await check(page, "inloggen")
    await page.fill("#gebruiker", "jan@linde.example")
    await page.fill("#wachtwoord", "dit-is-het-niet")
    await page.press("#wachtwoord", "Enter")
    await page.wait_for_selector("[role=alert]")
    await check(page, "inloggen-fout")
    assert await page.input_value("#gebruiker") == "jan@linde.example"
    await page.fill("#wachtwoord", "een-lang-wachtwoord")
    await page.press("#wachtwoord", "Enter")
    await page.wait_for_selector("table")
    assert page.url.endswith("/berichten?kanaal=sms"), "where a link led is where one comes after signing in"
    await page.goto("/berichten")
    await check(page, "berichten")
    await press(page, "Niet verstuurd 11")
    assert set(await page.locator("tbody .status").all_text_contents()) == {"Niet verstuurd"}
    await check(page, "berichten-niet-verstuurd")
    await page.goto("/berichten")
    await press(page, "Oudere berichten")
    await check(page, "berichten-ouder")
    await press(page, "Nieuwere berichten")
    await page.fill("#client", "  CL-00")
    await press(page, "Zoeken")
    assert await page.locator(".found li").count() == 10
    await check(page, "berichten-gezocht")
    await page.fill("#client", "bestaat-niet")
    await press(page, "Zoeken")
    await check(page, "berichten-geen")
    await page.goto("/berichten?van=2026-03-12&tot=2026-03-01")
    assert "ligt na de laatste" in await page.text_content("[role=alert]")
    await check(page, "berichten-andersom")
    await page.goto("/nietgevonden")
    assert await page.locator(".top nav a").count() == 5
    await check(page, "bestaat-niet")
    await page.goto("/berichten")
    await page.locator("tbody a").first.click()
    await check(page, "client")
    await press(page, "Wie keek bij deze cliënt?")
    await check(page, "wie-keek")
    await page.goto("/wie-keek")
    await check(page, "wie-keek-vraag")
    await page.goto("/tegenhouden")
    await check(page, "tegenhouden-niets")
    await press(page, "Uitloggen")
    assert await page.text_content("h1") == "Inloggen"


async def test_the_figures_by_keyboard(page: Any, settings: Settings) -> None:
    await sign_in(page)
    await page.goto("/kosten")
    await check(page, "kosten")
    for summary in await page.locator("main summary").all():
        await summary.press("Enter")
    await check(page, "kosten-tabellen")
    await press(page, "Nummer bestaat niet")
    assert set(await page.locator("tbody .status").all_text_contents()) == {"Niet afgeleverd"}
    await page.goto("/kosten")
    await press(page, "De laatste 365 dagen")
    await check(page, "kosten-jaar")
    sizes = "[...document.querySelectorAll('main *')].filter(e => e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize))"
    assert min(await page.evaluate(sizes)) >= 13, "nothing that is read is small, on a phone either"


async def test_a_planner_answers_the_telephone_from_one_page(page: Any, settings: Settings, kafka: Kept) -> None:
    """Why did I get nothing, and do I still get a reminder? Eight reasons, and one client who got everything."""
    assert settings.accounts is not None
    settings.accounts.write_text(accounts.entry("jan@linde.example", "zorg", "een-lang-wachtwoord"))
    calls.project(settings, calls.world())
    await sign_in(page)
    for client, (reach, told, reminder) in calls.ANSWERS.items():
        await page.fill("#client", client[:3].upper())
        await press(page, "Zoeken")
        await page.locator(f".found a:text-is('{client}')").press("Enter")
        await page.wait_for_selector(".verdict")
        assert await page.text_content(".verdict") == reach
        assert told in await page.text_content(".told"), client
        assert reminder in await page.text_content(".reminder"), client
        assert kafka.looks[-1].clients == (client,)
        if client in ("ulla", calls.REACHED):
            await check(page, f"telefoon-{client}")
        await page.go_back()


LINDE = organisation(
    organisation="linde", name="Thuiszorg De Linde", reminder={"days_before": 2, "at": "09:30"},
    sms={"originator": "De Linde", "before": "De Linde:", "after": "", "unit_price": "0.075", "currency": "EUR"},
    email={
        "from": "Thuiszorg De Linde <afspraken@linde.example>", "reply_to": None, "subject": "Bericht over uw afspraak",
        "before": "Beste cliënt,", "after": "Met vriendelijke groet,\nThuiszorg De Linde",
    },
)  # fmt: skip


def upstream(settings: Settings, *values: dict[str, Any]) -> None:
    """The settings come in."""
    projection = Projection(open_database(None, settings.data))
    for number, value in enumerate(values):
        projection.note(organisations.row("organisations", 0, number, b"linde", orjson.dumps(value), NOW))


async def sign_in(page: Any) -> None:
    await page.goto("/aanmelden")
    await page.fill("#gebruiker", "jan@linde.example")
    await page.fill("#wachtwoord", "een-lang-wachtwoord")
    await page.press("#wachtwoord", "Enter")
    await page.wait_for_selector("table")


async def focus(page: Any, id_: str) -> None:
    """Reach a control by the keyboard alone."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == id_:
            return
    raise AssertionError(f"{id_} is not reached by Tab")


async def test_the_page_of_holds_by_keyboard(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    projection = Projection(open_database(None, settings.data))
    asked = {"organisation": "linde", "client": "anna", "request": "r", "party": "rooster-van-een-lange-naam", "text": "Vul in."}
    projection.take("requests", 0, 0, [TopicEntry(0, orjson.dumps(asked), NOW)])
    await sign_in(page)
    await page.goto("/tegenhouden")
    await check(page, "tegenhouden")
    await press(page, "Houd de berichten tegen")
    await check(page, "tegenhouden-zeker")
    await press(page, "Ja, houd de berichten tegen")
    assert "Het is gedaan" in await page.text_content("[role=status]")
    value = encode(Hold(organisation="linde", at=NOW - timedelta(hours=1), by="Jan Jansen"))  # an hour went by
    kafka.events.append(Event("elsewhere", "linde", value))
    projection.note(organisations.row("holds", 0, 1, b"linde", value, NOW))
    waits = [held("cl-003"), held("cl-004", near=1), held("cl-005", channel="email")]
    entries = [TopicEntry(number, encode(one), NOW, f"linde/{one.client}".encode()) for number, one in enumerate(waits)]
    projection.take("held", 0, 0, entries)
    projection.take("doubted", 0, 0, [TopicEntry(0, encode(doubted(3, clients=1234)), NOW, b"linde/3")])
    await page.reload()
    assert await page.locator("dd").all_text_contents() == ["3", "3", "1", "2", "€\xa00,15"]
    assert "Bij 1234 cliënten noemt uw ECD afspraken niet meer" in await page.text_content("main")
    await check(page, "tegenhouden-aan")
    await press(page, "Zeg niets hierover")
    await check(page, "tegenhouden-zwijg")
    await press(page, "Ja, zeg hier niets over")
    assert "De berichten gaan gewoon weg." in await page.text_content("main")
    await press(page, "Houd rooster-van-een-lange-naam tegen")
    await check(page, "tegenhouden-partij")
    await press(page, "Ja, houd ze tegen")
    await check(page, "tegenhouden-partij-aan")
    said = [
        (one.notices, one.parties, one.seen_at is not None)
        for one in (read(Hold, event.value) for event in kafka.events if event.topic == "holds")
    ]
    assert said == [(True, [], False), (False, [], True), (False, ["rooster-van-een-lange-naam"], False)]


PLACES = {
    "Berichten": "/berichten",
    "Aantallen en kosten": "/kosten",
    "Instellingen": "/instellingen",
    "Tegenhouden": "/tegenhouden",
    "Wie keek": "/wie-keek",
}
OF_ROLES: list[tuple[tuple[Role, ...], list[str]]] = [
    (("inzage",), ["Berichten"]),
    (("kosten",), ["Aantallen en kosten"]),
    (("beheer",), ["Instellingen", "Tegenhouden", "Wie keek"]),
    (("inzage", "kosten", "beheer"), list(PLACES)),
    ((), []),
]


@pytest.mark.parametrize(("roles", "names"), OF_ROLES, ids=[",".join(row[0]) or "none" for row in OF_ROLES])
async def test_a_walk_by_role_shows_its_pages_and_every_other_is_refused(
    page: Any, settings: Settings, kafka: Kept, roles: tuple[Role, ...], names: list[str]
) -> None:
    """By the menu alone; then every other page and form is tried by its address, from within the signed-in browser."""
    assert settings.accounts is not None
    settings.accounts.write_text(accounts.entry("jan@linde.example", "linde", "een-lang-wachtwoord", roles))
    upstream(settings, LINDE)
    await page.goto("/aanmelden")
    await page.fill("#gebruiker", "jan@linde.example")
    await page.fill("#wachtwoord", "een-lang-wachtwoord")
    async with page.expect_navigation():
        await page.press("#wachtwoord", "Enter")
    assert await page.locator(".top nav a").all_text_contents() == names
    for name in names:
        await page.click(f".top nav a:text-is('{name}')")
        assert await page.get_attribute(".top nav a[aria-current]", "href") == PLACES[name]
        await check(page, f"rol-{'-'.join(roles)}-{PLACES[name][1:]}")
    if not roles:
        assert await page.text_content("h1") == "Deze pagina is niet voor u"
        await check(page, "rol-geen")
    client = Sessions([SESSIONS]).client("linde", "cl-003")
    expected, found = {}, {}
    for route, rule in ROUTES.items():
        method, _, path = route.partition(" ")
        if rule.who not in ROLES or rule.who in roles:
            continue
        tried = "async ([path, method]) => (await fetch(path, {method, redirect: 'manual'})).status"
        found[route] = await page.evaluate(tried, [path.replace("{client}", client).replace("{figure}", "dagen"), method])
        expected[route] = 403 if roles else 0  # 0: the browser is sent to sign in
    assert found == expected
    refused = {one.filter for one in kafka.looks if one.outcome == "refused" and one.action != "sign-in"}
    assert refused == (set(expected) if roles else set())
    assert kafka.events == []


async def test_the_settings_by_keyboard_with_a_live_preview(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    await check(page, "instellingen")
    assert not await page.is_visible("#sms_voor")
    await focus(page, "eigen_herinnering")
    await page.keyboard.press("Space")
    await focus(page, "herinnering_dagen")
    await page.keyboard.type("1")
    await focus(page, "eigen_sms_voor")
    await page.keyboard.press("Space")
    await focus(page, "sms_voor")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Thuiszorg De Linde, uw cliëntenservice:")
    await page.wait_for_selector(".bubble:has-text('Thuiszorg De Linde, uw cliëntenservice: Er is een afspraak')")
    assert "2 delen" in await page.text_content("#meting"), "a screen reader is told the size"
    assert "2 delen" in await page.text_content(".size")
    await check(page, "instellingen-ingevuld")
    await press(page, "Opslaan")
    assert "is opgeslagen" in await page.text_content("[role=status]")
    await check(page, "instellingen-opgeslagen")
    assert orjson.loads(kafka.events[0].value) == {
        "organisation": "linde",
        "reminder": {"days_before": 1, "at": "09:30"},
        "sms": {"before": "Thuiszorg De Linde, uw cliëntenservice:"},
    }


async def test_the_settings_with_what_is_wrong_and_what_was_refused(page: Any, settings: Settings) -> None:
    upstream(settings, LINDE, {**LINDE, "time_zone": "Europe/Nergens"})
    await sign_in(page)
    await page.goto("/instellingen")
    await page.check("#eigen_mail_onderwerp")
    await page.fill("#mail_onderwerp", "")
    await page.check("#eigen_stilte")
    await page.select_option("#stilte", "ja")
    await page.fill("#stilte_tot", "21:00")
    await press(page, "Opslaan")
    assert await page.locator("[role=alert] li").count() == 2
    await check(page, "instellingen-fout")
    await page.click("[role=alert] li >> nth=1 >> a")
    assert await page.evaluate("document.activeElement.id") == "mail_onderwerp"


async def test_what_is_typed_is_counted_and_never_cut(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    await page.check("#eigen_sms_na")
    await page.fill("#sms_na", "é😀\n")
    assert await page.text_content("#sms_na-telling") == "Nog 197 tekens."
    await page.fill("#sms_na", "x" * 205)
    assert await page.input_value("#sms_na") == "x" * 205
    assert await page.text_content("#sms_na-telling") == "5 tekens te veel."
    await page.wait_for_selector("#sms_na-telling.over")
    await press(page, "Opslaan")
    assert "niet meer dan 200 tekens" in await page.text_content("[role=alert]")
    assert await page.input_value("#sms_na") == "x" * 205
    await check(page, "instellingen-te-lang")
    assert kafka.events == []


async def test_leaving_unsaved_settings_is_asked_about(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    asked: list[str] = []

    async def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        await (dialog.accept() if len(asked) > 1 else dialog.dismiss())

    page.on("dialog", answer)
    await page.check("#eigen_sms_na")
    await page.fill("#sms_na", "Tot dan!")
    await page.click(".top nav a:text-is('Berichten')")
    await page.wait_for_timeout(0)
    assert asked == ["beforeunload"]
    assert page.url.endswith("/instellingen"), "whoever says no stays"
    async with page.expect_navigation():
        await page.click(".top nav a:text-is('Berichten')")
    assert asked == ["beforeunload"] * 2
    await page.goto("/instellingen")
    assert await page.input_value("#sms_na") == "Tot dan!", "what was left is offered again"
    assert "Het is nog niet opgeslagen" in await page.text_content("#terug")
    await check(page, "instellingen-terug")
    await press(page, "Opslaan")
    assert orjson.loads(kafka.events[0].value)["sms"] == {"after": "Tot dan!"}
    await page.goto("/berichten")
    await page.goto("/instellingen")
    assert not await page.is_visible("#terug")
    assert len(asked) == 2, "nothing was left unsaved"


async def test_what_was_filled_in_outlives_the_session(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    await page.check("#eigen_mail_na")
    await page.fill("#mail_na", "Met vriendelijke groet")
    await page.context.clear_cookies()
    await press(page, "Opslaan")
    assert await page.text_content("h1") == "Inloggen"
    assert kafka.events == []
    await sign_in(page)
    await page.goto("/instellingen")
    assert await page.input_value("#mail_na") == "Met vriendelijke groet"
    assert "Het is nog niet opgeslagen" in await page.text_content("#terug")
    await press(page, "Opslaan")
    assert orjson.loads(kafka.events[0].value)["email"] == {"after": "Met vriendelijke groet"}


async def test_messages_are_switched_off_in_two_steps_by_keyboard(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    await focus(page, "eigen_berichten")
    await page.keyboard.press("Space")
    await focus(page, "berichten")
    await page.keyboard.press("ArrowDown")
    await press(page, "Opslaan")
    assert "Weet u zeker" in await page.text_content("[role=alert]")
    await check(page, "instellingen-zeker")
    assert kafka.events == []
    await press(page, "Ja, zet de berichten uit")
    assert orjson.loads(kafka.events[0].value)["notifications"] is False
    for path in ("/instellingen", "/berichten", "/kosten"):
        await page.goto(path)
        assert "Alle berichten staan uit." in await page.text_content("aside")
    await check(page, "uit")


async def test_texts_of_a_label_and_in_english_by_keyboard(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, {**LINDE, "languages": ["nl", "en"], "quiet_hours": {"from": "21:00", "until": "08:00"}})
    await sign_in(page)
    await page.goto("/instellingen")
    await focus(page, "soort")
    await page.keyboard.type("intake")
    await press(page, "Kies de teksten")
    assert await page.text_content("h1") == "Soort afspraak intake"
    await focus(page, "eigen_melden")
    await page.keyboard.press("Space")
    await page.locator("summary:text-is('Herinnering')").focus()
    await page.keyboard.press("Enter")
    await focus(page, "eigen_herinnering_sms_na")
    await page.keyboard.press("Space")
    await focus(page, "herinnering_sms_na")
    await page.keyboard.type("Neem uw pas mee.")
    await page.wait_for_selector(".bubble:has-text('Neem uw pas mee.')")
    await check(page, "instellingen-soort")
    await press(page, "Opslaan")
    assert "is opgeslagen" in await page.text_content("[role=status]")
    await page.goto("/instellingen")
    await page.click("text=Teksten in het Engels")
    await page.check("#eigen_sms_voor")
    await page.fill("#sms_voor", "De Linde:")
    await page.wait_for_selector(".bubble:has-text('De Linde: An appointment has been made for you')")
    await check(page, "instellingen-engels")
    await press(page, "Opslaan")
    assert orjson.loads(kafka.events[-1].value) == {
        "organisation": "linde",
        "labels": {"intake": {"notify": "all", "templates": {"reminder": {"sms": {"after": "Neem uw pas mee."}}}}},
        "translations": {"en": {"sms": {"before": "De Linde:"}}},
    }
    await page.goto("/instellingen/teksten?soort=intake")
    await page.click("text=Haal deze soort weg")
    await check(page, "instellingen-soort-weg")
    await press(page, "Ja, haal deze soort weg")
    assert "labels" not in orjson.loads(kafka.events[-1].value)


async def test_an_email_is_shown_as_it_is_sent(page: Any, settings: Settings) -> None:
    """Its styles count, nothing of it runs, and it is as high as what stands in it."""
    upstream(settings, LINDE)
    await sign_in(page)
    await page.goto("/instellingen")
    frame = page.frame_locator("iframe.sheet-of-mail").first
    await frame.locator("p:has-text('Er is een afspraak met u gemaakt')").wait_for()
    styled = await frame.locator("div[lang=nl]").evaluate("one => getComputedStyle(one).fontFamily")
    assert "sans-serif" in styled
    room = "one => one.clientHeight - Math.ceil(one.contentDocument.body.getBoundingClientRect().bottom)"
    assert 0 <= await page.locator("iframe.sheet-of-mail").first.evaluate(room) < 60
    assert await frame.locator("div[lang=nl]").evaluate("one => getComputedStyle(one).maxWidth") == "580px"


async def test_the_settings_before_upstream_said_anything(page: Any) -> None:
    await sign_in(page)
    await page.goto("/instellingen")
    await check(page, "instellingen-geen")


async def test_the_settings_without_javascript(page: Any, settings: Settings, kafka: Kept) -> None:
    upstream(settings, LINDE)
    await page.route("**/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    await sign_in(page)
    await page.goto("/instellingen")
    await page.check("#eigen_sms_na")
    await page.fill("#sms_na", "Tot dan!")
    await press(page, "Voorbeeld vernieuwen")
    assert (await page.text_content(".bubble")).endswith("Tot dan!")
    assert await page.input_value("#sms_na") == "Tot dan!"
    await check(page, "instellingen-zonder-javascript")
    assert kafka.events == []
    await press(page, "Opslaan")
    assert orjson.loads(kafka.events[0].value)["sms"] == {"after": "Tot dan!"}
