"""From a claimed delivery to a provider and back: words, one call for each piece, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from renderers.email import message_bytes
from renderers.gsm7 import measure
from schemas.deliveries import Delivery
from streams.outcomes import Outcome, SendCall

from . import providers
from .providers.dkim import Dkim
from .tokens import Tokens
from .wording import Worded, word


def reference(tokens: Tokens, delivery: Delivery, attempt: int, piece: int) -> str:
    """What the provider's status reports name: sealed, so that the provider learns no id and nobody can make one up."""
    return tokens.seal(delivery.organisation, delivery.client, delivery.message, str(attempt), str(piece))


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
        worded = word(call)
        pieces = worded.sms.pieces if worded.sms is not None else ()
        delivery, provider = call.delivery, None
        billed: dict[int, int] = {}
        attempt = 0 if self.repeatable else call.attempt
        if call.settle and call.piece < len(pieces):
            return Outcome(kind="retry", detail="pieces_remain", piece=call.piece)
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
                return Outcome(
                    kind=one.kind, whose=one.whose, repeatable=one.repeatable, detail=one.detail, piece=piece,
                    provider=provider, retry_after=one.retry_after,
                )  # fmt: skip
            if one.parts is not None:
                billed[piece] = one.parts
        return _sent(worded, pieces, billed, provider)

    def _validity(self, useful_until: datetime | None) -> int | None:
        """Seconds after which the provider must not deliver it any more: no SMS arrives after its appointment."""
        if useful_until is None:
            return None
        return max(60, int((useful_until - self.clock()).total_seconds()))


def _sent(worded: Worded, pieces: tuple[str, ...], billed: dict[int, int], provider: str | None) -> Outcome:
    """What was sent, in the parts that the provider bills; where it did not say them, in ours."""
    ours = [measure(piece).parts for piece in pieces]
    each = tuple(billed.get(piece, parts) for piece, parts in enumerate(ours))
    counted = worded.parts if sum(each) != worded.parts else None
    return Outcome(
        kind="sent", text=worded.text, parts=sum(each), each=each, counted=counted, piece=len(pieces), provider=provider
    )  # fmt: skip


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
            link = self.unsubscribe_url + self.tokens.seal(delivery.organisation, delivery.client, "email")
        worded = word(call, link)
        if worded.email is None:
            raise TypeError(f"an e-mail sender was given a delivery for {delivery.channel}")
        try:
            data = message_bytes(
                worded.email, from_=settings.from_, reply_to=settings.reply_to, to=call.address,
                message_id=f"{delivery.message}@{self.domain}", date=delivery.decided, unsubscribe=link,
            )  # fmt: skip
        except ValueError:
            return Outcome(kind="permanent_address", detail="not an address")
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
