"""Send a sample message, as the texts on the page would make it, to the officer who asks: to nobody else, and by e-mail alone.

The address is the one that sign-in vouches for (`Session.email`), never one of a form; so nobody else can be written to. An SMS
is not tried: nobody vouches for a number of the officer, and each would cost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import make_msgid
from typing import Literal

import structlog

from agents.providers import EmailCall, ProviderAnswer
from renderers.email import HeaderError, email, message_bytes
from renderers.samples import samples
from schemas.addresses import mailbox
from schemas.inputs import Organisation
from schemas.languages import DEFAULT

from ..api.rate_limit import TokenBuckets
from .fields import Scope
from .preview import TITLES

log = structlog.get_logger(__name__)

EACH_PER_MINUTE, ALL_PER_MINUTE = 3, 30
"""Samples that one officer, and all together, may have sent."""

Send = Callable[[EmailCall], Awaitable[ProviderAnswer]]

Outcome = Literal["sent", "unsent", "wait", "sender"]
"""What became of it; `wait`: too many of late, `sender`: the organisation's own sender or subject cannot be sent."""


class Trial:
    """Samples by e-mail. `send`: the mail server; None: there is none, and nothing can be tried."""

    def __init__(self, send: Send | None) -> None:
        self.send = send
        self._each, self._all = TokenBuckets(EACH_PER_MINUTE), TokenBuckets(ALL_PER_MINUTE)

    def allows(self, organisation: str, user: str, now: float) -> bool:
        """Take one sample of an officer's; `now`: of a monotonic clock."""
        return not self._each.take(f"{organisation}/{user}", now) and not self._all.take("", now)

    async def __call__(self, organisation: Organisation, scope: Scope, name: str, to: str, now: datetime) -> Outcome:
        """Send the sample of that name."""
        if self.send is None:
            return "unsent"
        language = scope.language or (organisation.languages or [DEFAULT])[0]
        words = email(samples(organisation, "email", now, language, scope.label)[name], organisation, now, None)
        settings = organisation.email
        id_ = make_msgid(domain=mailbox(settings.from_).address.rpartition("@")[2])
        try:
            data = message_bytes(
                words._replace(subject=f"Proef: {words.subject}"), from_=settings.from_, reply_to=settings.reply_to, to=to,
                message_id=id_, date=now, unsubscribe=None,
            )  # fmt: skip
        except HeaderError as error:
            log.warning("a sample cannot be sent", organisation=organisation.organisation, header=error.name)
            return "sender"
        answer = await self.send(EmailCall(message="sample", mail_from=settings.from_, recipient=to, data=data))
        log.info("sample sent", organisation=organisation.organisation, outcome=answer.kind)
        return "sent" if answer.kind in ("sent", "unknown") else "unsent"


def sample_of(text: str) -> str:
    """Return the name of the sample that a form asks for; the first one's where there is none of that name."""
    return text if text in TITLES else next(iter(TITLES))
