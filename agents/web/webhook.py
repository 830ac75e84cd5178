"""Take the SMS provider's status reports: signed, each signature once, and written to Kafka before the provider hears 200."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from aiohttp import web

from schemas.deliveries import DeliveryReport
from schemas.topics import DELIVERY_REPORTS

from ..kafka.publisher import Publisher, UnavailableError
from ..kafka.writer import Event
from ..monitoring.web_metrics import METRICS
from ..providers import bird_webhook, messagebird_webhook
from ..settings.settings import Settings
from .http.problems import ProblemError

log = structlog.get_logger(__name__)

UNSIGNED = "the signature is missing, wrong, too old or used"


class Webhook:
    """`GET /webhooks/messagebird`, `POST /webhooks/bird`. What is signed but not about a message of ours is taken and dropped."""

    def __init__(self, publisher: Publisher, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.publisher, self.clock = publisher, clock
        self.base = settings.report_url or settings.web_url or ""
        self.keys, self.secrets = settings.messagebird_signing_keys, settings.bird_webhook_secrets
        self.tokens = messagebird_webhook.reference_tokens(settings)
        self.seen = messagebird_webhook.UsedSignatures()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, with and without a slash at the end: a base URL of the settings gets one."""
        return [
            *(web.get(path, self.report, allow_head=False) for path in ("/webhooks/messagebird", "/webhooks/messagebird/")),
            *(web.post(path, self.event) for path in ("/webhooks/bird", "/webhooks/bird/")),
        ]

    async def report(self, request: web.Request) -> web.Response:
        """Take one report of the classic API."""
        now, target = self.clock(), request.raw_path
        id_ = messagebird_webhook.verify(
            request.headers.get(messagebird_webhook.HEADER), self.base, target, self.keys, self.seen, now
        )
        if id_ is None:
            request.app[METRICS].signatures_refused.labels("messagebird").inc()
            raise ProblemError(401, UNSIGNED)
        query = target.partition("?")[2]
        try:
            found = messagebird_webhook.parse(query, self.tokens, now)
        except ValueError:  # too many fields
            raise ProblemError(400) from None
        if found is None and messagebird_webhook.unopened(query, self.tokens):
            self._unknown(request)
        return await self._keep(found, id_)

    async def event(self, request: web.Request) -> web.Response:
        """Take one event of the new API."""
        now, body = self.clock(), await request.read()
        name = bird_webhook.verify(request.headers, body, self.secrets, self.seen, now)
        if name is None:
            request.app[METRICS].signatures_refused.labels("bird").inc()
            raise ProblemError(401, UNSIGNED)
        found = bird_webhook.parse(body, self.tokens, now)
        if found is None and bird_webhook.unopened(body, self.tokens):
            self._unknown(request)
        return await self._keep(found, name)

    def _unknown(self, request: web.Request) -> None:
        request.app[METRICS].tokens_unknown.labels("reference").inc()
        log.warning("a signed status report whose reference no key of ours sealed")

    async def _keep(self, report: DeliveryReport | None, signature: str) -> web.Response:
        if report is not None:
            key, value = messagebird_webhook.record(report)
            try:
                await self.publisher.publish(Event(DELIVERY_REPORTS.name, key.decode(), value))
            except UnavailableError:
                self.seen.forget(signature)
                raise
        return web.Response()
