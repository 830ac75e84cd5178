"""A claimed delivery in words: what the simulation and the real senders both send and log."""

from __future__ import annotations

from typing import NamedTuple

from renderers.email import EmailText
from renderers.email import email as email_text
from renderers.sms import SmsText, texts
from streams.outcomes import Outcome, SendCall


class Worded(NamedTuple):
    """The words of one channel; `text` is what the log keeps, `parts` the SMS parts, None for e-mail."""

    text: str
    parts: int | None
    sms: SmsText | None = None
    email: EmailText | None = None


def word(call: SendCall, unsubscribe: str | None = None) -> Worded:
    """The words of a call; `unsubscribe`: the link that an e-mail shows."""
    if call.delivery.channel == "sms":
        sms = texts(call.delivery, call.organisation, call.now)
        return Worded(sms.text, sms.parts, sms=sms)
    email = email_text(call.delivery, call.organisation, call.now, unsubscribe)
    return Worded(email.text, None, email=email)


def succeed(call: SendCall) -> Outcome:
    """A provider that accepts everything at once: the one of `simulate` (DESIGN.md "Command line")."""
    worded = word(call)
    return Outcome(
        kind="sent", text=worded.text, parts=worded.parts, piece=len(worded.sms.pieces) if worded.sms is not None else 0
    )  # fmt: skip
