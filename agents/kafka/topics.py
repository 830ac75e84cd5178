"""Create the topics as the catalogue says, and compare those at the broker with it.

A topic with another partition count is never changed: its keys would move away from their tables' partitions. Settings are
corrected, except where that lets Kafka delete records that it keeps now; that is reported, and done only when asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from schemas.topics import DAY, STORES, TOPICS, Topic, changelog

from ..engine.transport.names import Admin

ANSWER_SECONDS = 8
MAKE_SECONDS = 24
"""Thousands of partitions take a small broker some seconds."""

SET_ON_TOPIC = 1
"""Kafka's mark of a setting that is the topic's own, not the broker's or a default."""

NO_ANSWER = "no Kafka answers at {}: start one, or set AFSPRAAKBERICHT_BOOTSTRAP"

FORBIDDEN = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

CheckResult = Literal["created", "unchanged", "corrected", "missing", "wrong"]


class TopicsError(Exception):
    """The broker could not be asked; one line that says what to do."""


@dataclass(frozen=True)
class TopicCheck:
    """The check of one topic: its state, what was changed, and what is wrong."""

    topic: str
    partitions: int
    kept: str
    state: CheckResult
    notes: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All topics, in the catalogue's order."""

    lines: tuple[TopicCheck, ...]

    @property
    def problems(self) -> list[str]:
        """A sentence for each thing that stands between us and a start; none is good."""
        return [f"{line.topic}: {note}" for line in self.lines if line.state in ("missing", "wrong") for note in line.notes]


@dataclass(frozen=True)
class TopicState:
    """A topic as the broker has it: all settings in force, and those that are set on the topic itself."""

    partitions: int
    copies: int
    settings: Mapping[str, str]
    own: Mapping[str, str]


@dataclass(frozen=True)
class TopicPlan:
    """What is wanted of every topic, and how far we may go for it."""

    partitions: int
    replication: int
    check_only: bool
    shorten: bool


def stores() -> list[str]:
    """Return the nodes that have a changelog: each has one, of its rows and of what it has taken in."""
    return list(STORES)


def settings_of(topic: Topic, replication: int) -> dict[str, str]:
    """Return a topic's settings, with those that must not depend on how a broker was set up.

    Fewer than three copies ask nothing of `min.insync.replicas`: a default `replication` at hand must not lower what is there.
    """
    ours = {
        "max.message.bytes": str(topic.largest),
        # The broker unpacks a batch that comes compressed and holds that against the bound: 5 kB of gzip may be 5 MB, or 5 GB.
        "compression.type": "uncompressed",
        # Records are kept from when Kafka has them, not from a time that their producer gives: with that of the event, or of a
        # clock that is wrong, Kafka deletes them before they are read, and keeps a changelog's old values for years.
        "message.timestamp.type": "LogAppendTime",
        "retention.bytes": "-1",
        "unclean.leader.election.enable": "false",
    }
    in_sync = {"min.insync.replicas": "2"} if replication >= 3 else {}
    return {**ours, **in_sync, **topic.settings}


async def ensure(
    bootstrap: str,
    partitions: int,
    replication: int,
    application: str,
    stores: Iterable[str],
    *,
    check_only: bool = False,
    shorten: bool = False,
    topics: Iterable[Topic] = TOPICS,
    security: Mapping[str, Any] | None = None,
) -> Report:
    """Create what is missing, put settings right, and report; with `check_only` only report.

    `topics`: the catalogue, kept as long as the settings say (`schemas.topics.catalogue`).
    `shorten` also applies settings under which Kafka deletes records that it keeps now. TopicsError if no broker answers.
    `security`: of `agents/kafka/security.py`.
    """
    topics = [*topics, *(changelog(application, store) for store in stores)]
    plan = TopicPlan(partitions, replication, check_only, shorten)
    admin = Admin(bootstrap_servers=bootstrap, request_timeout_ms=MAKE_SECONDS * 1000, **(security or {}))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await admin.start()
        async with asyncio.timeout(6 * ANSWER_SECONDS):
            created = {} if check_only else await _create(admin, topics, plan)
            found = await _found(admin, topics, created)
            lines = [_compare(topic, found.get(topic.name), created.get(topic.name), plan) for topic in topics]
            for line in lines:
                if line.changes and not check_only:
                    await _alter(admin, line.topic, {**found[line.topic].own, **line.changes})
    except FORBIDDEN as error:
        message = f"our user of Kafka may not do that ({type(error).__name__}): `afspraakbericht rights` says what `setup` needs"
        raise TopicsError(message) from error
    except (KafkaConnectionError, TimeoutError) as error:
        raise TopicsError(NO_ANSWER.format(bootstrap)) from error
    except (KafkaError, OSError) as error:
        why = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise TopicsError(f"Kafka at {bootstrap} does not answer as it should: {why}") from error
    finally:
        await admin.close()
    return Report(tuple(lines))


