from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers.email import EmailText, HeaderError, email, message_bytes
from tests.renderers.samples import AT_13, AT_14, SENT, delivery, notice, organisation, request

CREATED = "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15."
CANCELLED = "Uw afspraak op vrijdag 17 januari 2020 is geannuleerd."
LINK = "https://bericht.deboom.example/afmelden/" + "aB3_-" * 20
TOLD = delivery(notice("cancelled", AT_13), notice("created", now=AT_13), channel="email")
TEXT = EmailText("Bericht", "Eén.", "Eén.\n", "<p>Eén.</p>\n")


def sent(text: EmailText = TEXT, **changes: str | None) -> bytes:
    values: dict[str, str | None] = {
        "from_": "De Boom <post@deboom.example>",
        "reply_to": None,
        "to": "jan@client.example",
        "message_id": "m1@deboom.example",
        "unsubscribe": None,
    }
    return message_bytes(text, date=datetime(2020, 1, 10, 9, 5, tzinfo=UTC), **values | changes)  # type: ignore[arg-type]


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(raw: bytes, subtype: str) -> str:
    part = parsed(raw).get_body((subtype,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


class Page(HTMLParser):
    """The text, the tags and the addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_email_has_the_sentences_on_lines_of_their_own() -> None:
    said = email(TOLD, organisation("Beste,", "Groet"), SENT, LINK)
    assert said.subject == "Bericht over uw afspraak"
    assert said.plain == (
        f"Beste,\n\n{CANCELLED}\n{CREATED}\n\nGroet\n\nWilt u geen e-mail meer over uw afspraken? Meld u af: {LINK}\n"
    )


def test_the_log_gets_one_line_without_the_link() -> None:
    said = email(TOLD, organisation("Beste,", "Groet"), SENT, LINK)
    assert said.text == f"Beste, {CANCELLED} {CREATED} Groet"


def test_without_templates_and_link_there_is_only_the_sentence() -> None:
    said = email(delivery(notice("created", now=AT_13)), organisation(), SENT, None)
    assert said.text == CREATED
    assert said.plain == f"{CREATED}\n"
    assert "afmeld" not in said.html.lower()
    assert said.html.count("<p>") == 1


def test_typography_stays() -> None:
    assert email(TOLD, organisation("’t Is zo…", "Zoë 😀"), SENT, None).text.startswith("’t Is zo… ")


def test_the_page_is_dutch_and_loads_nothing() -> None:
    html = email(TOLD, organisation("Beste,", "Groet"), SENT, LINK).html
    page = Page(html)
    assert '<html lang="nl">' in html
    assert '<meta charset="utf-8">' in html
    assert "<title>Bericht over uw afspraak</title>" in html
    assert page.addresses == [LINK]
    assert page.tags.count("li") == 2
    assert not {"img", "script", "link", "table", "iframe", "form"} & set(page.tags)
    assert "Meld u af voor e-mail over uw afspraken" in page.text


def test_one_sentence_is_a_paragraph_and_no_list() -> None:
    assert "<ul>" not in email(delivery(notice("moved", AT_13, AT_14)), organisation(), SENT, None).html


def test_the_name_of_the_organisation_is_in_no_body() -> None:
    said = email(TOLD, organisation(), SENT, LINK)
    assert not any("Boom" in part for part in (said.subject, said.text, said.plain))
    assert "Boom" not in said.html


def test_a_request_has_its_own_subject_or_that_of_the_organisation() -> None:
    assert email(request("Tekst", "Vragenlijst"), organisation(), SENT, None).subject == "Vragenlijst"
    assert email(request("Tekst"), organisation(subject="Bericht"), SENT, None).subject == "Bericht"


def test_links_in_a_text_can_be_followed_and_nothing_else_is_markup() -> None:
    html = email(request("Ga naar (https://roqua.example/?a=1&b=<2>). <b>{x}</b>"), organisation(), SENT, None).html
    assert '<a href="https://roqua.example/?a=1&amp;b=">https://roqua.example/?a=1&amp;b=</a>&lt;2&gt;' in html
    assert "&lt;b&gt;{x}&lt;/b&gt;" in html
    assert Page(email(request("Zie https://x.example/a."), organisation(), SENT, None).html).addresses == ["https://x.example/a"]
    assert Page(email(request("javascript:alert(1) http://x.example"), organisation(), SENT, None).html).addresses == []


def test_line_breaks_and_paragraphs_of_a_text_are_kept() -> None:
    html = email(request("Een\r\ntwee\n\ndrie"), organisation(), SENT, None).html
    assert "<p>Een<br>\ntwee</p>\n<p>drie</p>" in html


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    page = Page(email(request(text), organisation(before=text, subject="x"), SENT, None).html)
    assert page.text.count(text.strip()) >= 2 + (text.strip() == " ".join(text.split())[:140]) or not text.strip()
    assert set(page.tags) <= {"html", "head", "meta", "title", "style", "body", "div", "p", "a", "br"}


def test_the_headers() -> None:
    message = parsed(sent(reply_to="Balie <balie@deboom.example>"))
    assert {name: str(value) for name, value in message.items()} == {
        "From": "De Boom <post@deboom.example>",
        "To": "jan@client.example",
        "Reply-To": "Balie <balie@deboom.example>",
        "Subject": "Bericht",
        "Date": "Fri, 10 Jan 2020 09:05:00 +0000",
        "Message-ID": "<m1@deboom.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize("length", [1, 30, 77, 78, 100, 400, 900])
def test_a_link_of_any_length_stands_in_one_line_as_it_is(length: int) -> None:
    link = "https://x.example/" + "a" * length
    raw = sent(unsubscribe=link)
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert parsed(raw)["List-Unsubscribe"] == f"<{link}>"


def test_without_a_link_there_are_no_unsubscribe_headers() -> None:
    assert b"Unsubscribe" not in sent()


@pytest.mark.parametrize("bad", ["https://x/a b", "https://x/\r\nBcc: y@z", "https://x/>", "https://x/é"])
def test_a_link_that_would_leave_its_header_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="List-Unsubscribe"):
        sent(unsubscribe=bad)


def test_the_same_message_is_the_same_bytes() -> None:
    assert sent() == sent()
    assert sent(message_id="<m1@deboom.example>").count(b"<m1@deboom.example>") == 1
    assert sent(message_id="m2@x") != sent()


header_line = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@given(st.one_of(header_line, st.text("é a=?_😀", min_size=1, max_size=200)))
def test_any_subject_comes_back_as_it_was(subject: str) -> None:
    raw = sent(TEXT._replace(subject=subject))
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert raw.isascii()
    assert decoded(raw, "Subject") == subject


def decoded(raw: bytes, name: str) -> str:
    """A header by the older decoder of the standard library, which joins encoded words literally."""
    from email.header import decode_header, make_header

    value = message_from_bytes(raw)[name]
    return str(make_header(decode_header(value)))


@pytest.mark.parametrize(
    ("given_", "name", "address"),
    [
        ("post@deboom.example", "", "post@deboom.example"),
        ("<post@deboom.example>", "", "post@deboom.example"),
        ("De Boom <post@deboom.example>", "De Boom", "post@deboom.example"),
        ('"De Boom, locatie Zuid" <post@deboom.example>', "De Boom, locatie Zuid", "post@deboom.example"),
        ("De Boom, locatie Zuid <post@deboom.example>", "De Boom, locatie Zuid", "post@deboom.example"),
        ('Zorg "De Boom" (GGZ) <post@deboom.example>', 'Zorg "De Boom" (GGZ)', "post@deboom.example"),
        ("Cliëntenbureau, De Boom <post@deboom.example>", "Cliëntenbureau, De Boom", "post@deboom.example"),
        ("é " * 100 + "<post@deboom.example>", ("é " * 100).strip(), "post@deboom.example"),
        ("a " * 100 + "<post@deboom.example>", ("a " * 100).strip(), "post@deboom.example"),
        ("De Boom <post@zorgcliënt.example>", "De Boom", "post@xn--zorgclint-14a.example"),
    ],
)
def test_a_sender_keeps_name_and_address(given_: str, name: str, address: str) -> None:
    raw = sent(from_=given_, reply_to=given_)
    for header in ("From", "Reply-To"):
        (mailbox,) = parsed(raw)[header].addresses
        assert mailbox.addr_spec == address
        assert mailbox.display_name == name or decoded(raw, header) == f"{name} <{address}>"
    assert max(map(len, raw.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        *(
            ("To", {"to": bad})
            for bad in ("", "jan", "@x", "jan@", "a@b\r\nBcc: c@d", "a\nb@c", "a@b,c@d,e", "a@b>c", "a@" + "é" * 70)
        ),
        ("From", {"from_": "Zorg @ Huis"}),
        ("From", {"from_": "é\r\nBcc: b@c <d@e>"}),
        ("Reply-To", {"reply_to": "info@zorg.nl, x@zorg.nl"}),
        ("List-Unsubscribe", {"unsubscribe": "https://x/a b"}),
    ],
)
def test_a_header_that_cannot_be_written_is_named(header: str, changes: dict[str, str]) -> None:
    with pytest.raises(HeaderError) as found:
        sent(**changes)  # type: ignore[arg-type]
    assert found.value.name == header


@pytest.mark.parametrize("subject", ["a\r\nBcc: b@c", "a\n", "\x00", "a\x1bb"])
def test_a_subject_with_a_control_character_is_not_written(subject: str) -> None:
    with pytest.raises(HeaderError, match="Subject"):
        sent(TEXT._replace(subject=subject))


@pytest.mark.parametrize(
    ("address", "expected"), [("jan@faß.example", "jan@xn--fa-hia.example"), ("josé@x.example", "josé@x.example")]
)
def test_an_address_stands_there_as_servers_take_it(address: str, expected: str) -> None:
    assert f"\r\nTo: {expected}\r\n".encode() in sent(to=address)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r")), max_size=5))
def test_any_body_comes_back_as_it_was(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in [*lines, "=_ . "])
    raw = sent(TEXT._replace(plain=text, html=text))
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert [body(raw, kind).replace("\r\n", "\n") for kind in ("plain", "html")] == [text, text]
