"""A delivery as e-mail: subject, plain text, HTML, and the whole message as bytes.

The HTML is readable by a screen reader and loads nothing from elsewhere: no images, no tracking. Its text is that of the plain
part; `tests/renderers/test_mail_clients.py` holds it to what mail clients know. The organisation's name is in the sender's name
only: an address or a name of a care organisation in the text says what care it is.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_qp
from collections.abc import Callable
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, quote
from html import escape
from typing import NamedTuple
from unicodedata import bidirectional

from schemas.addresses import mailbox, normalised
from schemas.deliveries import Delivery
from schemas.inputs import Organisation
from schemas.templates import texts_around

from .details import details
from .languages import wording_for, wording_of
from .sentences import Said, all_said, joined
from .wording import Wording

_PAGE = """\
<!DOCTYPE html>
<html lang="{lang}"{direction}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }}</style>
</head>
<body style="margin: 0">
{preheader}<!--[if mso]><table role="presentation" align="center" width="580"><tr><td><![endif]-->
<div lang="{lang}"{direction} style="{column}">
{body}
</div>
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
"""
"""It has no colour of its own for text, so that what turns mail dark leaves nothing dark on dark. Gmail keeps no `html` and no
`body`: the column says its language too. Outlook for Windows knows no `max-width`, and reads the comments."""

_COLUMN = (
    "max-width: 580px; margin: 0 auto; padding: 16px; font-family: Helvetica, Arial, sans-serif; font-size: 18px; "
    "line-height: 1.5; word-wrap: break-word"
)
_PREHEADER = '<div style="display: none; max-height: 0; overflow: hidden">{text}</div>\n'
_LIST, _ITEM = "margin: 18px 0; padding: 0 0 0 24px", "margin: 0 0 8px"
_QUIET = "margin-top: 32px; border-top: 1px solid #8c8c8c; font-size: 15px; opacity: 0.75"

PREHEADER_MOST = 140
"""Characters of what a list of mails shows beside the subject."""

_MIME = """\
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

{plain}
--{boundary}
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

{html}
--{boundary}--
""".replace("\n", "\r\n")

_LINK = re.compile(r"https://[^\s<>\"]*[^\s<>\".,;:!?)\]']")
_PARAGRAPH = re.compile(r"(?:\r?\n[ \t]*){2,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE = re.compile(r"\r\n|\r|\n")


class HeaderError(ValueError):
    """A header cannot be written. `name`: which, and so whose fault it is; the text holds nothing of its value."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


class EmailText(NamedTuple):
    """`text` is for the log: one line without the unsubscribe link and an appointment's details.

    `plain` and `html` are the two bodies that are sent.
    """

    subject: str
    text: str
    plain: str
    html: str


def email(
    delivery: Delivery, organisation: Organisation, sent: datetime, unsubscribe: str | None, call_name: str | None = None
) -> EmailText:  # fmt: skip
    """Return the words of an e-mail that is sent at the instant `sent`; `unsubscribe` is the recipient's own link.

    `call_name`: as `all_said` has it.
    """
    said = all_said(delivery, organisation, sent, call_name)
    words = [one.text for one in said]
    request = delivery.request
    before, after, subject = texts_around(organisation, "email", delivery.notices, delivery.language, delivery.recipient)
    wording = wording_for(delivery, call_name)
    subject = (request.subject if request is not None else None) or subject or wording.subject
    besides = details(delivery, organisation)
    blocks = [before, "\n".join([*words, *besides]), after]
    if unsubscribe is not None:
        blocks.append(f"{wording.unsubscribe} {wording.unsubscribe_at.format(link=unsubscribe)}")
    return EmailText(
        subject=subject,
        text=joined(before, *words, after),
        plain="\n\n".join(block for block in blocks if block.strip()) + "\n",
        html=_page(subject, before, said, besides, after, unsubscribe, wording),
    )


def letter(subject: str, text: str) -> EmailText:
    """Return the words of an e-mail to an organisation: paragraphs in Dutch, with nothing around them."""
    return EmailText(
        subject=subject, text=joined(text), plain=f"{text}\n", html=_page(subject, text, [], [], "", None, wording_of("nl"))
    )


def _page(
    title: str, before: str, said: list[Said], besides: list[str], after: str, unsubscribe: str | None, wording: Wording
) -> str:  # fmt: skip
    body = [*_paragraphs(before)]
    if len(said) == 1:
        body += _paragraphs(said[0].text) if not said[0].end else [f"<p>{_stressed(said[0])}</p>"]
    elif said:
        body += [f'<ul style="{_LIST}">', *(f'<li style="{_ITEM}">{_stressed(one)}</li>' for one in said), "</ul>"]
    body += [f"<p>{_marked_up(one)}</p>" for one in besides]
    body += _paragraphs(after)
    if unsubscribe is not None:
        link = f'<a href="{escape(unsubscribe)}">{escape(wording.unsubscribe_link)}</a>'
        body.append(f'<div style="{_QUIET}">\n<p>{wording.unsubscribe} {link}.</p>\n</div>')
    return _PAGE.format(
        title=escape(title), preheader=_preheader(said) if before.strip() else "", body="\n".join(body), column=_COLUMN,
        lang=wording.locale.partition("_")[0], direction="" if wording.direction == "ltr" else f' dir="{wording.direction}"',
    )  # fmt: skip


