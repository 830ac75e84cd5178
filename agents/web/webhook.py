"""The SMS provider's status reports: signed, each signature once, and written to Kafka before the provider hears 200."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from schemas.topics import DELIVERY_REPORTS

from ..feeding import Event
from ..providers import reports
from ..settings import Settings
from .problems import ProblemError
from .publishing import Publisher, UnavailableError


class Webhook:
    """`GET /webhooks/messagebird`. A report that is signed but not about a message of ours is taken and dropped."""

    def __init__(self, publisher: Publisher, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.publisher, self.clock = publisher, clock
        self.base = settings.report_url or settings.web_url or ""
        self.keys = settings.messagebird_signing_keys
        self.tokens = reports.reference_tokens(settings)
        self.seen = reports.Seen()

    def routes(self) -> list[web.RouteDef]:
        """With and without a slash at its end: a base URL of the settings gets one."""
        return [web.get(path, self.report, allow_head=False) for path in ("/webhooks/messagebird", "/webhooks/messagebird/")]

    async def report(self, request: web.Request) -> web.Response:
        """Take one report."""
        now, target = self.clock(), request.raw_path
        id_ = reports.verify(request.headers.get(reports.HEADER), self.base, target, self.keys, self.seen, now)
        if id_ is None:
            raise ProblemError(401, "the signature is missing, wrong, too old or used")
        try:
            report = reports.parse(target.partition("?")[2], self.tokens, now)
        except ValueError:  # too many fields
            raise ProblemError(400) from None
        if report is not None:
            key, value = reports.record(report)
            try:
                await self.publisher.publish(Event(DELIVERY_REPORTS.name, key.decode(), value))
            except UnavailableError:
                self.seen.forget(id_)
                raise
        return web.Response()
