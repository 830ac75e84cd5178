"""On `debug` a line for each turn, and for each record with an id: by them one event can be followed from topic to topic."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from streams.processing.turn import Decision, Record

from ... import request_ids
from ..faults import stretches

log = logging.getLogger("engine")


def tell_ids(node: str, records: Sequence[Record]) -> None:
    """Log the records that have ids in their headers."""
    if log.isEnabledFor(logging.DEBUG):
        for record in records:
            if record.headers and (ids := request_ids.of(record.headers)):
                where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.debug("a record with an id", extra={"node": node, **where, **ids})


def tell_turn(node: str, partition: int, decision: Decision, records: Sequence[Record]) -> None:
    """Log a turn: which of its records it took, what it writes to which topics, and which messages it is about to send."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug("a turn", extra={
            "node": node, "partition": partition, "of": stretches(records[: decision.taken]), "rows": len(decision.rows),
            "to": dict(Counter([output.topic for output in decision.outputs])),
            "message_ids": [call.name for call in decision.calls],
        })  # fmt: skip
