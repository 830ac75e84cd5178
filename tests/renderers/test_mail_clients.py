"""Every tag, attribute and style of an e-mail is one of which it is known what mail clients make of it.

`caniemail.json` is a part of the data of caniemail.com: of each feature the clients that are without it, and those that know it
partly. What a client is without must have been thought of here.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from renderers.email import PREHEADER_MOST, EmailText, email, letter
from renderers.languages import WORDINGS
from tests.renderers.samples import AT_13, SENT, delivery, notice, organisation, request, view
from tests.renderers.test_golden import CASES, LINK

KNOWN: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parent / "caniemail.json").read_text())["features"]

FEATURES: dict[str, str | None] = {
    "<!doctype>": "html-doctype", "<html>": None, "<html lang>": "html-lang", "<html dir>": "html-dir", "<head>": None,
    "<meta>": None, "<meta charset>": None, "<meta name>": None, "<meta content>": None, "<title>": None,
    "<meta color-scheme>": "html-meta-color-scheme", "<meta viewport>": None, "<style>": "html-style",
    "<body>": "html-body", "<body style>": None, "<div>": "html-div", "<div style>": None, "<div lang>": "html-lang",
    "<div dir>": "html-dir", "<p>": "html-p", "<ul>": "html-lists", "<li>": "html-lists", "<ul style>": None, "<li style>": None,
    "<br>": None, "<a>": None,
    "<a href>": None, "<strong>": "html-strong", "<!--[if mso]>": "html-comments", "<table>": "html-table", "<tr>": "html-table",
    "<td>": "html-table", "<table role>": "html-role", "<table align>": "html-align", "<table width>": "html-width",
    "border-top": "css-border", "color-scheme": "css-color-scheme", "display": "css-display-none", "font-family": None,
    "font-size": "css-font-size", "line-height": "css-line-height", "margin": "css-margin", "margin-top": "css-margin",
    "max-height": "css-max-height", "max-width": "css-max-width", "opacity": "css-opacity", "overflow": "css-overflow",
    "padding": "css-padding", "word-wrap": "css-word-wrap",
}  # fmt: skip
"""What may stand in an e-mail -> its name at caniemail.com; None: it has none there, for all know it or none needs it."""

WITHOUT = {
    "css-color-scheme": "it stays light, or the client turns the colours itself: none is ours, to be turned wrongly",
    "html-meta-color-scheme": "as above",
    "html-style": "as above: nothing but the colour scheme stands in it",
    "css-display-none": "Gmail in a phone's browser: max-height and overflow hide the preheader",
    "css-max-height": "Outlook for Windows: display hides the preheader",
    "css-overflow": "as above",
    "css-opacity": "the last lines are as dark as the rest, and still smaller and below a line",
    "css-word-wrap": "Outlook: one word wider than the window is cut or scrolls; Gmail breaks words by itself",
    "html-body": "the column has all that counts; the margin is the client's own then",
    "html-doctype": "nothing here depends on it",
    "html-role": "Windows' own mail reads our one cell as a table",
}
"""What some client is without -> what its reader sees in place of it."""


class Parsed(HTMLParser):
    """What an e-mail is made of, and what it says. `shown`: without the preheader."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.links: list[str] = []
        self.shown = self.preheader = ""
        self.open: list[tuple[str, bool]] = []
        self.feed(html)
        self.close()

    def handle_decl(self, decl: str) -> None:
        self.found.add(f"<!{decl.partition(' ')[0].lower()}>")

    def handle_comment(self, data: str) -> None:
        begin, _, rest = data.partition(">")
        assert begin == "[if mso]"
        self.found |= {"<!--[if mso]>", *Fragment(rest.removesuffix("<![endif]")).found}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {f"<{tag}>", *(f"<{tag} {name}>" for name, _ in attrs)}
        values = {name: value or "" for name, value in attrs}
        if "name" in values:
            self.found.add(f"<{tag} {values['name']}>")
        self.links += [
            value for name, value in values.items() if name in ("href", "src", "background", "srcset", "action", "poster")
        ]
        self.found |= declared(values.get("style", ""))
        if tag not in ("meta", "br"):
            self.open.append((tag, "display: none" in values.get("style", "")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self.open]
        if "style" in inside:
            self.found |= declared(re.sub(r"[^{}]*\{([^{}]*)\}", r"\1;", data))
        elif any(hidden for _, hidden in self.open):
            self.preheader += data
        elif "body" in inside:
            self.shown += data


class Fragment(Parsed):
    """What stands in a comment: it begins or ends what another one ends or begins."""

    def handle_endtag(self, tag: str) -> None:
        """Do nothing."""


def declared(style: str) -> set[str]:
    """The properties of a style."""
    assert "url(" not in style
    return {one.partition(":")[0].strip() for one in style.split(";") if one.strip()}


def flat(text: str) -> str:
    return " ".join(text.split())


OTHERWISE: dict[str, EmailText] = {
    "without a link": email(delivery(notice("reminder", now=AT_13)), organisation("Beste,"), SENT, None),
    "to an organisation": letter("Onderwerp", "Beste beheerder,\n\nZie https://x.example/a."),
}
MAILS = {name: email(*case, SENT, LINK) for name, case in CASES.items()} | OTHERWISE


@pytest.mark.parametrize("name", MAILS)
def test_an_email_has_nothing_but_what_it_is_known_of_what_clients_make_of_it(name: str) -> None:
    assert Parsed(MAILS[name].html).found - set(FEATURES) == set()


def test_what_some_client_is_without_was_thought_of() -> None:
    found = set().union(*(Parsed(mail.html).found for mail in MAILS.values()))
    used = {feature for one in found if (feature := FEATURES[one]) is not None}
    assert set(FEATURES) - found == {"<html dir>", "<div dir>"}, "of no language yet"
    assert {feature for feature in used if KNOWN[feature]["without"]} == set(WITHOUT)


def test_outlook_for_windows_has_its_column_from_the_comment() -> None:
    assert "outlook windows" in KNOWN["css-max-width"]["partly"], "of tables alone"
    for mail in MAILS.values():
        assert mail.html.count('<!--[if mso]><table role="presentation" align="center" width="580"><tr><td><![endif]-->') == 1
        assert mail.html.count("<!--[if mso]></td></tr></table><![endif]-->") == 1
        assert mail.html.count("max-width: 580px") == 1


@pytest.mark.parametrize("name", CASES)
def test_both_parts_say_the_same(name: str) -> None:
    """But the way to the link: a page has words for it, the plain text its address."""
    wording, mail = WORDINGS[CASES[name][0].language or "nl"], MAILS[name]
    at = f"{wording.unsubscribe_link}."
    assert flat(Parsed(mail.html).shown) == flat(mail.plain.replace(wording.unsubscribe_at.format(link=LINK), at))


def test_the_only_link_of_ours_is_the_one_to_unsubscribe() -> None:
    assert {name: Parsed(mail.html).links for name, mail in MAILS.items()} == {
        **{name: [LINK] for name in CASES}, "request": ["https://roqua.example/login?token=abc&lang=nl", LINK],
        "without a link": [], "to an organisation": ["https://x.example/a"],
    }  # fmt: skip


def test_a_list_of_mails_shows_what_is_said_and_not_the_salutation() -> None:
    said = Parsed(MAILS["reminder"].html)
    assert flat(said.preheader) == "U heeft 3 afspraken op 17 januari om 13:15."
    assert flat(said.shown).startswith("Beste cliënt, U heeft 3 afspraken")
    assert len(flat(Parsed(MAILS["several"].html).preheader)) == PREHEADER_MOST
    assert Parsed(MAILS["created"].html).preheader == "", "without a salutation it is the first line anyway"


@given(st.text(max_size=400))
def test_the_preheader_is_one_line_of_any_text(text: str) -> None:
    mail = email(request(f"x{text}"), organisation("Beste,"), SENT, None)
    assert Parsed(mail.html).preheader == flat(f"x{text}")[:PREHEADER_MOST].rstrip()


STANDING_OUT = {
    "created": ["vrijdag 17 januari 2020 van 13:15 tot 14:15"],
    "reminder": ["17 januari om 13:15"],
    "request": [],
    "english": ["Friday 17 January 2020", "Friday 17 January 2020 from 13:15 to 14:15", "17 January at 13:15"],
    "kinds": [
        "vrijdag 17 januari 2020 van 13:15 tot 14:15",
        "vrijdag 17 januari 2020 van 14:15 tot 15:15",
        "vrijdag 17 januari 2020",
    ],
}


@pytest.mark.parametrize("name", STANDING_OUT)
def test_the_day_and_time_that_a_sentence_is_about_stand_out(name: str) -> None:
    assert re.findall("<strong>(.*?)</strong>", MAILS[name].html)[: len(STANDING_OUT[name])] == STANDING_OUT[name]


def test_a_message_of_very_many_sentences_is_not_cut_by_gmail() -> None:
    """It clips what is longer than 102 kB, the unsubscribe link with it. No window gathers a hundred changes of a client."""
    place = "é" * 200
    many = [notice("created", now=view("2020-01-17 22:00", "2020-01-18 06:00", place), id_=f"n{n}") for n in range(100)]
    html = email(delivery(*many), organisation("a" * 1000, "b" * 1000), SENT, LINK).html
    assert html.count(place) == 100
    assert len(html.encode()) < 102_000


def test_a_language_from_right_to_left_says_so_where_gmail_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORDINGS, "en", WORDINGS["en"]._replace(direction="rtl"))
    told, settings = CASES["english"]
    html = email(told, replace(settings), SENT, LINK).html
    assert html.count('lang="en" dir="rtl"') == 2


def test_the_table_says_where_it_is_from() -> None:
    said: dict[str, Any] = json.loads((Path(__file__).parent / "caniemail.json").read_text())
    assert "caniemail" in said["source"]
    assert set(said["features"]) == {one for one in FEATURES.values() if one is not None}
