"""The SMS provider's status reports: signed, each signature once, and written to Kafka before the provider hears 200."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from schemas.deliveries import DeliveryReport
from schemas.topics import DELIVERY_REPORTS

from ..feeding import Event
from ..providers import bird_reports, reports
from ..settings import Settings
from .problems import ProblemError
from .publishing import Publisher, UnavailableError

UNSIGNED = "the signature is missing, wrong, too old or used"


class Webhook:
    """`GET /webhooks/messagebird`, `POST /webhooks/bird`. What is signed but not about a message of ours is taken and dropped."""

    def __init__(self, publisher: Publisher, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.publisher, self.clock = publisher, clock
        self.base = settings.report_url or settings.web_url or ""
        self.keys, self.secrets = settings.messagebird_signing_keys, settings.bird_webhook_secrets
        self.tokens = reports.reference_tokens(settings)
        self.seen = reports.Seen()

    def routes(self) -> list[web.RouteDef]:
        """With and without a slash at its end: a base URL of the settings gets one."""
        return [
            *(web.get(path, self.report, allow_head=False) for path in ("/webhooks/messagebird", "/webhooks/messagebird/")),
            *(web.post(path, self.event) for path in ("/webhooks/bird", "/webhooks/bird/")),
        ]

    async def report(self, request: web.Request) -> web.Response:
        """Take one report of the classic API."""
        now, target = self.clock(), request.raw_path
        id_ = reports.verify(request.headers.get(reports.HEADER), self.base, target, self.keys, self.seen, now)
        if id_ is None:
            raise ProblemError(401, UNSIGNED)
        try:
            found = reports.parse(target.partition("?")[2], self.tokens, now)
        except ValueError:  # too many fields
            raise ProblemError(400) from None
        return await self._keep(found, id_)

    async def event(self, request: web.Request) -> web.Response:
        """Take one event of the new API."""
        now, body = self.clock(), await request.read()
        name = bird_reports.verify(request.headers, body, self.secrets, self.seen, now)
        if name is None:
            raise ProblemError(401, UNSIGNED)
        return await self._keep(bird_reports.parse(body, self.tokens, now), name)

    async def _keep(self, report: DeliveryReport | None, signature: str) -> web.Response:
        if report is not None:
            key, value = reports.record(report)
            try:
                await self.publisher.publish(Event(DELIVERY_REPORTS.name, key.decode(), value))
            except UnavailableError:
                self.seen.forget(signature)
                raise
        return web.Response()
