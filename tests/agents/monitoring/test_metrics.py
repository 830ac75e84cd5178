"""The metrics: their names, what the engine's hooks make of them, and what is looked up."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric

from agents.monitoring.figures import tzdata_version
from agents.monitoring.metrics import Metrics
from agents.worker.gauges import Gauges, install, overdue
from schemas.topics import TOPICS
from streams.intake.polls import DOUBTS
from streams.notices.listing import ANSWERS, HOLDS
from streams.processing.caps import CAPS
from streams.processing.turn import Decision
from streams.sending.outcomes import Outcome, SendCall
from streams.simulation import Simulation
from streams.topology import graph
from tests.agents.worker.memory_worker import NOON, MemoryWorker
from tests.world import World, appointment, at, organisation

ROOT = Path(__file__).parents[3]
UNITS = ("seconds", "bytes", "records", "total", "info")
ABBREVIATED = re.compile(r"_(ms|sec|secs|msec|min|mins|hours|days|kb|mb|pct|percent|s)(_|$)")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"afspraakbericht_{name}", labels)


def families(metrics: Metrics) -> list[Metric]:
    return [family for family in metrics.registry.collect() if family.name.startswith("afspraakbericht")]


class FakeApp:
    """What the sampler sees of an app: the simulation's processors as one partition."""

    def __init__(self, world: World) -> None:
        self.now, self.partitions = world.now, 1
        self.simulation = world.simulation
        self.ends: dict[str, int] = {}
        self.consumer = SimpleNamespace(waiting_since=None, end_of=lambda topic, p: self.ends.get(topic))
        self.tasks = SimpleNamespace(of=self.of_node)

    def clock(self) -> Any:
        return self.now

    def of_node(self, node: str) -> list[Any]:
        topics = next([topic.name for topic in one.reads] for one in graph(1) if one.name == node)
        rows = self.simulation.rows[node]
        return [
            SimpleNamespace(
                p=0,
                processor=self.simulation.processors[node],
                part=SimpleNamespace(rows=rows),
                waiting=dict.fromkeys(topics, 0),
                offsets=dict.fromkeys(topics, 10),
            )
        ]


def test_names_follow_the_rules_of_promtool() -> None:
    """Those that `promtool check metrics` applies, for where it is not installed."""
    for family in families(Metrics()):
        samples = {sample.name for sample in family.samples}
        assert family.documentation, family.name
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", family.name), family.name
        assert not ABBREVIATED.search(family.name), family.name
        assert not any(part in family.name for part in ("gauge", "counter", "histogram")), family.name
        assert family.type == "counter" or not family.name.endswith("_total"), family.name
        assert all(name.endswith("_total") for name in samples) or family.type != "counter", family.name
        if family.type == "histogram":
            assert family.name.endswith(UNITS), family.name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_promtool_finds_nothing_to_say() -> None:
    text = generate_latest(Metrics().registry)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_decisions_count_is_known_here() -> None:
    """A tally without its metric would be lost without a word, and a metric that nothing counts is always 0."""
    sources = "".join(path.read_text() for path in (ROOT / "streams").rglob("*.py"))
    metrics = Metrics()

    assert set(re.findall(r'decision\.count\(\s*"(\w+)"', sources)) == set(metrics.counted)
    assert set(re.findall(r'decision\.measure\(\s*"(\w+)"', sources)) == set(metrics.measured)


def test_two_apps_have_figures_of_their_own() -> None:
    one, other = Metrics(), Metrics()
    one.on_call_failed("sms")

    assert value(one, "provider_calls_failed_total", channel="sms") == 1
    assert value(other, "provider_calls_failed_total", channel="sms") is None


