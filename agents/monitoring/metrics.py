"""The figures of one worker for Prometheus. Labels are few-valued words of the catalogue and of the code, never what a client,
an organisation or a provider said: so no series is anybody's personal data, and their number does not grow with the use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
)

from .figures import Figures

PROMISE = 10.0
"""Seconds from its event within which 95 % of what is told reaches the provider; what is meant to be waited for, a window or
quiet hours, does not count. A bucket of both histograms ends there exactly."""

DELAYS = (0.1, 0.3, 0.5, 1, 2, 5, PROMISE, 20, 30, 60, 300, 900, 3600)
WORK = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CALLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20)
LOADS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900)


class Metrics(Figures):
    """The engine's hooks as metrics.

    `agents/worker/gauges.py` sets the gauges that are looked up rather than told.
    """

    def __init__(self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic)
        self.clock = clock
        self.sample: Callable[[], None] = lambda: None
        self._sampled = 0.0
        self.received: dict[tuple[str, int], float] = {}
        self._decisions()
        self._sending()
        self._engine()
        self._looked_up()

    def _decisions(self) -> None:
        make = self._make
        self.counted = {
            "events": make(Counter, "events", "Records of the input topics that were taken in", "topic"),
            "refused": make(Counter, "events_refused", "Of these, set aside in dead-letters", "topic"),
            "stale": make(Counter, "events_stale", "Consents and contacts that are older than what is kept", "topic"),
            "translated": make(Counter, "events_translated", "Records of ours made of FHIR and HL7 v2", "topic"),
            "ignored": make(Counter, "events_ignored", "Parts of records that say nothing to us", "topic", "reason"),
            "poison": make(Counter, "internal_records_refused", "Records of our own topics that could not be used", "topic"),
            "capped": make(Counter, "events_capped", "Events of a client that has as many as may be kept", "cap"),
            "large_rows": make(Counter, "rows_large", "Times that a client's row of more than 256 KiB was written"),
            "decided": make(Counter, "notices_decided", "Notices, by why they do not go out; passed: they do", "kind", "fate"),
            "reminders": make(
                Counter,
                "reminders_decided",
                "Reminders by their place among those of a day, by why they do not go out",
                "place",
                "fate",
            ),
            "outcomes": make(Counter, "messages_logged", "Records of the delivery log by senders", "channel", "status"),
            "answers": make(Counter, "provider_answers", "What came of calls; stop: our account is at fault", "channel", "kind"),
            "pauses": make(Counter, "channel_pauses", "Times that a channel paused: our account is at fault", "channel"),
            "organisation_pauses": make(Counter, "organisation_pauses", "Times that one organisation's was", "channel"),
            "reported": make(Counter, "status_reports", "Status reports of the SMS provider", "status"),
            "refused_addresses": make(Counter, "addresses_refused", "Addresses that take no message", "channel"),
            "contradictions": make(
                Counter, "appointments_contradictory", "Appointments of a revision that was taken in with other content"
            ),
            "polls": make(Counter, "agenda_snapshots", "Snapshots of agendas, by what came of them", "became"),
            "doubts": make(
                Counter,
                "agenda_doubts",
                "Appointments that snapshots miss; held: too many do, none is cancelled for it",
                "became",
            ),
            "holds": make(
                Counter, "holds", "Records of what organisations hold, by what they did; once for each partition", "did"
            ),
            "holds_urgent": make(Counter, "holds_urgent", "Whether messages of near days might go in a hold", "answer"),
            "addresses_left_out": make(
                Counter, "addresses_left_out", "Appointments whose place is an address, by what shows it: it is not said", "sign"
            ),
            "unknown_channels": make(Counter, "channels_unknown", "Channels of consents that nobody here knows, skipped"),
            "unusable_numbers": make(Counter, "numbers_unusable", "Numbers that can get no SMS, as taken in", "problem"),
            "landed": make(Counter, "flights_landed", "Messages that came to an end, by what it meant to the client", "became"),
            "flights_asked": make(Counter, "flights_asked", "Messages asked for, since nothing was heard for 15 minutes"),
            "no_rest": make(Counter, "flights_given_up", "Messages that came back again and again, with nothing changed"),
            "wordless": make(Counter, "notices_without_words", "Notices that failed, since they could not be worded", "channel"),
            "parts_differ": make(Counter, "sms_parts_differ", "The provider counted other SMS parts than we", "told_by"),
            "parts": make(Counter, "sms_parts", "SMS parts that were sent, as they are paid"),
        }
        self.measured = {
            "moments": make(
                Histogram, "moment_delay_seconds", "From when a moment was due until it was handled", "kind", buckets=DELAYS
            ),
            "claims": make(
                Histogram, "call_delay_seconds", "From an event and its window, or a moment, to the provider", "channel",
                "reason", buckets=DELAYS,
            ),
            "reports": make(
                Histogram, "report_delay_seconds", "From the sending until the status report says delivered", "channel",
                buckets=(5, 10, 30, 60, 300, 600, 3600, 21600, 86400),
            ),
        }  # fmt: skip

    def _sending(self) -> None:
        make = self._make
        self.calls = make(Histogram, "provider_call_seconds", "Duration of calls to a provider", "channel", buckets=CALLS)
        self.timed_out = make(Counter, "provider_calls_timed_out", "Calls without an answer in time", "channel")
        self.failed = make(Counter, "provider_calls_failed", "Calls that raised what their code did not expect", "channel")
        self.dropped = make(Counter, "provider_calls_dropped", "Calls not made, too long after their claim", "channel")

    def _engine(self) -> None:
        make = self._make
        self.turns = make(Histogram, "turn_seconds", "From a decision until it is durable and told", "node", buckets=WORK)
        self.turn_records = make(Counter, "turn_records", "Records that were handled", "node")
        self.decisions = make(Histogram, "decision_seconds", "What decisions took of the main loop", "node", buckets=WORK)
        self.ages = make(
            Histogram, "record_age_seconds", "Age of the first record of each fetched batch", "topic", buckets=DELAYS
        )
        self.recoveries = make(Histogram, "recovery_seconds", "Duration of loads of a node's rows", "node", buckets=LOADS)
        self.recovered = make(Counter, "recovery_records", "Changelog records that were loaded", "node")
        self.resent = make(Counter, "outputs_resent", "Outputs that were sent again after a crash", "node")
        self.zombie_writes = make(Counter, "stranger_keys", "Keys that a former owner wrote too late, written again", "node")
        self.set_aside = make(Counter, "outputs_set_aside", "Outputs that were larger than their topic takes", "topic")
        self.watermark = make(Gauge, "horizon_lag_seconds", "How long the last round waited for the backlog")
        self.horizon_timeouts = make(Counter, "horizon_timeouts", "Times that due moments no longer waited for the backlog")
        self.lost = make(Counter, "records_lost", "Records of a topic that Kafka deleted before they were read", "topic")
        self.anew = make(Counter, "topics_read_anew", "Partitions read from their beginning: the topic was made anew", "topic")
        self.silence = make(Gauge, "broker_silent_seconds", "How long no broker has answered this worker")
        self.held = make(Gauge, "hold_partitions", "Partitions that wait for settings and consents at a first start")
        self.hold_timeouts = make(Counter, "hold_timeouts", "Times that this wait was given up")
        self.assigned = make(Gauge, "partitions_assigned", "Partitions that this worker has")
        self.partitions = make(Gauge, "partitions", "Partitions of every topic: what all workers together must have")
        self.rebalances = make(Counter, "rebalances", "Times that partitions were dealt to this worker")
        self.committed = make(Gauge, "last_commit_timestamp_seconds", "When offsets were last committed")

    def _looked_up(self) -> None:
        make = self._make
        self.readiness = make(Gauge, "ready", "1: partitions are assigned and loaded")
        self.lag = make(Gauge, "topic_lag_records", "Records that were not handled yet, in this worker's partitions", "topic")
        self.behind = make(Gauge, "topic_behind_seconds", "Age of the oldest batch in hand; 0 where all is handled", "topic")
        self.holding = make(Gauge, "organisations_holding", "Organisations that hold their notices: of one partition, the most")
        self.rows = make(Gauge, "table_rows", "Rows of a node in this worker's partitions", "node")
        self.pending = make(Gauge, "moments_pending", "Clients by the kind of their next moment", "kind")
        self.due_lag = make(Gauge, "due_lag_seconds", "How long the most overdue moment has waited", "node")
        self.waiting = make(Gauge, "clients_waiting", "Clients with a message that waits", "channel")
        self.paused = make(Gauge, "channel_paused", "1: this worker sends nothing by the channel now", "channel")
        self.commit_wait = make(Gauge, "commit_wait_seconds", "How long offsets wait to be committed")

    # --- what the engine tells ---

    def on_tick(self) -> None:
        """Look the gauges up, once a second."""
        super().on_tick()
        if self.monotonic() - self._sampled >= 1.0:
            self._sampled = self.monotonic()
            self.readiness.set(self.ready and self.silent() is None)
            self.silence.set(self.unheard())
            self.sample()

    def on_fetched(self, topic: str, partition: int, records: int, timestamp: int) -> None:
        """Note the age of what came. A record without a time has -1."""
        if timestamp > 0:
            self.received[topic, partition] = timestamp / 1000
            self.ages.labels(topic).observe(max(0.0, self.clock() - timestamp / 1000))

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        """See `Monitor`."""
        self.turns.labels(node).observe(seconds)
        self.turn_records.labels(node).inc(records)

    def on_decided(self, node: str, seconds: float) -> None:
        """See `Monitor`."""
        self.decisions.labels(node).observe(seconds)

    def on_tally(self, node: str, tally: Mapping[tuple[str, ...], int]) -> None:
        """Add what was counted; a measured time has its seconds last (`Decision.measure`)."""
        for (name, *labels), times in tally.items():
            if name in self.counted:
                counter = self.counted[name]
                (counter.labels(*labels) if labels else counter).inc(times)
            elif name in self.measured:
                histogram = self.measured[name].labels(*labels[:-1])
                for _ in range(times):
                    histogram.observe(float(labels[-1]))

    def on_commit(self, partitions: int) -> None:
        """See `Monitor`."""
        self.committed.set(self.clock())

    def on_assigned(self, partitions: int) -> None:
        """See `Monitor`."""
        super().on_assigned(partitions)
        self.received.clear()
        self.assigned.set(partitions)
        self.rebalances.inc()

    def on_revoked(self) -> None:
        """See `Monitor`."""
        super().on_revoked()
        self.readiness.set(False)
        self.assigned.set(0)

    def on_recovered(self, node: str, count: int, seconds: float) -> None:
        """See `Monitor`."""
        self.recoveries.labels(node).observe(seconds)
        self.recovered.labels(node).inc(count)

    def on_resent(self, node: str, outputs: int) -> None:
        """See `Monitor`."""
        self.resent.labels(node).inc(outputs)

    def on_zombie_writes(self, node: str, keys: int) -> None:
        """See `Monitor`."""
        self.zombie_writes.labels(node).inc(keys)

    def on_set_aside(self, node: str, topic: str) -> None:
        """See `Monitor`."""
        self.set_aside.labels(topic).inc()

    def on_call(self, node: str, seconds: float, timed_out: bool) -> None:
        """Count a call. A sender's node has its channel's name."""
        self.calls.labels(node).observe(seconds)
        self.timed_out.labels(node).inc(timed_out)

    def on_call_failed(self, node: str) -> None:
        """See `Monitor`."""
        self.failed.labels(node).inc()

    def on_call_dropped(self, node: str) -> None:
        """See `Monitor`."""
        self.dropped.labels(node).inc()

    def on_lost(self, topic: str, records: int) -> None:
        """See `Monitor`."""
        self.lost.labels(topic).inc(records)

    def on_read_anew(self, topic: str, partitions: int) -> None:
        """See `Monitor`."""
        self.anew.labels(topic).inc(partitions)

    def on_watermark(self, lag_seconds: float, timed_out: bool) -> None:
        """See `Monitor`."""
        self.watermark.set(lag_seconds)
        self.horizon_timeouts.inc(timed_out)

    def on_bootstrap(self, partitions: int) -> None:
        """See `Monitor`."""
        self.held.set(partitions)

    def on_bootstrap_timeout(self) -> None:
        """See `Monitor`."""
        self.hold_timeouts.inc()
