"""Give an export more than the log has, or less: what became of the appointments, no texts, amounts of one type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import orjson

from schemas.appointments import Outcome
from schemas.deliveries import LogRecord
from schemas.outcomes import OutcomeRecord
from schemas.topics import OUTCOMES
from schemas.wire import own

from ..kafka.junk import Junk
from ..kafka.reader import Reader
from .formats import Form

NUMBER = re.compile(rb'"cost":{"amount":(-?[0-9][0-9.eE+-]*)')
"""Records of before have the amount as a number where the price was one. In a text this would have its quotes escaped."""

Shape = Callable[[bytes], bytes]

_outcome = msgspec.json.Decoder(OutcomeRecord).decode


class AppointmentOutcome(msgspec.Struct, frozen=True):
    """What became of one of a record's appointments for its client; null: nobody has said."""

    appointment: str
    outcome: Outcome | None


class OutcomeLogRecord(LogRecord, frozen=True, kw_only=True):
    """A record with what became of the appointments that it speaks of, in their order."""

    outcomes: tuple[AppointmentOutcome, ...] = ()


class Outcomes:
    """What upstream said last of each client's appointments. A number for each is kept, and a word of ours."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[int, Outcome | None]] = {}

    def take(self, record: OutcomeRecord) -> None:
        """Take in a record: of an appointment and a client the highest revision counts."""
        key = hash((record.organisation, record.client, record.appointment))
        if record.revision >= self.known.get(key, (0, None))[0]:
            self.known[key] = (record.revision, record.outcome)

    def of(self, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what became of a record's appointments."""
        who = (entry["organisation"], entry["client"])
        ids = [id_ for one in entry["notices"] for id_ in (one.get("appointment"), *one.get("others", ())) if id_ is not None]
        return [{"appointment": id_, "outcome": self.known.get(hash((*who, id_)), (0, None))[1]} for id_ in ids]


async def read_outcomes(reader: Reader, junk: Junk) -> Outcomes:
    """Read all that is kept; `junk` is told of values that are no records. Raises MissingError."""
    found = Outcomes()
    async with aclosing(reader.records(await reader.topic(OUTCOMES.name))) as stream:
        async for tp, one in stream:
            if one.value is not None and (record := junk.read(lambda value: own(_outcome, value), tp, one)) is not None:
                found.take(record)
    return found


def shape(*, texts: bool = True, outcomes: Outcomes | None = None) -> Shape | None:
    """Return what makes a record of the log one of the export; None: nothing has to be done.

    Without `texts` it says neither what was said nor where it went.
    """
    if texts and outcomes is None:
        return None

    def shaped(value: bytes) -> bytes:
        entry = orjson.loads(value)
        if not texts:
            entry |= {"text": None, "address": None}
        if outcomes is not None:
            entry["outcomes"] = outcomes.of(entry)
        return orjson.dumps(entry)

    return shaped


class Shaped:
    """A form that writes records as they are shaped."""

    def __init__(self, form: Form, shape: Shape | None) -> None:
        self.form, self.shape = form, shape
        self.close = form.close

    def write(self, values: Sequence[bytes]) -> None:
        """Write some more of them, at least one."""
        found = values if self.shape is None else [self.shape(value) for value in values]
        self.form.write([NUMBER.sub(rb'"cost":{"amount":"\1"', value) for value in found])
