"""Look every minute whose messages are unusually many, and tell that organisation by e-mail (`streams/history/volume.py`).

Any number of web processes look; one of them writes the e-mail, and no more than one in six hours. It holds counts alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import make_msgid

import structlog
from sqlalchemy.exc import SQLAlchemyError

from agents.kafka.publisher import UnavailableError
from agents.monitoring.web_metrics import WebMetrics
from agents.projection.queries import Queries
from agents.projection.volumes import Warnings
from agents.providers import EmailCall, ProviderAnswer
from renderers.alert import alert
from renderers.email import message_bytes
from schemas.addresses import mailbox
from schemas.inputs import Organisation
from streams.history.volume import DAYS, TEN_MINUTES, Volume, begin_of, busy, window_of

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
AT_FIRST_SECONDS = 5.0
"""The same until the topics were read once."""

LOOKED_AT = 6
"""Windows that are looked at: an hour."""

MOST_BEHIND = 300.0
"""Seconds that what is known may be old."""

AGAIN = timedelta(hours=6)
"""Between two e-mails of the same."""

Send = Callable[[EmailCall], Awaitable[ProviderAnswer]]


class Busy:
    """The look. `send`: the mail server, if we may use one; `url`: of our pages; `behind`: how old what is known may be."""

    def __init__(
        self, queries: Queries, send: Send | None, metrics: WebMetrics, clock: Callable[[], datetime],
        url: str | None, behind: Callable[[], float | None],
    ) -> None:  # fmt: skip
        self.queries, self.send, self.metrics, self.clock, self.behind = queries, send, metrics, clock, behind
        self.warnings = Warnings(queries.engine)
        self.page = f"{url}tegenhouden" if url is not None else None

    async def run(self) -> None:
        """Look for ever; where the database is away, look again later."""
        while True:
            wait = AT_FIRST_SECONDS if self.behind() is None else EVERY_SECONDS
            try:
                await self.look()
            except (UnavailableError, SQLAlchemyError) as error:
                log.warning("nobody looks at volumes", error=type(error).__name__)
            await asyncio.sleep(wait)

    async def look(self) -> None:
        """Look at all whose messages went out in the last hour. While much is still to be read nobody can say what is usual."""
        behind = self.behind()
        if behind is None or behind > MOST_BEHIND:
            return
        now = self.clock()
        last = window_of(now)
        found: dict[str, dict[str, Volume]] = {}
        for organisation, reason in await self.queries.lately(last - LOOKED_AT):
            counts = await self.queries.volumes(organisation, reason)
            windows = range(last, last - LOOKED_AT, -1)
            volume = next((one for window in windows if (one := busy(counts, window)) is not None), None)
            if volume is not None:
                found.setdefault(organisation, {})[reason] = volume
        self.metrics.organisations_busy.set(len(found))
        for organisation, volumes in found.items():
            settings = (await self.queries.settings(organisation)).upstream
            if settings is None or not settings.alerts_to or self.send is None:
                continue
            for reason, volume in volumes.items():
                await self._tell(self.send, settings, reason, volume, now)
        await asyncio.to_thread(self.warnings.forget, last - DAYS - LOOKED_AT)

    async def _tell(self, send: Send, settings: Organisation, reason: str, volume: Volume, now: datetime) -> None:
        claimed = await asyncio.to_thread(self.warnings.claim, settings.organisation, reason, now, now - AGAIN)
        if not claimed:
            return
        answer = await send(self._mail(settings, reason, volume, now))
        sent = answer.kind in ("sent", "unknown")
        self.metrics.alert_mails.labels("sent" if sent else "failed").inc()
        if not sent:
            log.error("an organisation could not be told", organisation=settings.organisation, answer=answer.kind)
        if answer.kind in ("retry", "stop"):
            await asyncio.to_thread(self.warnings.unclaim, settings.organisation, reason)

    def _mail(self, settings: Organisation, reason: str, volume: Volume, now: datetime) -> EmailCall:
        to = mailbox(settings.alerts_to or "").address
        words = alert(
            settings.name,
            settings.time_zone,
            reason,
            begin_of(volume.window),
            TEN_MINUTES,
            volume.messages,
            volume.most,
            self.page,
        )
        sender = mailbox(settings.email.from_).address
        id_ = make_msgid(domain=sender.rpartition("@")[2])
        data = message_bytes(words, from_=settings.email.from_, reply_to=None, to=to, message_id=id_, date=now, unsubscribe=None)
        return EmailCall(message="alert", mail_from=settings.email.from_, recipient=to, data=data)
