"""From a claimed delivery to a provider and back: words, one call for each piece, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from renderers.email import HeaderError, message_bytes
from renderers.gsm7 import measure
from schemas.deliveries import Delivery
from streams.notices.gates import mark_of
from streams.sending.outcomes import Outcome, SendCall, believable

from .. import providers
from ..providers.dkim import Dkim
from ..tokens import Tokens
from .wording import NoWordsError, Worded, without_words, word

log = structlog.get_logger(__name__)


def reference(tokens: Tokens, delivery: Delivery, attempt: int, piece: int) -> str:
    """Return what the provider's status reports name: sealed, so that the provider learns no id and nobody can make one up."""
    whose = [delivery.recipient] if delivery.recipient else []
    return tokens.seal(delivery.organisation, delivery.client, *whose, delivery.message, str(attempt), str(piece))


def unsubscribe_token(tokens: Tokens, delivery: Delivery, address: str) -> str:
    """Return what ends a recipient's own link; of one who acts for the client it has the mark of the address, too."""
    if not delivery.recipient:
        return tokens.seal(delivery.organisation, delivery.client, "email")
    return tokens.seal(delivery.organisation, delivery.client, delivery.recipient, mark_of(address), "email")


class SmsSender:
    """Sends deliveries as SMS.

    Args:
        gateway: the provider.
        tokens: seal the reference by which status reports find their message again.
        clock: for how long an SMS is good.
        report_url: where status reports go; None: where the account says.
        repeatable: the provider takes a repetition for the same SMS, if it says exactly the same: its reference, too.
    """

    def __init__(
        self, gateway: providers.SmsGateway, tokens: Tokens, clock: Callable[[], datetime], report_url: str | None = None,
        *, repeatable: bool = False,
    ) -> None:  # fmt: skip
        self.gateway, self.tokens, self.clock, self.report_url = gateway, tokens, clock, report_url
        self.repeatable = repeatable

    async def __call__(self, call: SendCall) -> Outcome:
        """Send the pieces that were not accepted yet, in order; the first that is not accepted decides the outcome."""
        try:
            worded = word(call)
        except NoWordsError as error:
            return without_words(call, error)
        pieces = worded.sms.pieces if worded.sms is not None else ()
        delivery, provider = call.delivery, None
        billed: dict[int, int] = {}
        attempt = 0 if self.repeatable else call.attempt
        if call.settle and call.piece < len(pieces):
            return _taken(call.piece, pieces, billed, kind="retry", detail="pieces_remain")
        for piece in range(call.piece, len(pieces)):
            body = pieces[piece]
            one = await self.gateway(
                providers.SmsCall(
                    message=delivery.message,
                    reference=reference(self.tokens, delivery, attempt, piece),
                    originator=call.organisation.sms.originator,
                    recipient=call.address,
                    body=body,
                    unicode=measure(body).encoding != "GSM-7",
                    validity_seconds=self._validity(delivery.useful_until),
                    report_url=self.report_url,
                    piece=piece,
                )
            )
            provider = one.provider_id or provider
            if one.kind != "sent":
                return _taken(
                    piece, pieces, billed, kind=one.kind, whose=one.whose, repeatable=one.repeatable, detail=one.detail,
                    provider=provider, retry_after=one.retry_after,
                )  # fmt: skip
            if believable(one.parts, measure(body).parts):
                billed[piece] = int(one.parts or 0)
            elif one.parts is not None:
                log.warning("the provider's count of parts cannot be, ours is billed", message=delivery.message, piece=piece)
        counted = sum(measure(piece).parts for piece in pieces[call.piece :])
        each = (billed.get(number, measure(pieces[number]).parts) for number in range(call.piece, len(pieces)))
        return _taken(
            len(pieces), pieces, billed, kind="sent", text=worded.text, provider=provider,
            counted=counted if sum(each) != counted else None,
        )  # fmt: skip

    def _validity(self, useful_until: datetime | None) -> int | None:
        """Return the seconds after which the provider must not deliver it any more: no SMS arrives after its appointment."""
        if useful_until is None:
            return None
        return max(60, int((useful_until - self.clock()).total_seconds()))


def _taken(piece: int, pieces: tuple[str, ...], billed: dict[int, int], **said: Any) -> Outcome:
    """Return an outcome with what the provider has up to a piece, in the parts that it bills; in ours where it did not say."""
    each = tuple(billed.get(number, measure(body).parts) for number, body in enumerate(pieces[:piece]))
    return Outcome(piece=piece, pieces=len(pieces), each=each, **said)


def _unwritable(header: str, *, request: bool) -> Outcome:
    """Say whose fault it is that a header cannot be written: the address's, a request's, or the organisation's settings'."""
    if header == "To":
        return Outcome(kind="permanent_address", detail="not an address")
    if header == "Subject" and request:
        return Outcome(kind="permanent_message", detail="the subject cannot be written")
    return Outcome(kind="stop", whose="organisation", detail=f"the header {header} cannot be written")


class EmailSender:
    """Sends deliveries as e-mail. With `unsubscribe_url` each has its client's own link."""

    def __init__(
        self, server: providers.MailServer, tokens: Tokens | None, domain: str, unsubscribe_url: str | None = None,
        dkim: Dkim | None = None,
    ) -> None:  # fmt: skip
        self.server, self.tokens, self.domain, self.unsubscribe_url = server, tokens, domain, unsubscribe_url
        self.dkim = dkim

    async def __call__(self, call: SendCall) -> Outcome:
        """Send it; the Message-ID is the message's own, so that a second copy is recognised."""
        delivery, settings = call.delivery, call.organisation.email
        link = None
        if self.unsubscribe_url is not None and self.tokens is not None:
            link = self.unsubscribe_url + unsubscribe_token(self.tokens, delivery, call.address)
        try:
            worded = word(call, link)
            data = self._data(call, worded, link)
        except NoWordsError as error:
            return without_words(call, error)
        except HeaderError as error:
            return _unwritable(error.name, request=delivery.request is not None and delivery.request.subject is not None)
        if self.dkim is not None:
            # Last: what goes over the wire is what was signed. In a thread: dkimpy counts in pure Python, for some milliseconds.
            data = await asyncio.to_thread(self.dkim.sign, data)
        one = await self.server(
            providers.EmailCall(message=delivery.message, mail_from=settings.from_, recipient=call.address, data=data)
        )
        if one.kind == "sent":
            return Outcome(kind="sent", text=worded.text, provider=one.provider_id)
        return Outcome(
            kind=one.kind, whose=one.whose, detail=one.detail, provider=one.provider_id, retry_after=one.retry_after
        )  # fmt: skip

    def _data(self, call: SendCall, worded: Worded, link: str | None) -> bytes:
        """Return the whole e-mail. Raises HeaderError, or NoWordsError."""
        delivery, settings = call.delivery, call.organisation.email
        if worded.email is None:
            raise TypeError(f"an e-mail sender was given a delivery for {delivery.channel}")
        try:
            return message_bytes(
                worded.email, from_=settings.from_, reply_to=settings.reply_to, to=call.address,
                message_id=f"{delivery.message}@{self.domain}", date=delivery.decided, unsubscribe=link,
            )  # fmt: skip
        except (HeaderError, MemoryError):
            raise
        except Exception as error:
            raise NoWordsError(tuple(notice.id for notice in delivery.notices)) from error
