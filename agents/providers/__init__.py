"""The port to the providers: what a sender hands over, and what it hears back. Each adapter has a module.

An adapter is awaited with a call and returns a `ProviderAnswer`. Trouble of the provider, the network or the configuration is an
answer too, never an exception. An adapter keeps to its time limit. A call that is cancelled may have been sent all the same.
"""

from __future__ import annotations

import re
from typing import Literal, Protocol

import msgspec

AnswerKind = Literal["sent", "retry", "permanent_address", "permanent_message", "stop", "unknown"]


class ProviderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call.

    Attributes:
        kind: `sent`: the provider has it. `retry`: it was not sent, try again. `permanent_address`: this address takes none;
            `permanent_message`: this message is not taken, the address is not to blame. `stop`: our account or configuration is
            at fault, any call would fare the same. `unknown`: perhaps sent, nobody knows.
        whose: of `stop`: the fault of our account, or of the sender that one organisation gave us: others' calls may fare well.
        repeatable: of `unknown`: the provider knows a repetition of this call, so that it may be made again at once.
        detail: the provider's codes, for the log; never an address, a number or a provider's free text.
        provider_id: the provider's id of what it took, where it gave one.
        parts: how many SMS parts it took, where it said so.
        retry_after: seconds that the provider asks us to wait.
    """

    kind: AnswerKind
    detail: str
    whose: Literal["account", "organisation"] = "account"
    repeatable: bool = False
    provider_id: str | None = None
    parts: int | None = None
    retry_after: float | None = None


MOST_BYTES = 64 << 10
"""Of an answer, as it is after decoding: a provider's own are some hundred."""

_ID = re.compile(r"[!-~]{1,100}")


def provider_id(given: object) -> str | None:
    """Return a provider's id as it may stand in a row and a log; None where it is none."""
    return given if isinstance(given, str) and _ID.fullmatch(given) else None


class SmsCall(msgspec.Struct, frozen=True, kw_only=True):
    """One SMS, of one or more parts.

    Attributes:
        message: the message's id.
        reference: what the provider's status reports name; without one it sends none.
        originator: at most 11 letters, digits and spaces, or a number.
        recipient: E.164 with its `+`.
        body: the text.
        unicode: whether a character of it is outside GSM 03.38. Decided here: a provider would replace those characters.
        validity_seconds: the provider drops it if it could not deliver it by then; None: the provider's own limit.
        report_url: where status reports go; None: where the account says.
        piece: which piece of a message that was split, from 0.
    """

    message: str
    reference: str
    originator: str
    recipient: str
    body: str
    unicode: bool
    validity_seconds: int | None = None
    report_url: str | None = None
    piece: int = 0

    def __repr__(self) -> str:
        """Leave out number and text: it may end up in a log."""
        return f"SmsCall(message={self.message!r}, piece={self.piece})"


class EmailCall(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail to one recipient.

    Attributes:
        message: the message's id.
        mail_from: the envelope sender; a name with the address in angle brackets will do.
        recipient: the address.
        data: the whole e-mail with its headers, sent as it is.
    """

    message: str
    mail_from: str
    recipient: str
    data: bytes

    def __repr__(self) -> str:
        """Leave out address and text: it may end up in a log."""
        return f"EmailCall(message={self.message!r})"


class SmsGateway(Protocol):
    """Sends SMS."""

    async def __call__(self, call: SmsCall) -> ProviderAnswer:
        """Send it, or say why not."""

    async def close(self) -> None:
        """Let go of connections and threads."""


class MailServer(Protocol):
    """Sends e-mail."""

    async def __call__(self, call: EmailCall) -> ProviderAnswer:
        """Send it, or say why not."""

    async def close(self) -> None:
        """Let go of connections."""