def test_a_tally_becomes_counters_and_histograms() -> None:
    metrics = Metrics()
    metrics.on_tally("sms", {("outcomes", "sms", "sent"): 3, ("parts",): 4, ("claims", "sms", "direct", "10.0"): 2, ("new",): 1})

    assert value(metrics, "messages_logged_total", channel="sms", status="sent") == 3
    assert value(metrics, "sms_parts_total") == 4
    assert value(metrics, "call_delay_seconds_bucket", channel="sms", reason="direct", le="10.0") == 2
    assert value(metrics, "call_delay_seconds_bucket", channel="sms", reason="direct", le="5.0") == 0


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(-5, "0.0"), (0, "0.0"), (1, "0.1"), (300, "0.3"), (9_999, "10.0"), (10_000, "10.0"), (10_001, "10.1")],
)
def test_a_time_is_never_told_shorter_than_it_was(milliseconds: int, told: str) -> None:
    """So that what is in the bucket of ten seconds did take at most ten."""
    decision = Decision()
    decision.measure("claims", "sms", time=timedelta(milliseconds=milliseconds))

    assert decision.tally == {("claims", "sms", told): 1}


def test_the_hooks_of_the_engine() -> None:
    metrics = Metrics(clock=lambda: 1000.0)
    metrics.on_fetched("consents", 1, 5, 990_000)
    metrics.on_fetched("consents", 1, 5, -1)
    metrics.on_turn("intake", 5, 0.1)
    metrics.on_decided("intake", 0.01)
    metrics.on_commit(3)
    metrics.on_recovered("intake", 7, 1.0)
    metrics.on_resent("intake", 2)
    metrics.on_zombie_writes("intake", 2)
    metrics.on_set_aside("notices", "deliveries-sms")
    metrics.on_call("sms", 0.2, True)
    metrics.on_call_dropped("sms")
    metrics.on_watermark(1.5, True)
    metrics.on_bootstrap(4)
    metrics.on_bootstrap_timeout()
    metrics.on_assigned(4)

    assert value(metrics, "record_age_seconds_sum", topic="consents") == 10
    assert value(metrics, "record_age_seconds_count", topic="consents") == 1
    assert value(metrics, "turn_records_total", node="intake") == 5
    assert value(metrics, "decision_seconds_count", node="intake") == 1
    assert value(metrics, "last_commit_timestamp_seconds") == 1000
    assert value(metrics, "recovery_records_total", node="intake") == 7
    assert value(metrics, "outputs_resent_total", node="intake") == 2
    assert value(metrics, "stranger_keys_total", node="intake") == 2
    assert value(metrics, "outputs_set_aside_total", topic="deliveries-sms") == 1
    assert value(metrics, "provider_calls_timed_out_total", channel="sms") == 1
    assert value(metrics, "provider_calls_dropped_total", channel="sms") == 1
    assert (value(metrics, "horizon_lag_seconds"), value(metrics, "horizon_timeouts_total")) == (1.5, 1)
    assert (value(metrics, "hold_partitions"), value(metrics, "hold_timeouts_total")) == (4, 1)
    assert (value(metrics, "partitions_assigned"), value(metrics, "rebalances_total")) == (4, 1)


def test_what_is_looked_up() -> None:
    world = World()
    world.book("2026-03-10 13:15")
    app, metrics = FakeApp(world), Metrics()
    install(app, metrics)  # type: ignore[arg-type]
    app.ends = {"appointments": 15, "consents": 10}
    metrics.received["appointments", 0] = world.now.timestamp() - 7
    metrics.on_tick()

    assert value(metrics, "moments_pending", kind="window") == 1
    assert value(metrics, "table_rows", node="intake") == 1
    assert value(metrics, "topic_lag_records", topic="appointments") == 5
    assert value(metrics, "topic_behind_seconds", topic="appointments") == 7
    assert value(metrics, "topic_lag_records", topic="consents") == 0
    assert value(metrics, "due_lag_seconds", node="notices") == 0

    app.now = at("2026-03-02 09:10")
    Gauges(app, metrics)()  # type: ignore[arg-type]
    assert value(metrics, "due_lag_seconds", node="notices") == 570, "its window of 30 s has been over for 9.5 minutes"
    assert overdue(object(), app.now) == 0


