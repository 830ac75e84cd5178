"""Erase a client: write tombstones and the event that makes every node forget, clear the projection; then look again.

The worker alone writes its rows, so it deletes them itself, on that event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from schemas.erasures import Erasure
from schemas.topics import (
    AUDIT_LOG,
    CLIENT_EVENTS,
    DELIVERIES,
    EMPLOYEE_EVENTS,
    EMPLOYEES,
    ERASURES,
    FOREIGN,
    INPUTS,
    TOPICS,
    changelog,
)
from schemas.wire import encode

from ..engine.transport.names import Admin, Producer
from ..engine.transport.offsets import Offsets, wait_for_backlog
from ..engine.transport.partitioner import partition_for
from ..kafka.reader import Reader, running
from ..kafka.topics import stores
from ..projection.forgetting import ErasedCounts, client_hash
from ..projection.projection import Projection
from ..terminal import Progress, counted, silent
from .proof import DatabaseProof, Proof, Tombstone, TopicProof, to_do, topic_proof
from .survey import Subject, Survey, TopicScan

LOOK = 0.5
"""Seconds between two looks at whether the workers have got there."""

LASTING = tuple(topic for topic in INPUTS if topic.retention_ms is None and topic.key in (ERASURES.key, EMPLOYEES.key))
"""What upstream says of a client or an employee and Kafka keeps for ever: a null value has compaction remove it."""

STEPS = (FOREIGN, INPUTS, (ERASURES,), (CLIENT_EVENTS,), (EMPLOYEE_EVENTS,), tuple(DELIVERIES.values()))
"""The way of an erasure: at each step the workers must have read past what its topics hold when the step before is done."""

Written = dict[str, list[Tombstone]]


@dataclass(frozen=True)
class ErasurePlan:
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
        progress: Progress = silent,
    ) -> None:  # fmt: skip
        self.bootstrap, self.application, self.security = bootstrap, application, dict(security or {})
        self.projection, self.say, self.clock = projection, say, clock
        self.survey = Survey(bootstrap, security, progress)
        self.topics = [topic.name for topic in (*TOPICS, *(changelog(application, store) for store in stores()))]

    async def look(self, plan: ErasurePlan, *, dry_run: bool = False) -> Proof:
        """Look, without writing, for what there is of a client. Raises MissingError where a topic is missing."""
        found = await self.survey.look(plan.subject, self.topics)
        return self._proof(plan, "dry-run" if dry_run else "verify", found, found, {}, ErasedCounts(), [])

    async def erase(self, plan: ErasurePlan) -> Proof:
        """Erase, and look again."""
        self.say("reading all topics")
        subject, written, problems = plan.subject, Written(), list[str]()
        before = await self.survey.look(subject, self.topics)
        for topic in LASTING if not subject.person else ():  # of one person upstream says the rest anew
            mine = [slot for slot in before[topic.name].live if slot[1] == subject.key]
            written[topic.name] = await self._write((topic.name, partition, key, None) for partition, key in mine)
        asked = await self._announce(subject, "asked")
        self.say("waiting for the workers")
        event = asked
        if await self._handled(plan.wait):
            event = await self._announce(subject, "done")
        else:
            problems.append(f"the workers did not take in the erasure within {plan.wait:.0f} s: start them, and run it again")
        forgotten = await asyncio.to_thread(self.projection.erase, event) if self.projection is not None else ErasedCounts()
        self.say("reading all topics again")
        now = await self._look_again(plan, problems)
        if plan.with_audit:
            facts = sorted(now[AUDIT_LOG.name].live)
            written[AUDIT_LOG.name] = await self._write((AUDIT_LOG.name, partition, key, None) for partition, key in facts)
            now |= await self.survey.look(subject, [AUDIT_LOG.name])
        return self._proof(plan, "erase", before, now, written, forgotten, problems)

    # -- what it does --------------------------------------------------------------------------------------------------

    async def _announce(self, subject: Subject, stage: Any) -> Erasure:
        event = Erasure(
            organisation=subject.organisation, client=subject.client, at=self.clock(), stage=stage,
            person=subject.person or UNSET, employee=subject.employee or UNSET,
        )  # fmt: skip
        async with self._reader() as reader:
            count = await reader.partitions(ERASURES.name)
        await self._write([(ERASURES.name, partition_for(subject.key, count), subject.key, encode(event))])
        return event

    async def _write(self, records: Iterable[tuple[str, int, bytes, bytes | None]]) -> list[Tombstone]:
        """Write topic, partition, key and value; return where they are, once every copy has them."""
        producer = Producer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, **self.security)
        async with running(producer, "stop"):
            sent = [await producer.send(topic, value, key, partition) for topic, partition, key, value in records]
            return [Tombstone(one.partition, one.offset) for one in [await future for future in sent]]

    async def _handled(self, seconds: float) -> bool:
        """Wait until the workers took it in on its whole way; return whether they did, within so many seconds."""
        try:
            async with asyncio.timeout(seconds), self._reader() as reader, self._admin() as admin:

                async def committed(tps: Iterable[Any]) -> Offsets:
                    return {tp: found.offset for tp, found in (await admin.list_consumer_group_offsets(self.application)).items()}

                for topics in STEPS:
                    tps = await reader.topics(topic.name for topic in topics)
                    if not await wait_for_backlog(reader, tps, committed, seconds):
                        return False
        except TimeoutError:
            return False
        return True

    async def _look_again(self, plan: ErasurePlan, problems: list[str]) -> dict[str, TopicScan]:
        """Look until rows are gone: they are written a moment after their event, an outbox is emptied a second later."""
        found = await self.survey.look(plan.subject, self.topics)
        rows = [name for name in self.topics if name.endswith("-changelog")]
        until = asyncio.get_running_loop().time() + plan.wait
        while not problems and any(found[name].live for name in rows) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK)
            found |= await self.survey.look(plan.subject, rows)
        return found

    def _reader(self) -> Reader:
        return Reader(self.bootstrap, self.security)

    def _admin(self) -> Any:
        return running(Admin(bootstrap_servers=self.bootstrap, **self.security), "close")

    # -- what it says --------------------------------------------------------------------------------------------------

    def _proof(
        self, plan: ErasurePlan, command: Any, before: Mapping[str, TopicScan], now: Mapping[str, TopicScan], written: Written,
        forgotten: ErasedCounts, problems: list[str],
    ) -> Proof:  # fmt: skip
        subject = plan.subject
        topics: list[TopicProof] = []
        for name in self.topics:
            tombstoned = tuple(written.get(name, ()))
            topics.append(topic_proof(name, before[name], now[name], tombstoned, keep_audit=not plan.with_audit))
            problems += [words] if (words := to_do(topics[-1], now[name])) is not None else []
        databases = []
        if self.projection is not None:
            left = self.projection.messages_of(subject.organisation, subject.client, subject.recipient)
            databases.append(DatabaseProof(database="projection", **forgotten._asdict(), left=left))
            if left:
                problems.append(f"projection: the client is named by {counted(left, 'message')}: run it again")
        return Proof(
            command=command, client=client_hash(subject.organisation, subject.client, subject.recipient), at=self.clock(),
            reason=plan.reason,
            audit="erased" if plan.with_audit else "kept",
            outcome="planned" if command == "dry-run" else "left" if problems else "done", to_do=tuple(problems),
            gone_by=max((topic.gone_by for topic in topics if topic.gone_by is not None), default=None), topics=tuple(topics),
            databases=tuple(databases),
        )  # fmt: skip
