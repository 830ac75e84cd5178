"""A page in a real browser (Chromium on PATH), at the widths of a desk and a phone, and what has to hold for each page.

`BROWSER=shots` keeps screenshots in `data/screenshots`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")
"""The headless shell first: it starts in half the time."""
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
SHOTS = Path("data/screenshots") if os.environ.get("BROWSER") == "shots" else None
EXPECTED = re.compile("status of (403|404|422|503)|'postMessage' on 'DOMWindow'.+recipient window's origin \\('null'\\)")
"""On the console: pages of errors, and axe-core that cannot ask a sandboxed frame."""
SIZES = {"phone": 390, "desk": 1280}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Of axe-core, by tag."""

NEEDED = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian package chromium)"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="playwright is not installed"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.asyncio(loop_scope="module"),
]
"""The marks of a module of browser tests: it has one loop, that of its browser."""


@asynccontextmanager
async def launched() -> AsyncIterator[Any]:
    """A browser, for all tests of a module: to start one takes as much CPU time as most of them."""
    from playwright.async_api import async_playwright

    arguments = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    chromium: Any, size: str, base_url: str | None = None, scheme: Literal["light", "dark"] = "light"
) -> AsyncIterator[Any]:
    """A page in a context of its own, without cookies or storage of another one.

    What the browser says on its console, such as what the content policy refused, is a failure.
    """
    viewport = {"width": SIZES[size], "height": 820}
    context = await chromium.new_context(viewport=viewport, base_url=base_url, locale="nl-NL", color_scheme=scheme)
    page = await context.new_page()
    page.set_default_timeout(20_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.kind = size
    yield page
    await context.close()
    unexpected = [line for line in said if not EXPECTED.search(line)]
    assert not unexpected, unexpected


async def check(page: Any, name: str, rules: Sequence[str] = RULES) -> None:
    """Nothing that axe-core finds, nothing that hangs out of the window, a title, a language; and a screenshot where asked."""
    folder = importlib.util.find_spec("axe_playwright_python")
    assert folder is not None
    assert folder.submodule_search_locations
    assert await page.title()
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await page.evaluate((Path(folder.submodule_search_locations[0]) / "axe.min.js").read_text())
    tags = list(rules)
    found = await page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    await shot(page, name)


async def shot(page: Any, name: str) -> None:
    """Keep a screenshot where asked."""
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SHOTS / f"{name}-{page.kind}.png", full_page=True)


async def press(page: Any, name: str) -> None:
    """Reach a button by the keyboard alone, and press it."""
    for _ in range(90):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent.trim()") == name:
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name!r} is not reached by Tab")