def _preheader(said: list[Said]) -> str:
    """Return what stands beside the subject in a list of mails: what is said, in place of the salutation. No page shows it."""
    text = " ".join(" ".join(one.text for one in said).split())[:PREHEADER_MOST].rstrip()
    return _PREHEADER.format(text=escape(text)) if text else ""


def _stressed(said: Said) -> str:
    """Escape a sentence, its day and time in bold."""
    before, when, after = said.text[: said.begin], said.text[said.begin : said.end], said.text[said.end :]
    return f"{_marked_up(before)}<strong>{_marked_up(when)}</strong>{_marked_up(after)}"


def _paragraphs(text: str) -> list[str]:
    return [f"<p{_turned(one)}>{_marked_up(one)}</p>" for one in _PARAGRAPH.split(text.strip()) if one]


def _turned(text: str) -> str:
    """Return the direction of a paragraph in a script from right to left, by its first strong character (UAX 9, P2).

    Sentences of ours have that of their language. `dir="auto"` would say the same, but Outlook for Windows does not know it.
    """
    strong = next((way for one in text if (way := bidirectional(one)) in ("L", "R", "AL")), "L")
    return "" if strong == "L" else ' dir="rtl"'


def _marked_up(text: str) -> str:
    """Escape a text, with its line breaks, and its https links as links."""
    marked, start = [], 0
    for link in _LINK.finditer(text):
        address = escape(link[0])
        marked += [escape(text[start : link.start()]), f'<a href="{address}">{address}</a>']
        start = link.end()
    return _LINE.sub("<br>\n", "".join([*marked, escape(text[start:])]))


def message_bytes(
    email: EmailText,
    *,
    from_: str,
    reply_to: str | None,
    to: str,
    message_id: str,
    date: datetime,
    unsubscribe: str | None,
) -> bytes:
    """Return the message as it goes to the server, byte for byte the same for the same arguments (RFC 5322, CRLF).

    Header lines are written here and not by the e-mail package: that turns a URL of more than 77 characters into an
    encoded word, which no reader takes for a link (RFC 8058 asks for it as it is). Nor is the rest by `EmailMessage`: it
    breaks quoted-printable lines and encodes names at other places than what has been sent until now (tests/golden).
    All of it is ASCII, except an address whose part before the @ is not: it stands there in UTF-8 (RFC 6532) and the server
    must know SMTPUTF8.

    Args:
        email: what `email` gave.
        from_: an address, or a name with the address in angle brackets.
        reply_to: likewise, or None: answers go to `from_`.
        to: the client's address, nothing else.
        message_id: with or without its angle brackets.
        date: the instant of sending.
        unsubscribe: the https link for one click, as in the text.

    Raises:
        HeaderError: a value would break out of its header line, or is no address.
    """
    headers = {
        "From": _written("From", _mailbox, from_),
        "To": _written("To", normalised, to),
        "Reply-To": _written("Reply-To", _mailbox, reply_to) if reply_to else None,
        "Subject": _written("Subject", _unstructured, email.subject),
        "Date": format_datetime(date.astimezone(UTC)),
        "Message-ID": f"<{message_id.strip('<>')}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{unsubscribe}>" if unsubscribe else None,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if unsubscribe else None,
    }
    for name in ("Message-ID", "List-Unsubscribe"):
        if not re.fullmatch("<[!-;=?-~]+>", headers[name] or "<->"):
            raise HeaderError(name, "it has a character that cannot stand there")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return (head + _mime(email, message_id)).encode()


def _written(name: str, write: Callable[[str], str], value: str) -> str:
    try:
        return write(value)
    except ValueError as error:
        raise HeaderError(name, str(error)) from None


def _mime(email: EmailText, message_id: str) -> str:
    """Return the MIME headers and both bodies, with a boundary that is always the same for the same message.

    Quoted-printable has nothing but two hex digits or a line end after a `=`, so `=_` stands in no body (RFC 2045, 6.7).
    """
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    return _MIME.format(boundary=boundary, plain=_quoted(email.plain), html=_quoted(email.html))


def _quoted(text: str) -> str:
    """Encode the text in UTF-8 as quoted-printable, with CRLF line ends."""
    return b2a_qp(_LINE.sub("\r\n", text).encode(), istext=True).decode()


def _unstructured(text: str) -> str:
    """Write header text as it is if short ASCII, else in encoded words of at most 75 characters, a line each (RFC 2047)."""
    if _CONTROL.search(text):
        raise ValueError("it has a control character")
    if text.isascii() and text.isprintable() and "=?" not in text and text == text.strip() and len(text) < 60:
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def _mailbox(text: str) -> str:
    """Write `Naam <adres>` as a header takes it: the name quoted or encoded where it must be."""
    name, address = mailbox(text)
    if not name:
        return address
    if not name.isascii() or len(name) >= 60:
        return f"{_encoded_name(name)}\r\n <{address}>"
    atoms = re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name)
    return f"{name} <{address}>" if atoms else f'"{quote(name)}" <{address}>'


def _encoded_name(name: str) -> str:
    return Header(name, "utf-8", maxlinelen=75, header_name="Reply-To").encode(linesep="\r\n")
