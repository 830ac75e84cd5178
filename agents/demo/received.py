"""What the inbox shows of a message: an SMS as the gateway took it, an e-mail as the SMTP server did."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any, Literal, NamedTuple

from renderers.gsm7 import measure, split

from ..fakes import Message

BESIDE_MOST = 120
"""Characters beside a subject."""

_NO_WORDS = re.compile(r"(?s)<!--.*?-->|<[^>]*>")


class Received(NamedTuple):
    """One message.

    Attributes:
        number: in the order in which they came, from 1.
        at: when, in UTC.
        to: the number, as it is dialled, or the address. `who`: the client whose it is, where that is known.
        first: the line of a list: an SMS's text, an e-mail's subject. `beside`: what mail clients show next to that.
        parts: an SMS's text as it is cut into parts. `encoding`, `units`: what it costs.
        html, text, source: an e-mail's two bodies, and all of it; a body that cannot be read is empty.
    """

    number: int
    at: datetime
    channel: Literal["sms", "email"]
    sender: str
    to: str
    who: str
    first: str
    beside: str = ""
    parts: tuple[str, ...] = ()
    encoding: str = ""
    units: int = 0
    html: str = ""
    text: str = ""
    source: str = ""


def of_sms(number: int, message: Message, names: dict[str, str]) -> Received:
    """Read an SMS; `names`: client by number, with its `+`."""
    to, body = f"+{message['recipients'][0]}", message["body"]
    size = measure(body)
    return Received(
        number, _at(message), "sms", message["originator"], to, names.get(to, ""), body, parts=tuple(split(body)),
        encoding=size.encoding, units=size.units,
    )  # fmt: skip


def of_email(number: int, message: Message) -> Received:
    """Read an e-mail; of our own samples the client is named by the address."""
    source = message["data"].encode("utf-8", "surrogateescape")
    parsed = message_from_bytes(source, policy=policy.default)
    to, html = str(parsed["To"] or ""), _body(parsed, "html")
    return Received(
        number, _at(message), "email", str(parsed["From"] or ""), to, to.partition("@")[0], str(parsed["Subject"] or ""),
        beside=_beginning(html), html=html, text=_body(parsed, "plain"), source=_lines(source.decode("utf-8", "replace")),
    )  # fmt: skip


def _beginning(html: str) -> str:
    """Return the first words of a page, shown or hidden, as mail clients take them."""
    return " ".join(unescape(_NO_WORDS.sub(" ", html.partition("<body")[2].partition(">")[2])).split())[:BESIDE_MOST]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _at(message: Message) -> datetime:
    return datetime.fromisoformat(message["at"])


def _body(parsed: Any, kind: Literal["html", "plain"]) -> str:
    """Return a body as text; nothing where there is none, or none that can be read: its source is there all the same."""
    try:
        body = parsed.get_body((kind,))
        return _lines(str(body.get_content())) if isinstance(body, EmailMessage) else ""
    except (LookupError, ValueError):  # a charset that nobody knows
        return ""
