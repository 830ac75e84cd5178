"""Notices: what to tell, never the words; and the ids that make a repetition recognisable."""

from __future__ import annotations

import hashlib
from typing import Literal

from .events import View
from .wire import Wire

Kind = Literal[
    "created", "moved", "cancelled", "relocated", "reminder", "request",
    "series_created", "series_moved", "series_cancelled", "series_relocated",
]  # fmt: skip


WORDING = 1
"""The version of the sentences in `renderers/`: one more with each change of what a client reads. A test holds it to the golden
messages."""


class Notice(Wire, frozen=True, kw_only=True):
    """One thing to tell one client.

    `was` is what the client was told before, `now` what is so; of a series they are those of its first occurrence, of a
    reminder `now` is the first appointment of the day. `appointment` is the first one's id; `others` are the further ones of
    a series or a reminder, in order of start. `day` is the local day (ISO) under which it is grouped.
    """

    id: str
    kind: Kind
    day: str | None = None
    appointment: str | None = None
    others: tuple[str, ...] = ()
    was: View | None = None
    now: View | None = None

    @property
    def appointments(self) -> tuple[str, ...]:
        """Every appointment that the notice speaks of."""
        return (self.appointment, *self.others) if self.appointment is not None else ()


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def change_id(organisation: str, client: str, appointment: str, kind: str, revision: int) -> str:
    """The id of a notice of a change (DESIGN.md "Never lost, never twice")."""
    return _hash(organisation, client, appointment, kind, str(revision))


def reminder_id(organisation: str, client: str, day: str) -> str:
    """The id of the reminder of a client and a local day: there is one, ever."""
    return _hash(organisation, client, "reminder", day)


def request_id(organisation: str, client: str, party: str, request: str) -> str:
    """The id of a third party's message: a second one with the same id of that party is the same message."""
    return _hash(organisation, client, "request", party, request)


def message_id(notices: list[str]) -> str:
    """The id of the message that carries these notices, in their order."""
    return _hash(*notices)