def test_every_label_of_the_catalogue_is_there_before_anything_happened() -> None:
    """An alert on the rate of a series that appears with its first event would miss that event."""
    metrics = Metrics()
    install(FakeApp(World()), metrics)  # type: ignore[arg-type]

    for topic in TOPICS:
        if topic.role == "input":
            assert value(metrics, "events_refused_total", topic=topic.name) == 0
    for channel in ("sms", "email"):
        assert value(metrics, "provider_calls_timed_out_total", channel=channel) == 0
        assert value(metrics, "messages_logged_total", channel=channel, status="failed") == 0
        assert value(metrics, "provider_answers_total", channel=channel, kind="stop") == 0


def test_labels_are_words_of_ours_whatever_is_fed() -> None:
    """Not an id, a name, an address or a number: few series, and nobody's data."""
    world = World(reminder={"days_before": 1, "at": "10:00"})
    metrics = Metrics()
    app = FakeApp(world)
    tallies: list[Any] = []
    apply = Simulation._apply

    def counting(self: Simulation, name: str, decision: Decision) -> None:
        tallies.append((name, decision.tally))
        apply(self, name, decision)

    world.simulation._apply = counting.__get__(world.simulation)  # type: ignore[method-assign]
    world.book("2026-03-10 13:15").wait("2026-03-11 10:00")
    for name, tally in tallies:
        metrics.on_tally(name, tally)
    install(app, metrics)  # type: ignore[arg-type]

    found = {text for family in families(metrics) for sample in family.samples for text in sample.labels.values()}
    build = set(next(one for one in families(metrics) if one.name.endswith("build_info")).samples[0].labels.values())
    ours = {topic.name for topic in TOPICS} | {node.name for node in graph(1)} | {"passed", "created", "reminder", "direct"}
    ours |= {*CAPS, *DOUBTS, *HOLDS, *ANSWERS}
    ours |= {
        "sent",
        "retry",
        "retrying",
        "delivered",
        "permanent_address",
        "permanent_message",
        "answer",
        "report",
        "stop",
        "failed",
        "unknown",
        "window",
        "request",
        "prune",
        "end",
        "flight",
        "out",
        "back",
        "lost",
    }
    assert {text for text in found - build if not re.fullmatch(r"[0-9.+e]+|\+Inf", text)} <= ours
    assert value(metrics, "notices_decided_total", kind="reminder", fate="passed") == 1
    assert value(metrics, "moment_delay_seconds_count", kind="window") == 1


def test_the_version_of_the_time_zones_is_known() -> None:
    assert re.match(r"20\d\d[a-z]|20\d\d\.|system", tzdata_version())


async def test_the_time_to_the_provider_counts_from_the_event_and_without_its_window() -> None:
    metrics = Metrics()

    async def provider(call: SendCall) -> Outcome:
        return Outcome(kind="sent", text="", each=(1,))

    worker = MemoryWorker({"sms": provider, "email": provider}, metrics, NOON)
    contact = {"sms": {"number": "+31612345678", "confirmed": True}, "email": None}
    consent = {"notifications": True, "channels": ["sms"], "source": "ecd"}
    ids = {"organisation": "zorg", "client": "anna"}
    worker.feed("organisations", b"zorg", orjson.dumps(organisation()))
    worker.feed("consents", b"zorg/anna", orjson.dumps(ids | consent))
    worker.feed("contacts", b"zorg/anna", orjson.dumps(ids | contact))
    await worker.settle()
    seven_seconds_ago = int(NOON.timestamp() - 7) * 1000
    worker.feed("appointments", b"zorg/a", orjson.dumps(appointment("2026-03-20 13:15")), seven_seconds_ago)
    await worker.settle()
    assert value(metrics, "call_delay_seconds_count", channel="sms", reason="direct") is None, "its window is open"
    await worker.settle(seconds=30)
    await worker.stop()

    assert value(metrics, "call_delay_seconds_count", channel="sms", reason="direct") == 1
    assert value(metrics, "call_delay_seconds_sum", channel="sms", reason="direct") == 7
