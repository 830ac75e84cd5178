"""A delivery as SMS: one text, split between sentences where the provider would refuse its length.

It says nothing of unsubscribing: a named sender cannot be answered (`renderers/README.md`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from schemas.deliveries import Delivery
from schemas.inputs import Organisation
from schemas.templates import texts_around

from .details import details
from .gsm7 import measure, to_gsm7
from .sentences import joined, sentences

MAX_PARTS = 9
"""What the provider takes in one message: 9 parts, 1,377 septets (`body` of MessageBird's POST /messages)."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class SmsText(NamedTuple):
    """`text` is the whole message, `pieces` what is sent, one call each, `parts` the SMS parts of all pieces together.

    `logged`: what the log keeps of it: without the details of an appointment.
    """

    text: str
    pieces: tuple[str, ...]
    parts: int
    logged: str


def texts(delivery: Delivery, organisation: Organisation, sent: datetime, call_name: str | None = None) -> SmsText:
    """Return the words of an SMS that is sent at the instant `sent`: `before`, the sentences, `after`, one space between.

    Typographic characters are made GSM-7 (`to_gsm7`), else the text is literal. `before` stands in the first piece only,
    `after` in the last only. `call_name`: as `sentences` has it.
    """
    said = sentences(delivery, organisation, sent, call_name)
    before, after, _ = texts_around(organisation, "sms", delivery.notices, delivery.language, delivery.recipient)
    logged = to_gsm7(joined(before, *said, after))
    said += details(delivery, organisation)
    text = to_gsm7(joined(before, *said, after))
    parts = measure(text).parts
    if parts <= MAX_PARTS:
        return SmsText(text, (text,), parts, logged)
    if delivery.request is not None and not _fits(to_gsm7(said[0])):
        said = _SENTENCE_END.split(said[0])
    pieces = _pieces(to_gsm7(before), [to_gsm7(one) for one in said], to_gsm7(after))
    return SmsText(text, pieces, sum(measure(piece).parts for piece in pieces), logged)


def _pieces(before: str, said: list[str], after: str) -> tuple[str, ...]:
    """Put as many whole sentences in each piece as fit. `before` and `after` go alone only if they fit beside no sentence."""
    said[:1] = _together(before, said[0])
    said[-1:] = _together(said[-1], after)
    pieces = said[:1]
    for one in said[1:]:
        pieces[-1:] = _together(pieces[-1], one)
    return tuple(pieces)


def _together(left: str, right: str) -> list[str]:
    """Return both as one text if that fits into one message, else both."""
    both = joined(left, right)
    return [both] if _fits(both) else [text for text in (left, right) if text.strip()]


def _fits(text: str) -> bool:
    return measure(text).parts <= MAX_PARTS
