"""E-mails in a real browser: at the widths of a desk and a phone, light and dark, with nothing that axe-core finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
import pytest_asyncio

from renderers.email import email
from tests.browser.driving import NEEDED, RULES, SIZES, check, launched, opened
from tests.renderers.samples import SENT, delivery, notice, organisation, request, view
from tests.renderers.test_golden import CASES, LINK

pytestmark = NEEDED

OF_A_PART = [rule for rule in RULES if rule != "best-practice"]
"""A mail is a part of the page of a mail client, whose are landmarks and heading."""

AROUND = organisation("Beste " + "x" * 150, "Vragen? Bel 0800-1234.\nMet vriendelijke groet,\nThuiszorg De Linde")
LONG = {
    "place": (delivery(notice("created", now=view("2020-01-17 22:00", "2020-01-18 06:00", "Behandelcentrum" * 12))), AROUND),
    "link": (request(f"Zie https://vragen.example/{'a' * 300} voor meer.", "Vragenlijst"), AROUND),
}

MEASURED = """() => {
  const column = document.querySelector("body > div[lang]"), style = getComputedStyle(column);
  const size = one => parseFloat(getComputedStyle(one).fontSize);
  return {
    column: column.getBoundingClientRect().width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    text: [...new Set([...column.querySelectorAll(":scope > p, :scope > ul > li")].map(size))],
    last: size(column.lastElementChild),
    bold: [...column.querySelectorAll("strong")].every(one => getComputedStyle(one).fontWeight >= 700),
    shown: document.body.innerText,
    paper: matchMedia("(prefers-color-scheme: dark)").matches ? style.color : "light",
  };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with launched() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_an_email_is_a_column_that_fits_in_large_letters(
    chromium: Any, size: str, scheme: Literal["light", "dark"]
) -> None:
    async with opened(chromium, size, scheme=scheme) as page:
        for name, (told, settings) in {"several": CASES["several"], **LONG}.items():
            mail = email(told, settings, SENT, LINK)
            found = await measured(page, mail.html)
            await check(page, f"mail-{name}-{scheme}", OF_A_PART)
            assert found["column"] == (580 if size == "desk" else 390 - 32), name
            assert (found["text"], found["last"], found["bold"]) == ([18], 15, True), name
            assert found["shown"].split() == shown(mail.plain, LINK).split(), "no preheader, all else"
            assert found["paper"] == ("light" if scheme == "light" else "rgb(255, 255, 255)")


async def measured(page: Any, html: str) -> dict[str, Any]:
    await page.set_content(html)
    await page.add_style_tag(content="html { background: Canvas }")  # the paper that is there anyway: axe-core takes it for white
    found: dict[str, Any] = await page.evaluate(MEASURED)
    return found


def shown(plain: str, link: str) -> str:
    return plain.replace(f"Meld u af: {link}", "Meld u af voor e-mail over uw afspraken.")
