"""Erases a client: tombstones, the event that makes every node forget, the projection; then looks again.

The worker is the one writer of its rows, so those go by the event, and their tombstones are its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.inputs import Erasure
from schemas.topics import (
    AUDIT_LOG,
    CLIENT_EVENTS,
    CONSENTS,
    CONTACTS,
    DELIVERIES_EMAIL,
    DELIVERIES_SMS,
    ERASURES,
    TOPICS,
    changelog,
)
from schemas.wire import encode
from streams.graph import INPUTS

from ..engine.partitioner import partition_for
from ..topics import stores
from ..web.forgetting import Forgotten, client_hash
from ..web.projection import Projection
from .proof import DatabaseProof, Proof, Tombstone, TopicProof, to_do, topic_proof
from .survey import Found, Subject, Survey, partitions_of, running

LOOK = 0.5
"""Seconds between two looks at whether the workers have got there."""

STEPS = (INPUTS, (ERASURES,), (CLIENT_EVENTS,), (DELIVERIES_SMS, DELIVERIES_EMAIL))
"""The way of an erasure: by each step's topics the workers must have come past what they hold when the step before is done."""

Written = dict[str, list[Tombstone]]


@dataclass(frozen=True)
class Plan:
    """What is asked for. `wait`: seconds to wait for the workers."""

    subject: Subject
    reason: str | None = None
    with_audit: bool = False
    wait: float = 60.0


class Eraser:
    """Erases one client after another. `projection`: None where there is none on this machine."""

    def __init__(
        self, bootstrap: str, application: str, security: Mapping[str, Any] | None = None, projection: Projection | None = None,
        say: Callable[[str], None] = lambda _: None, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.bootstrap, self.application, self.security = bootstrap, application, dict(security or {})
        self.projection, self.say, self.clock = projection, say, clock
        self.survey = Survey(bootstrap, security)
        self.topics = [topic.name for topic in (*TOPICS, *(changelog(application, store) for store in stores()))]

    async def look(self, plan: Plan, *, dry_run: bool = False) -> Proof:
        """Only read: what there is of a client. MissingError where a topic is missing."""
        found = await self.survey.look(plan.subject, self.topics)
        return self._proof(plan, "dry-run" if dry_run else "verify", found, found, {}, Forgotten(), [])

    async def erase(self, plan: Plan) -> Proof:
        """Erase, and look again."""
        self.say("reading all topics")
        subject, written, problems = plan.subject, Written(), list[str]()
        before = await self.survey.look(subject, self.topics)
        for topic in (CONSENTS, CONTACTS):
            mine = [slot for slot in before[topic.name].live if slot[1] == subject.key]
            written[topic.name] = await self._write((topic.name, partition, key, None) for partition, key in mine)
        asked = await self._announce(subject, "asked")
        self.say("waiting for the workers")
        event = asked
        if await self._handled(plan.wait):
            event = await self._announce(subject, "done")
        else:
            problems.append(f"the workers did not take in the erasure within {plan.wait:.0f} s: start them, and run it again")
        forgotten = await asyncio.to_thread(self.projection.erase, event) if self.projection is not None else Forgotten()
        self.say("reading all topics again")
        now = await self._look_again(plan, problems)
        if plan.with_audit:
            facts = sorted(now[AUDIT_LOG.name].live)
            written[AUDIT_LOG.name] = await self._write((AUDIT_LOG.name, partition, key, None) for partition, key in facts)
            now |= await self.survey.look(subject, [AUDIT_LOG.name])
        return self._proof(plan, "erase", before, now, written, forgotten, problems)

    # -- what it does --------------------------------------------------------------------------------------------------

    async def _announce(self, subject: Subject, stage: Any) -> Erasure:
        event = Erasure(organisation=subject.organisation, client=subject.client, at=self.clock(), stage=stage)
        async with self._admin() as admin:
            count = len((await partitions_of(admin, [ERASURES.name]))[ERASURES.name])
        await self._write([(ERASURES.name, partition_for(subject.key, count), subject.key, encode(event))])
        return event

    async def _write(self, records: Iterable[tuple[str, int, bytes, bytes | None]]) -> list[Tombstone]:
        """Write topic, partition, key and value; gives where they are, once every copy has them."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, **self.security)
        async with running(producer, "stop"):
            sent = [await producer.send(topic, value, key, partition) for topic, partition, key, value in records]
            return [Tombstone(one.partition, one.offset) for one in [await future for future in sent]]

    async def _handled(self, seconds: float) -> bool:
        """Whether the workers took it in on its whole way, within so many seconds."""
        try:
            async with asyncio.timeout(seconds), self._consumer() as consumer, self._admin() as admin:
                for topics in STEPS:
                    found = await partitions_of(admin, [topic.name for topic in topics])
                    tps = [tp for some in found.values() for tp in some]
                    ends, first = await consumer.end_offsets(tps), await consumer.beginning_offsets(tps)
                    left = {tp: end for tp, end in ends.items() if end > first[tp]}
                    while left:
                        done = await _committed(admin, self.application)
                        left = {tp: end for tp, end in left.items() if done.get(tp, 0) < end}
                        if left:
                            await asyncio.sleep(LOOK)
        except TimeoutError:
            return False
        return True

    async def _look_again(self, plan: Plan, problems: list[str]) -> dict[str, Found]:
        """Rows are written a moment after what led to them is taken in; an outbox is emptied a second later."""
        found = await self.survey.look(plan.subject, self.topics)
        rows = [name for name in self.topics if name.endswith("-changelog")]
        until = asyncio.get_running_loop().time() + plan.wait
        while not problems and any(found[name].live for name in rows) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK)
            found |= await self.survey.look(plan.subject, rows)
        return found

    def _consumer(self) -> Any:
        return running(AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, **self.security), "stop")

    def _admin(self) -> Any:
        return running(AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, **self.security), "close")

    # -- what it says --------------------------------------------------------------------------------------------------

    def _proof(
        self, plan: Plan, command: Any, before: Mapping[str, Found], now: Mapping[str, Found], written: Written,
        forgotten: Forgotten, problems: list[str],
    ) -> Proof:  # fmt: skip
        subject = plan.subject
        topics: list[TopicProof] = []
        for name in self.topics:
            tombstoned = tuple(written.get(name, ()))
            topics.append(topic_proof(name, before[name], now[name], tombstoned, keep_audit=not plan.with_audit))
            problems += [words] if (words := to_do(topics[-1], now[name])) is not None else []
        databases = []
        if self.projection is not None:
            left = self.projection.messages_of(subject.organisation, subject.client)
            databases.append(DatabaseProof(database="projection", **forgotten._asdict(), left=left))
            if left:
                problems.append(f"projection: {left} messages name the client: run it again")
        return Proof(
            command=command, client=client_hash(subject.organisation, subject.client), at=self.clock(), reason=plan.reason,
            audit="erased" if plan.with_audit else "kept",
            outcome="planned" if command == "dry-run" else "left" if problems else "done", to_do=tuple(problems),
            gone_by=max((topic.gone_by for topic in topics if topic.gone_by is not None), default=None), topics=tuple(topics),
            databases=tuple(databases),
        )  # fmt: skip


async def _committed(admin: Any, group: str) -> dict[TopicPartition, int]:
    """The group's offsets; nothing while its coordinator moves."""
    try:
        return {tp: found.offset for tp, found in (await admin.list_consumer_group_offsets(group)).items()}
    except KafkaError:
        return {}
