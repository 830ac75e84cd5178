"""The figures of one web process for Prometheus. A route is its pattern, never the path: that holds tokens and ids."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

from schemas.topics import (
    ACCESS_LOG,
    DELIVERY_LOG,
    DOUBTED,
    ERASURES,
    HELD,
    HOLDS,
    OPT_OUTS,
    ORGANISATIONS,
    OUTCOMES,
    OVERRIDES,
    REQUESTS,
)

from .figures import Figures

ANSWERS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
READ = (
    DELIVERY_LOG.name, REQUESTS.name, ERASURES.name, ORGANISATIONS.name, OVERRIDES.name, HOLDS.name, HELD.name, DOUBTED.name,
    ACCESS_LOG.name,
    OPT_OUTS.name, OUTCOMES.name,
)  # fmt: skip
"""What the projection follows, and the changelog of the workers' rows of clients, which metrics call `ROWS`."""
ROWS = "notices-changelog"
CAUSES = ("kafka", "database", "newer_schema")
"""Why the projection waits."""


class WebMetrics(Figures):
    """Counters and gauges; handlers find them as `request.app[METRICS]`."""

    unready = "the overview is still read from the topics"

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic)
        self._requests()
        self._projection()
        self._volumes()

    def _requests(self) -> None:
        make = self._make
        self.requests = make(Counter, "web_requests", "Requests that were answered", "route", "status")
        self.answers = make(Histogram, "web_request_seconds", "Duration of a request", "route", buckets=ANSWERS)
        self.signatures_refused = make(
            Counter, "web_signatures_refused", "Status reports whose signature is not good", "provider"
        )
        self.sign_ins_refused = make(Counter, "web_sign_ins_refused", "Sign-ins that were refused", "way")
        self.sign_ins_turned_away = make(
            Counter, "web_sign_ins_turned_away", "Sign-ins that were not looked at, since too many tried or waited", "way"
        )
        self.tokens_unknown = make(
            Counter,
            "web_tokens_unknown",
            "Unsubscribe links, and references of status reports, that no key of ours sealed",
            "what",
        )
        for what in ("unsubscribe", "reference"):
            self.tokens_unknown.labels(what)
        self.keys_refused = make(Counter, "web_api_keys_refused", "Requests of the API without a key that is known")
        self.published = make(Histogram, "web_publish_seconds", "From an event to Kafka's word that it is kept", buckets=ANSWERS)
        self.unpublished = make(Counter, "web_publish_failures", "Events that Kafka did not acknowledge in time")
        for provider in ("messagebird", "bird"):
            self.signatures_refused.labels(provider)
        for way in ("local", "oidc"):
            self.sign_ins_refused.labels(way)
            self.sign_ins_turned_away.labels(way)

    def _volumes(self) -> None:
        make = self._make
        self.organisations_busy = make(
            Gauge, "organisations_busy", "Organisations whose messages were unusually many in the last hour"
        )
        self.alert_mails = make(Counter, "alert_mails", "E-mails to organisations that much goes out", "outcome")
        for outcome in ("sent", "failed"):
            self.alert_mails.labels(outcome)

    def _projection(self) -> None:
        make = self._make
        self.taken = make(Counter, "projection_records", "Records that were taken into the projection", "topic")
        self.skipped = make(Counter, "projection_skipped", "Of these, set aside since they could not be used", "topic")
        self.read_anew = make(
            Counter, "projection_read_anew", "Times that a topic was read from its start: it was made anew", "topic"
        )
        self.waits = make(Counter, "projection_waits", "Times that following the topics broke off, to go on later", "cause")
        self.lag = make(Gauge, "projection_lag_seconds", "Age of the last record taken in; 0 where all is taken in")
        self.age = make(Gauge, "projection_age_seconds", "Since Kafka and the database last both answered")
        for topic in (*READ, ROWS):
            self.taken.labels(topic)
            self.skipped.labels(topic)
            self.read_anew.labels(topic)
        for cause in CAUSES:
            self.waits.labels(cause)

    def on_answer(self, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route` is the pattern, or `-` where no route fits."""
        self.requests.labels(route, f"{status // 100}xx").inc()
        self.answers.labels(route).observe(seconds)


METRICS = web.AppKey("metrics", WebMetrics)
