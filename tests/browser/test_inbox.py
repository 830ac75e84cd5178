"""The demo's inbox in a real browser: it follows along, by keyboard alone, wide and narrow, light and dark; a picture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from agents.demo.inbox import Inbox
from renderers.email import email
from renderers.sms import texts
from tests.agents.demo.test_inbox import LONG, mail, sms
from tests.browser.driving import NEEDED, check, launched, opened, shot
from tests.renderers.samples import AT_13, AT_14, SENT, delivery, notice, organisation
from tests.renderers.test_golden import LINK

pytestmark = NEEDED

NAMES = {"+31612345678": "anna"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with launched() as browser:
        yield browser


async def tab(page: Any, name: str) -> None:
    """Reach a link by the keyboard alone."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if name in await page.evaluate("document.activeElement.textContent"):
            return
    raise AssertionError(f"{name!r} is not reached by Tab")


async def follow(page: Any, name: str) -> None:
    """Reach a link by the keyboard alone, and follow it."""
    await tab(page, name)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
async def test_what_arrives_is_there_at_once_and_is_read_by_keyboard(
    chromium: Any, size: str, scheme: Literal["light", "dark"]
) -> None:
    async with Inbox(ZoneInfo("Europe/Amsterdam"), NAMES, port=0) as inbox, opened(chromium, size, inbox.url, scheme) as page:
        inbox.places = {"Overview": "http://127.0.0.1:1/berichten", "Metrics": "http://127.0.0.1:2/metrics"}
        await page.goto("/")
        await check(page, f"inbox-leeg-{scheme}")
        inbox.take_sms(sms("De Linde: Uw afspraak op 3 maart is geannuleerd."))
        inbox.take_email(mail())
        await page.wait_for_selector("#m2")
        assert await page.locator("#list > li").evaluate_all("all => all.map(one => one.id)") == ["m2", "m1"]
        await tab(page, "anna")
        inbox.take_sms(sms(LONG))
        await page.wait_for_selector("#m3")
        assert "geannuleerd" in await page.evaluate("document.activeElement.textContent"), "the focus stays where it was"
        assert await page.text_content("#count") == "3 messages, the newest first"
        await check(page, f"inbox-{scheme}")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert await page.locator(".bubble").count() == 2
        inbox.take_sms(sms("De Linde: tot morgen!"))
        await page.wait_for_selector("#t4")
        assert await page.locator(".bubble").last.text_content() == "De Linde: tot morgen!"
        await check(page, f"inbox-sms-{scheme}")
        if size == "phone":
            await follow(page, "All messages")
        await follow(page, "Bericht over uw afspraak")
        frame = page.frame_locator("iframe")
        assert await frame.locator("li strong").first.text_content() == "vrijdag 17 januari 2020"
        await check(page, f"inbox-mail-{scheme}")
        for name in ("On a phone", "Text", "Source"):
            await follow(page, name)
            await check(page, f"inbox-mail-{name.split()[-1].lower()}-{scheme}")
        assert "List-Unsubscribe" in await page.text_content("pre")


async def test_a_link_of_a_mail_opens_elsewhere(chromium: Any) -> None:
    async with Inbox(ZoneInfo("Europe/Amsterdam"), NAMES, port=0) as inbox, opened(chromium, "desk", inbox.url) as page:
        inbox.places = {"Overview": "http://127.0.0.1:1/berichten", "Metrics": "http://127.0.0.1:2/metrics"}
        inbox.take_email(mail("several", link=f"{inbox.url}nergens"))
        inbox.take_sms(sms("De Linde: U heeft een afspraak op 3 maart om 13:15. Kunt u niet? Bel 0544 123456."))
        inbox.take_email(mail("reminder"))
        inbox.take_sms(sms(LONG))
        await page.set_viewport_size({"width": 960, "height": 640})
        await page.goto("/messages/1")
        await page.frame_locator("iframe").locator("strong").first.wait_for()
        await shot(page, "inbox-voor-de-readme")
        async with page.context.expect_page() as opening:
            await page.frame_locator("iframe").locator("a").click()
        elsewhere = await opening.value
        await elsewhere.wait_for_load_state()
        assert elsewhere.url == f"{inbox.url}nergens"
        await elsewhere.close()
        assert page.url == f"{inbox.url}messages/1"


PICTURE = """<!DOCTYPE html><html lang="nl"><head><title>Een sms en een e-mail</title><style>
body { margin: 0; padding: 26px; display: flex; gap: 26px; background: #e9edf2; font: 15px/1.5 Helvetica, Arial, sans-serif; }
.phone { box-sizing: border-box; width: 280px; padding: 16px 12px; border: 9px solid #222; border-radius: 32px;
  background: #fff; }
.phone b { display: block; margin-bottom: 10px; text-align: center; }
.phone p { margin: 0; padding: 10px 14px; border-radius: 18px 18px 18px 4px; background: #e3edec; font-size: 16px; }
.mail { flex: 1; border: 1px solid #c5d0cf; border-radius: 10px; background: #fff; overflow: hidden; }
.mail p { margin: 0; padding: 12px 16px; border-bottom: 1px solid #c5d0cf; color: #48585e; }
.mail p b { color: #1c2b30; font-size: 17px; }
iframe { display: block; width: 100%; height: 404px; border: 0; }
</style></head><body><div class="phone"><b>De Linde</b><p id="sms"></p></div>
<div class="mail"><p><b id="subject"></b><br>Van: Thuiszorg De Linde &lt;afspraken@linde.example&gt;</p>
<iframe title="De e-mail"></iframe></div></body></html>"""

FILL = """([sms, subject, html]) => {
  document.getElementById("sms").textContent = sms;
  document.getElementById("subject").textContent = subject;
  document.querySelector("iframe").srcdoc = html;
}"""


async def test_an_sms_beside_an_email_for_the_readme(chromium: Any) -> None:
    """The same notice in both: what stands in the picture is what the renderers say."""
    told, asks = delivery(notice("moved", AT_13, AT_14)), "Kunt u niet? Bel 0544 123456."
    said = texts(told, organisation("De Linde:", asks), SENT)
    letter = email(told, organisation("Beste cliënt,", f"{asks}\n\nMet vriendelijke groet,\nThuiszorg De Linde"), SENT, LINK)
    async with opened(chromium, "desk") as page:
        await page.set_viewport_size({"width": 960, "height": 540})
        await page.set_content(PICTURE)
        await page.evaluate(FILL, [said.text, letter.subject, letter.html])
        assert "verplaatst" in await page.frame_locator("iframe").locator("strong >> xpath=..").text_content()
        assert await page.text_content("#sms") == said.text
        await shot(page, "sms-en-mail")
