"""A delivery as e-mail: subject, plain text, HTML, and the whole message as bytes.

The HTML is readable by a screen reader and loads nothing from elsewhere: no images, no tracking. The organisation's name
is in the sender's name only: an address or a name of a care organisation in the text says what care it is.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, quote, unquote
from html import escape
from typing import NamedTuple

from schemas.deliveries import Delivery
from schemas.inputs import Organisation

from .sentences import joined, sentences

_UNSUBSCRIBE = "Wilt u geen e-mail meer over uw afspraken?"

_PAGE = """\
<!DOCTYPE html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="font-family: sans-serif; font-size: 1em; line-height: 1.5">
{body}
</body>
</html>
"""

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
_LINE = re.compile(r"\r\n|\r|\n")


class EmailText(NamedTuple):
    """`text` is for the log: one line without the unsubscribe link. `plain` and `html` are the two bodies that are sent."""

    subject: str
    text: str
    plain: str
    html: str


def email(delivery: Delivery, organisation: Organisation, sent: datetime, unsubscribe: str | None) -> EmailText:
    """The words of an e-mail that is sent at the instant `sent`; `unsubscribe` is the client's own link."""
    said = sentences(delivery, organisation.time_zone, sent)
    settings, request = organisation.email, delivery.request
    subject = (request.subject if request is not None else None) or settings.subject
    blocks = [settings.before, "\n".join(said), settings.after]
    if unsubscribe is not None:
        blocks.append(f"{_UNSUBSCRIBE} Meld u af: {unsubscribe}")
    return EmailText(
        subject=subject,
        text=joined(settings.before, *said, settings.after),
        plain="\n\n".join(block for block in blocks if block.strip()) + "\n",
        html=_page(subject, settings.before, said, settings.after, unsubscribe),
    )


def _page(title: str, before: str, said: list[str], after: str, unsubscribe: str | None) -> str:
    body = [*_paragraphs(before)]
    if len(said) == 1:
        body += _paragraphs(said[0])
    else:
        body += ["<ul>", *(f"<li>{_marked_up(one)}</li>" for one in said), "</ul>"]
    body += _paragraphs(after)
    if unsubscribe is not None:
        link = f'<a href="{escape(unsubscribe)}">Meld u af voor e-mail over uw afspraken</a>'
        body.append(f"<p>{_UNSUBSCRIBE} {link}.</p>")
    return _PAGE.format(title=escape(title), body="\n".join(body))


def _paragraphs(text: str) -> list[str]:
    return [f"<p>{_marked_up(one)}</p>" for one in _PARAGRAPH.split(text.strip()) if one]


def _marked_up(text: str) -> str:
    """Escaped, with its line breaks, and its https links as links."""
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
    """The message as it goes to the server, byte for byte the same for the same arguments (RFC 5322, CRLF).

    Header lines are written here and not by the e-mail package: that turns a URL of more than 77 characters into an
    encoded word, which no reader takes for a link (RFC 8058 asks for it as it is). All of it is ASCII, except an address
    whose part before the @ is not: it stands there in UTF-8 (RFC 6532) and the server must know SMTPUTF8.

    Args:
        email: what `email` gave.
        from_: an address, or a name with the address in angle brackets.
        reply_to: likewise, or None: answers go to `from_`.
        to: the client's address, nothing else.
        message_id: with or without its angle brackets.
        date: the instant of sending.
        unsubscribe: the https link for one click, as in the text.

    Raises:
        ValueError: a value would break out of its header line.
    """
    headers = {
        "From": _mailbox(from_),
        "To": ascii_address(to),
        "Reply-To": _mailbox(reply_to) if reply_to else None,
        "Subject": _unstructured("Subject", email.subject),
        "Date": format_datetime(date.astimezone(UTC)),
        "Message-ID": f"<{message_id.strip('<>')}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{unsubscribe}>" if unsubscribe else None,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if unsubscribe else None,
    }
    for name in ("Message-ID", "List-Unsubscribe"):
        if not re.fullmatch("<[!-;=?-~]+>", headers[name] or "<->"):
            raise ValueError(f"{name} has a character that cannot stand there")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return (head + _mime(email, message_id)).encode()


def _mime(email: EmailText, message_id: str) -> str:
    """The MIME headers and both bodies, with a boundary that is always the same for the same message.

    Quoted-printable has nothing but two hex digits or a line end after a `=`, so `=_` stands in no body (RFC 2045, 6.7).
    """
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    return _MIME.format(boundary=boundary, plain=_quoted(email.plain), html=_quoted(email.html))


def _quoted(text: str) -> str:
    """The text in UTF-8 as quoted-printable, with CRLF line ends."""
    return b2a_qp(_LINE.sub("\r\n", text).encode(), istext=True).decode()


def _unstructured(name: str, text: str) -> str:
    """Header text: as it is if short ASCII, else in encoded words of at most 75 characters on lines of their own (RFC 2047)."""
    if re.search(r"[\r\n]", text):
        raise ValueError(f"{name} has a line break")
    if text.isascii() and text.isprintable() and "=?" not in text and text == text.strip() and len(text) < 60:
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")


def _mailbox(text: str) -> str:
    """`Naam <adres>` as a header takes it: the name quoted or encoded where it must be."""
    named = re.fullmatch(r"(.*)<([^<>]*)>\s*", text, re.DOTALL)
    if named is None:
        return ascii_address(text)
    name, address = unquote(named[1].strip()).strip(), f"<{ascii_address(named[2])}>"
    if not name:
        return address
    if not name.isascii() or len(name) >= 60:
        return f"{_encoded_name(name)}\r\n {address}"
    atoms = re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name)
    return f"{name} {address}" if atoms else f'"{quote(name)}" {address}'


def _encoded_name(name: str) -> str:
    if re.search(r"[\r\n]", name):
        raise ValueError("a name has a line break")
    return Header(name, "utf-8", maxlinelen=75, header_name="Reply-To").encode(linesep="\r\n")


def ascii_address(address: str) -> str:
    """The address as servers take it: the domain in ASCII (IDNA), the part before the @ quoted where it must be.

    The sender's envelope needs the same form. A part before the @ that is not ASCII has no other form, and stays.

    Raises:
        ValueError: it is no address.
    """
    user, at, domain = address.strip().rpartition("@")
    if not (user and at and domain) or re.search(r"[\x00-\x20\x7f<>,;]", domain) or re.search(r"[\x00-\x1f\x7f]", user):
        raise ValueError("not an e-mail address")
    if not domain.isascii():
        domain = domain.encode("idna").decode()
    quoted = re.fullmatch(r'"(?:[^"\\]|\\.)*"', user)
    dotted = re.fullmatch(r"[^\s()<>\[\]:;@\\,\".]+(\.[^\s()<>\[\]:;@\\,\".]+)*", user)
    return f"{user}@{domain}" if quoted or dotted else f'"{quote(user)}"@{domain}'
