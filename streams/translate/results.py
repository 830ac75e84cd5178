"""What a translator is given and what it answers: bytes → our records | ignored(reason) | refused(reason, place).

A place is in the words of the source: `Appointment.participant[1].status`, `SCH-11.4`. Neither reason nor place holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from schemas.appointments import Appointment
from schemas.inputs import Contact
from schemas.wire import BadRecordError, check

from ..processing.record_checks import FIRST_YEAR, LAST_YEAR
from .producers import Producer

T = TypeVar("T")

ID_MOST = 200
"""Characters of an id of ours."""


UNREADABLE = "\ufffd"
"""Stands where bytes could not be read."""


@dataclass(frozen=True)
class Origin:
    """Whose a record is, and where it stands.

    Attributes:
        producer: what is agreed with who sends it.
        written: when Kafka has it, in milliseconds since 1970; 0: nobody says. Of an hour that a night has twice, the reading
            that is nearest to it counts.
        order: its offset, by which two of one revision are told apart.
    """

    producer: Producer
    written: int = 0
    order: int = 0


@dataclass(frozen=True)
class Translated:
    """A record of ours."""

    record: Appointment | Contact


@dataclass(frozen=True)
class Ignored:
    """Nothing of it is for us. `reason` is one of few words, for the metrics."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """It should have been for us, and cannot be used. `part`: the bytes of it alone where it is a part of a larger record."""

    reason: str
    place: str
    part: bytes | None = None

    @property
    def text(self) -> str:
        """Return it in the words of a dead letter."""
        return f"{self.reason} - at `{self.place}`"


Result = Translated | Ignored | Refused


class UntranslatableError(Exception):
    """A part that cannot be used: raised where it is met, told as `Refused` by the translator."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(reason)
        self.refused = Refused(reason, place)


def results_of(translate: Callable[[], Iterator[Result]], part: Callable[[], bytes | None] = lambda: None) -> Iterator[Result]:
    """Yield what a translator says, up to the part that it cannot use."""
    try:
        yield from translate()
    except UntranslatableError as error:
        yield replace(error.refused, part=part())


def own_id(text: str | None, place: str) -> str:
    """Return an id of the source as one of ours: what may not stand in a key is percent-encoded."""
    if text is None or not text.strip():
        raise UntranslatableError("an id is missing", place)
    if UNREADABLE in text:
        raise UntranslatableError("an id with bytes that are not of its character set", place)
    encoded = "".join(f"%{ord(one):02X}" if one in "%/" or ord(one) < 32 else one for one in text.strip())
    if len(encoded) > ID_MOST:
        raise UntranslatableError(f"an id of more than {ID_MOST} characters", place)
    return encoded


def own_label(code: str | None, left: list[str]) -> str | None:
    """Return the type of an appointment as ours; None where there is none, or a whole text that is no id: noted in `left`."""
    if not code:
        return None
    try:
        return own_id(code, "")
    except UntranslatableError:
        left.append("label")
        return None


def check_years(appointment: Appointment, places: tuple[str, str]) -> None:
    """Refuse times that no zone can show, and an end before its start. `places`: of start and end."""
    for moment, place in zip((appointment.start, appointment.end), places, strict=True):
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise UntranslatableError(f"the year must be {FIRST_YEAR} to {LAST_YEAR}", place)
    if appointment.start is not None and appointment.end is not None and appointment.end < appointment.start:
        raise UntranslatableError("the end is before the start", places[1])


def checked(type_: type[T], plain: Any, name: str) -> T:
    """Read decoded JSON as `type_`; a fault is told with `name` where our own words have `$`."""
    try:
        return check(type_, plain)
    except BadRecordError as error:
        reason, _, place = str(error).rpartition(" - at `$")
        raise UntranslatableError(reason or str(error), f"{name}{place.rstrip('`')}" if reason else name) from None