async def _create(admin: Any, topics: list[Topic], plan: TopicPlan) -> dict[str, str | None]:
    """Create those that are missing; return each one's refusal, '' where it was created, None where another process just did."""
    present = {row["topic"] for row in await admin.describe_topics()}
    absent = [topic for topic in topics if topic.name not in present]
    if not absent:
        return {}
    in_sync = "2" if plan.replication >= 3 else "1"  # whatever the broker's default is: with one copy, 2 takes no write
    configs = {topic.name: {"min.insync.replicas": in_sync, **settings_of(topic, plan.replication)} for topic in absent}
    wanted = [NewTopic(name, plan.partitions, plan.replication, topic_configs=config) for name, config in configs.items()]
    answer = await admin.create_topics(wanted, timeout_ms=MAKE_SECONDS * 1000)
    refusals: dict[str, str | None] = {}
    for name, code, message in answer.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:  # it is checked like the others
            refusals[name] = None
        else:
            refusals[name] = f"the broker did not create it: {message or error.__name__}" if code else ""
    return refusals


async def _found(admin: Any, topics: list[Topic], created: Mapping[str, str | None]) -> dict[str, TopicState]:
    """Return the topics that the broker has. Brokers other than the controller learn of a new one a moment later.

    All topics are asked for, not ours by name: a broker with auto-creation would create those.
    """
    names = {topic.name for topic in topics}
    expected = {name for name, refusal in created.items() if not refusal}
    while True:
        rows = {row["topic"]: row for row in await admin.describe_topics() if row["topic"] in names}
        if expected <= rows.keys() and all(part["leader"] >= 0 for name in expected for part in rows[name]["partitions"]):
            try:
                return await _described(admin, rows)
            except UnknownTopicOrPartitionError:
                pass  # each request goes to any broker: this one has not heard of it yet, or it was just deleted
        await asyncio.sleep(0.1)


async def _described(admin: Any, rows: Mapping[str, Any]) -> dict[str, TopicState]:
    """Return the topics of these rows with their settings. Raises the broker's error."""
    found: dict[str, TopicState] = {}
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in rows]):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(message)
            parts = rows[name]["partitions"]
            values = {entry[0]: entry[1] or "" for entry in entries}
            own = {entry[0]: entry[1] or "" for entry in entries if entry[3] == SET_ON_TOPIC}
            found[name] = TopicState(len(parts), min(len(part["replicas"]) for part in parts), values, own)
    return found


def _compare(topic: Topic, found: TopicState | None, refusal: str | None, plan: TopicPlan) -> TopicCheck:
    """Compare one topic with the catalogue; the result's `changes` are the settings to put right."""
    wanted = settings_of(topic, plan.replication)
    line = TopicCheck(topic.name, found.partitions if found else 0, _kept(wanted), "missing", ())
    if found is None:
        return replace(
            line, notes=(refusal or "it does not exist, or our user may not see it: create it with `afspraakbericht topics`",)
        )
    wrong = []
    if found.partitions != plan.partitions:
        wrong.append(
            f"it has {found.partitions} partitions, wanted {plan.partitions}: the count is fixed for life, so set "
            "AFSPRAAKBERICHT_PARTITIONS to what all topics have; where somebody added partitions to this one alone: RUNBOOK, "
            "“Partitions added”"
        )
    if found.copies < plan.replication:
        wrong.append(f"it has {found.copies} copies of a partition, wanted {plan.replication}: reassign its partitions")
    differing = {name: value for name, value in wanted.items() if found.settings.get(name) != value}
    for name, value in differing.items():
        text = f"{name} is {found.settings.get(name)}, wanted {value}"
        if not plan.shorten and _deletes(name, found.settings, value):
            wrong.append(f"{text}: Kafka would delete records that it keeps now; `--shorten` if that is meant")
        elif plan.check_only:
            wrong.append(f"{text}: correct it with `afspraakbericht topics`")
    if wrong:
        return replace(line, state="wrong", notes=tuple(wrong))
    notes = tuple(f"{name} was {found.settings.get(name)}, now {value}" for name, value in differing.items())
    state: CheckResult = "created" if refusal == "" else "corrected" if notes else "unchanged"
    return replace(line, state=state, notes=notes, changes=differing)


def _deletes(name: str, now: Mapping[str, str], value: str) -> bool:
    """Tell whether Kafka would delete records that it keeps now."""
    if name == "cleanup.policy":
        return True
    if name not in ("retention.ms", "retention.bytes") or "delete" not in now.get("cleanup.policy", ""):
        return False
    kept, wanted = int(now.get(name, "-1")), int(value)
    return wanted >= 0 and (kept < 0 or kept > wanted)


async def _alter(admin: Any, name: str, own: Mapping[str, str]) -> None:
    """Set a topic's own settings, all of them: aiokafka has the request that replaces, and none that adds."""
    for answer in await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, dict(own))]):
        for code, message, *_ in answer.resources:
            if code:
                raise for_code(code)(message)


def _kept(settings: Mapping[str, str]) -> str:
    """Say how long records are kept."""
    if settings["cleanup.policy"] == "compact":
        return "last of each key"
    milliseconds = int(settings["retention.ms"])
    return "for ever" if milliseconds < 0 else f"{milliseconds // DAY} days"
