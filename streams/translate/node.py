"""The node that translates: it reads what others say in their own standards, and writes our records. It keeps nothing.

A record's key is `organisation/…`: whose it is stands there, since rights on a topic are by key and not by what a record says of
itself. What follows is the source's, best the id of the appointment, so that one appointment's records stay in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime

from schemas.appointments import Appointment
from schemas.topics import APPOINTMENTS, CONTACTS, FHIR, HL7V2
from schemas.wire import BadRecordError, encode

from ..processing.dead_letters import dead_letter, take_records, where
from ..processing.rows import Rows
from ..processing.turn import Decision, Output, Processor, ProcessorFactory, Record, Turn
from .envelopes import opened_value
from .fhir import translate_fhir
from .producers import Producers
from .results import Ignored, Origin, Refused, Result, Translated
from .siu import translate_siu

Translator = Callable[[bytes, Origin], Iterator[Result]]

TRANSLATORS: dict[str, Translator] = {FHIR.name: translate_fhir, HL7V2.name: translate_siu}


class Translate:
    """Translate one partition."""

    def __init__(self, producers: Producers, rows: MutableMapping[bytes, bytes]) -> None:
        self.producers, self.rows = producers, Rows(rows)

    def loaded(self) -> None:
        """See that there are no rows."""
        self.rows.verify("translate")

    def decide(self, turn: Turn) -> Decision:
        """Translate the turn's records."""
        decision = Decision()
        take_records(decision, turn, self._take, _refuse)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Do nothing: there are no rows."""

    def next_due(self) -> datetime | None:
        """Return None: nothing waits."""
        return None

    def _take(self, decision: Decision, record: Record, turn: Turn) -> None:
        decision.count("events", record.topic)
        for result in self._results(decision, record):
            match result:
                case Translated():
                    decision.count("translated", record.topic)
                    decision.emit(_output(result))
                case Ignored(reason):
                    decision.count("ignored", record.topic, reason)
                case Refused():
                    _refuse(decision, record if result.part is None else _part(record, result.part), result.text)

    def _results(self, decision: Decision, record: Record) -> Iterator[Result]:
        """Yield what the record says. A fault of ours in a translator costs that record and nothing else."""
        organisation = (record.key or b"").partition(b"/")[0].decode(errors="replace")
        producer = self.producers.get(organisation)
        if producer is None:
            raise BadRecordError("the key does not begin with an organisation that is in the file of producers")
        if record.value is None:
            raise BadRecordError("a value is missing: null is not allowed here")
        origin = Origin(producer, record.written, record.offset)
        try:
            yield from TRANSLATORS[record.topic](opened_value(record.value), origin)
        except BadRecordError:
            raise
        except Exception as error:
            reason = f"our translator failed on it: {type(error).__name__}"
            decision.remarks.append(f"{where(record)}: {reason}")
            raise BadRecordError(reason) from error


def _output(result: Translated) -> Output:
    """Return a record of ours on its topic, under its key."""
    record = result.record
    if isinstance(record, Appointment):
        return Output(APPOINTMENTS.name, f"{record.organisation}/{record.appointment}".encode(), encode(record))
    return Output(CONTACTS.name, f"{record.organisation}/{record.client}".encode(), encode(record))


def _part(record: Record, part: bytes) -> Record:
    return Record(record.topic, record.partition, record.offset, record.key, part, record.written, record.headers)


def _refuse(decision: Decision, record: Record, reason: str) -> None:
    """Set aside what cannot be translated."""
    decision.count("refused", record.topic)
    decision.emit(dead_letter(record, reason))


def translate(producers: Producers) -> ProcessorFactory:
    """Return the factory of its processors."""

    def make(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Translate:
        return Translate(producers, rows)

    return make
