"""The proof of an erasure: what was found of a client and where, what was done with it, and when the last of it is gone.

JSON without personal data: the client is named by a hash. Whoever knows the id can check that a proof is about it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from schemas.topics import ACCESS_LOG, AUDIT_LOG

from ..kafka.reader import written
from ..terminal import counted
from .survey import TopicScan

VERSION = 1

ProofState = Literal["nothing", "waits", "kept", "left"]


class Tombstone(msgspec.Struct, frozen=True):
    """A null value that was written: compaction removes what stands before it under its key."""

    partition: int
    offset: int


class TopicProof(msgspec.Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        found: records that named the client before.
        tombstoned: what this command wrote; rows of our own tables get theirs from the worker.
        records: records that name the client now, tombstones included.
        state: `waits`: they go by themselves, by `gone_by` at the latest; `kept`: by law; `left`: to do.
        gone_by: the last day on which any of it can be there (UTC).
    """

    topic: str
    policy: Literal["compact", "delete"]
    found: int
    tombstoned: tuple[Tombstone, ...] = ()
    records: int
    state: ProofState
    gone_by: str | None = None


class DatabaseProof(msgspec.Struct, frozen=True, kw_only=True):
    """The web service's projection: rows that went, and messages that name the client now."""

    database: str
    messages: int = 0
    records: int = 0
    requests: int = 0
    left: int = 0


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        client: SHA-256 of `organisation/client`.
        audit: whether audit facts stay under the client's id.
        outcome: `done`: nothing is to be done any more; `left`: see `to_do`; `planned`: only looked at.
        gone_by: the last day on which anything but audit facts can be there.
    """

    version: int = VERSION
    command: Literal["erase", "verify", "dry-run"]
    client: str
    at: datetime
    reason: str | None
    audit: Literal["kept", "erased"]
    outcome: Literal["done", "left", "planned"]
    to_do: tuple[str, ...]
    gone_by: str | None
    topics: tuple[TopicProof, ...]
    databases: tuple[DatabaseProof, ...]


def topic_proof(
    name: str, before: TopicScan, now: TopicScan, tombstoned: tuple[Tombstone, ...], *, keep_audit: bool
) -> TopicProof:
    """Return the state of one topic now."""
    gone_ms = now.gone_ms()
    held = now.records + now.tombstones
    kept = (keep_audit and name == AUDIT_LOG.name and now.live) or name == ACCESS_LOG.name
    state: ProofState
    if not held:
        state = "nothing"
    elif kept:
        state = "kept"
    elif gone_ms is None or (now.compacted and now.live):
        state = "left"
    else:
        state = "waits"
    return TopicProof(
        topic=name, policy="compact" if now.compacted else "delete", found=before.records, tombstoned=tombstoned, records=held,
        state=state, gone_by=day(gone_ms) if state == "waits" and gone_ms is not None else None,
    )  # fmt: skip


def to_do(topic: TopicProof, now: TopicScan) -> str | None:
    """Say what is left to do about a topic; None where nothing is."""
    if topic.state != "left":
        return None
    if topic.policy == "delete" or not now.live:
        return f"{topic.topic}: its records never go as it is configured: run `afspraakbericht topics`, with `--shorten`"
    if topic.topic.endswith("-changelog"):
        rows = counted(len(now.live), "row")
        return f"{topic.topic}: the client is named by {rows}: a worker must run; or upstream sent something new"
    last = counted(len(now.live), "record")
    return f"{topic.topic}: {last}, each the last of its key: run it again, after ending it at the source"


def day(milliseconds: int) -> str:
    """Return a day in UTC; the last there is for a record whose producer gave it a time beyond all years."""
    moment = written(milliseconds)
    return (moment.date() if moment is not None else date.max).isoformat()
