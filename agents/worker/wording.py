"""Put a claimed delivery into words: what both the simulation and the real senders send and log."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from renderers.email import EmailText
from renderers.email import email as email_text
from renderers.gsm7 import measure
from renderers.sms import SmsText, texts
from schemas.deliveries import NO_WORDS
from schemas.inputs import Channel
from streams.sending.outcomes import Outcome, SendCall

from ..engine.faults import trace

log = structlog.get_logger(__name__)


class Worded(NamedTuple):
    """The words of one channel; `text` is what the log keeps."""

    text: str
    sms: SmsText | None = None
    email: EmailText | None = None


class NoWordsError(Exception):
    """Notices that cannot be worded; `notices` has their ids. Its cause says why."""

    def __init__(self, notices: tuple[str, ...]) -> None:
        super().__init__(f"{len(notices)} notices")
        self.notices = notices


def word(call: SendCall, unsubscribe: str | None = None) -> Worded:
    """Return the words of a call; `unsubscribe`: the link that an e-mail shows. Raises NoWordsError alone."""
    try:
        return _word(call, unsubscribe)
    except MemoryError:
        raise
    except Exception as error:
        raise NoWordsError(_wordless(call, unsubscribe)) from error


def without_words(call: SendCall, error: NoWordsError) -> Outcome:
    """Return what becomes of a call that cannot be worded: nothing is sent, and the notices that are at fault are named."""
    why = trace(error.__cause__) if error.__cause__ is not None else None
    log.error("notices cannot be worded", message=call.delivery.message, notices=len(error.notices), error=why)
    return Outcome(kind="no_words", detail=NO_WORDS, wordless=error.notices, piece=call.piece)


def _wordless(call: SendCall, unsubscribe: str | None) -> tuple[str, ...]:
    """Return the ids of the notices that cannot be worded each by itself; all of them, where only together they cannot."""
    found = []
    for notice in call.delivery.notices:
        try:
            _word(replace(call, delivery=replace(call.delivery, notices=(notice,))), unsubscribe)
        except Exception:  # noqa: BLE001 - why is told once, of the whole message
            found.append(notice.id)
    return tuple(found or (notice.id for notice in call.delivery.notices))


def _word(call: SendCall, unsubscribe: str | None) -> Worded:
    return WORDS[call.delivery.channel](call, unsubscribe)


def _sms(call: SendCall, unsubscribe: str | None) -> Worded:
    sms = texts(call.delivery, call.organisation, call.now, call.call_name)
    return Worded(sms.logged, sms=sms)


def _email(call: SendCall, unsubscribe: str | None) -> Worded:
    email = email_text(call.delivery, call.organisation, call.now, unsubscribe, call.call_name)
    return Worded(email.text, email=email)


WORDS: dict[Channel, Callable[[SendCall, str | None], Worded]] = {"sms": _sms, "email": _email}
"""What words the deliveries of each channel."""


def succeed(call: SendCall) -> Outcome:
    """Accept everything at once: the provider of `simulate`."""
    try:
        worded = word(call)
    except NoWordsError as error:
        return without_words(call, error)
    each = tuple(measure(piece).parts for piece in worded.sms.pieces) if worded.sms is not None else ()
    return Outcome(kind="sent", text=worded.text, each=each, piece=len(each), pieces=len(each))
