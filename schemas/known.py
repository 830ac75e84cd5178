"""What a client knows of us: the words that were said of what is ahead, and the series that were told as such.

Compared are words, never records: local days and minutes in the organisation's zone, and the place as it is said.
"""

from __future__ import annotations

from datetime import date

from .events import Remote
from .wire import Instant, Wire


class Words(Wire, frozen=True, cache_hash=True):
    """When and where, as a sentence says it: local, in the zone of its telling.

    Attributes:
        day: ISO; the first one.
        at: `HH:MM`; empty of whole days.
        until: `HH:MM`, `24:00` at midnight; empty of whole days, and of what has no duration.
        last: the day on which it ends, where that is another one; of whole days and of `24:00` the last one that it touches.
        place: as it is said, None where none is.
        kind: None: on site. What is of another kind has no place.
    """

    day: str
    at: str
    until: str
    last: str | None = None
    place: str | None = None
    kind: Remote | None = None

    @property
    def days(self) -> int:
        """Days from its first day to its last."""
        return 0 if self.last is None else date.fromisoformat(self.last).toordinal() - date.fromisoformat(self.day).toordinal()

    @property
    def times(self) -> tuple[str, str, int]:
        """By what it is alike on another day: from, until, and the days between."""
        return (self.at, self.until, self.days)

    @property
    def slot(self) -> tuple[str, str, str, str | None]:
        """When it is, wherever that be."""
        return (self.day, self.at, self.until, self.last)

    @property
    def where(self) -> tuple[Remote | None, str | None]:
        """Of which kind and where it is, whenever that be."""
        return (self.kind, self.place)

    @property
    def order(self) -> tuple[str, str, str, str, str]:
        """The order in which things are told."""
        return (self.day, self.at, self.until, self.place or "", self.kind or "")


class Item(Wire, frozen=True, kw_only=True):
    """One thing that a client knows to be on.

    Attributes:
        ids: of the appointments that it stands for now; none: it is nobody's, and cancelled at the next closing.
        first: where it is nobody's, the appointment that it stood for last.
        series: under which upstream has it.
        since: since when its day is known, for reminders.
        notice: which one told it.
        told: when the message that named it last went out, where that is not long ago: of all that one message named it is the
            same, of no two messages. None of what a gate kept back, or what a series says without a word.
        strayed: the notices of the series that it was of before one of its own moved it: for a client it may still be of them.
        heard: a message of ours said it; else a gate kept that back, and the client knows it from elsewhere.
        covered: the notice of the series that says it, where none said it by itself.
        lived: the client was there, or chose not to be: it is known so, whatever becomes of the message that said it.
        stale: heard, then changed behind a closed gate: not compared, and the next notice of its appointment starts from it.
    """

    words: Words
    ids: tuple[str, ...] = ()
    first: str = ""
    series: str | None = None
    since: Instant
    notice: str | None = None
    told: Instant | None = None
    strayed: tuple[str, ...] = ()
    covered: str | None = None
    lived: bool = False
    heard: bool = True
    stale: bool = False


class Rule(Wire, frozen=True, kw_only=True):
    """A series that a message told as such: what comes of it later is known, and need not be said.

    Attributes:
        at, until, days, place, kind: as in `Words`.
        first, end: the first day of it, and the first that is not, None where it goes on.
        weeks: every so many weeks; 0: the same day of each month.
        shift: by how many days it was moved, since its rhythm was told.
        off: days of its rhythm of which something else was said.
    """

    series: str
    at: str
    until: str
    days: int = 0
    place: str | None = None
    kind: Remote | None = None
    first: str
    end: str | None = None
    weeks: int = 1
    shift: int = 0
    off: tuple[str, ...] = ()
    notice: str


class Member(Wire, frozen=True):
    """One appointment of which a notice speaks: as the client knew it, and as it is."""

    id: str
    was: Words | None = None
    now: Words | None = None
    series: str | None = None
