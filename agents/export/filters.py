"""Choose records of the delivery log: those that are wanted, each once, even if it was written twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

import msgspec

from schemas.deliveries import SCHEMA, LogRecord, NewerSchemaError, Reason, Status, refuse_newer
from schemas.inputs import Channel
from schemas.keys import ClientKey
from schemas.notices import Kind
from schemas.wire import BadRecordError, own

from ..kafka.junk import NotARecordError
from .periods import Period

VALUES = {"channel": get_args(Channel), "status": get_args(Status), "reason": get_args(Reason), "kind": get_args(Kind)}
"""What the fields that have fixed values may be."""

WINDOW = 1 << 19
"""How many records are remembered, of all partitions together; each partition remembers at least half of its share.

What is written twice (an outbox sent again after a crash, a producer's retry) stands in one partition, the second copy seconds to
minutes after the first. The window holds hours of a large installation, and memory stays flat, at some 50 MB at most, however
long the log is. Readers that must know for ever, the overview's projection and the bill, keep their own account."""


ALWAYS = Period()


class Once:
    """Remembers the last records of each partition by a 64-bit hash of what identifies them."""

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.young: dict[Any, set[int]] = {}
        self.old: dict[Any, set[int]] = {}

    def fresh(self, partition: Any, identities: Sequence[int]) -> list[bool] | None:
        """Tell which of these are new; None: all of them. They are remembered from now on."""
        young, old = self.young.setdefault(partition, set()), self.old.setdefault(partition, set())
        found = set(identities)
        answer = None
        if len(found) < len(identities) or not (young.isdisjoint(found) and old.isdisjoint(found)):
            known, answer = young | old, []
            for identity in identities:
                answer.append(identity not in known)
                known.add(identity)
        young |= found
        if len(young) * 2 * len(self.young) >= self.window:
            self.old[partition], self.young[partition] = young, set()
        return answer


@dataclass(frozen=True)
class Wanted:
    """What is wanted: of each field any of these values (of `kind`: a notice of the message has it), `at` in the period.

    `clients`: any of these, whose organisation is named too, beside those in `values`. `every`: also what comes again.
    """

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    period: Period = ALWAYS
    every: bool = False
    clients: frozenset[ClientKey] = frozenset()

    @property
    def everything(self) -> bool:
        """Tell whether nothing is left out, so that no record needs to be looked into."""
        return self.every and not self.values and not self.clients and self.period == ALWAYS


class _Notice(msgspec.Struct, gc=False):
    kind: str


_TYPES: dict[str, Any] = {"channel": str | None, "at": datetime, "notices": tuple[_Notice, ...]}


class Chooser:
    """Chooses among the records of a batch. `bad` is told of each value that is no record, which is left out.

    `whole`: every field is looked at, not only what is asked for. A form that takes records apart needs it.
    """

    def __init__(
        self, wanted: Wanted, bad: Callable[[NotARecordError], None], once: Once | None = None, *, whole: bool = False
    ) -> None:
        self.wanted, self.bad, self.whole = wanted, bad, whole
        self.once = None if wanted.every else once or Once()
        needs = {"message", "attempt", "status", *wanted.values} - {"kind"}
        needs |= {"notices"} if "kind" in wanted.values else set()
        needs |= {"organisation", "client"} if wanted.clients else set()
        needs |= {"at"} if wanted.period != ALWAYS else set()
        fields = [(name, _TYPES.get(name, int if name == "attempt" else str)) for name in sorted(needs)]
        head = msgspec.defstruct("LogRecord", [*fields, ("schema", int, SCHEMA)], gc=False)
        type_: Any = LogRecord if whole else head
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(
            type_
        ).decode  # only what is asked for: the rest is passed over
        apart = {"client"} if wanted.clients else set[str]()
        self.tests = [_test(name, values) for name, values in wanted.values.items() if name not in apart]
        if wanted.clients:
            self.tests.append(_is_any(wanted.clients, wanted.values.get("client", frozenset())))
        if wanted.period != ALWAYS:
            self.tests.append(_within(wanted.period))

    def choose(self, tp: Any, records: list[Any]) -> list[bytes]:
        """Return the values of the wanted ones, as they are on the topic. Raises NewerSchemaError."""
        values = [record.value for record in records]
        if self.wanted.everything and not self.whole:
            return [b"null" if value is None else value for value in values]
        try:
            heads = [self.decode(value) for value in values]
        except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
            values, heads = self._good(tp, records)
        for head in heads:
            if head.schema > SCHEMA:
                raise NewerSchemaError(head.schema)
        for test in self.tests:
            keep = [test(head) for head in heads]
            if not all(keep):
                values = [value for value, kept in zip(values, keep, strict=True) if kept]
                heads = [head for head, kept in zip(heads, keep, strict=True) if kept]
        if self.once is not None and heads:
            fresh = self.once.fresh(tp, [hash((head.message, head.attempt, head.status)) for head in heads])
            if fresh is not None:
                values = [value for value, new in zip(values, fresh, strict=True) if new]
        return values

    def _good(self, tp: Any, records: list[Any]) -> tuple[list[bytes], list[Any]]:
        values, heads = [], []
        for record in records:
            try:
                head = own(self.decode, record.value)
            except BadRecordError as error:
                refuse_newer(record.value)
                self.bad(NotARecordError.at(tp, record.offset, error))
            else:
                values.append(record.value)
                heads.append(head)
        return values, heads


def _test(name: str, values: frozenset[str]) -> Callable[[Any], bool]:
    if name == "kind":
        return lambda head: any(notice.kind in values for notice in head.notices)
    return lambda head: getattr(head, name) in values


def _is_any(whole: frozenset[ClientKey], alone: frozenset[str]) -> Callable[[Any], bool]:
    return lambda head: head.client in alone or (head.organisation, head.client) in whole


def _within(period: Period) -> Callable[[Any], bool]:
    begin, end = period
    return lambda head: (begin is None or head.at >= begin) and (end is None or head.at < end)
