"""What the naive model keeps of a client: what is so, what was told and when, and what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from tests.model.naive_reports import Sms
from tests.model.naive_words import View

Json = dict[str, Any]


class Is(NamedTuple):
    """What is so of an appointment, for one client."""

    booked: bool
    present: bool
    view: View


class Message(NamedTuple):
    """One that went out."""

    at: datetime
    number: int


class Reminded(NamedTuple):
    """A reminder that was decided: for which time on the clock, and when it went out, if it did."""

    wall: str
    went: datetime | None


class Told(NamedTuple):
    """`message`: the one that told it, where one did. `by`: by the number of which it is so, if only in the place of another."""

    at: datetime
    view: View | None
    heard: bool = True
    message: Message | None = None
    by: int = 0


class Awaits(NamedTuple):
    """On which day an appointment is that its reminder alone may tell of, and since which closing."""

    day: date
    since: datetime


@dataclass
class Known:
    """One appointment of one client: what is so, and everything that was ever told."""

    actual: Is
    replaces: tuple[str, ...] = ()
    notify: str | None = None
    changes: int = 0
    silence_said: int = -1
    awaits: Awaits | None = None
    told: list[Told] = field(default_factory=list)

    @property
    def last_told(self) -> View | None:
        return self.told[-1].view if self.told else None

    @property
    def last_heard(self) -> Told | None:
        """The last telling that no gate kept back."""
        return next((each for each in reversed(self.told) if each.heard), None)

    @property
    def heard(self) -> View | None:
        """What the client was told last by a message that no gate kept back, where later words were kept back."""
        return self.last_heard.view if self.last_heard else None

    @property
    def silent(self) -> str | None:
        """Why nothing is said of it: the client is absent, or `notify` has none of our messages be the first to tell."""
        if not self.actual.present:
            return "absent"
        return "notify" if self.notify is not None and self.heard is None else None


@dataclass
class Window:
    opened: datetime
    closes: datetime
    off: bool = False


@dataclass
class Waiting:
    due: datetime
    value: Json


@dataclass
class Client:
    organisation: str
    name: str
    consent: Json | None = None
    contact: Json | None = None
    off: set[str] = field(default_factory=set)
    known: dict[str, Known] = field(default_factory=dict)
    window: Window | None = None
    held_until: datetime | None = None
    reminded: dict[date, list[Reminded]] = field(default_factory=dict)
    asked: set[tuple[str, str]] = field(default_factory=set)
    waiting: list[Waiting] = field(default_factory=list)
    sms: list[Sms] = field(default_factory=list)
    refused: str | None = None
