"""What of a client waits in a hold of the organisation (`streams/README.md`, "Holds")."""

from __future__ import annotations

from .inputs import Channel
from .keys import RecipientKey
from .known import Words
from .notices import Notice
from .wire import Instant, Wire


class Shown(Wire, frozen=True):
    """A difference that waits, in words, and since when the page of holds has it."""

    was: Words | None
    now: Words | None
    since: Instant


class Waiting(Wire, frozen=True, kw_only=True):
    """What of a client waits in a hold.

    Attributes:
        since: since when something does.
        zone: in which its words are.
        shown: the differences. `days`: the local days that they touch.
        soon_at: when the next of these days is near.
        asked: whether what is near may go was asked, and is not answered yet. `refused`: it may not.
        listed: `held` has a record of it.
    """

    since: Instant
    zone: str
    shown: tuple[Shown, ...] = ()
    days: tuple[str, ...] = ()
    soon_at: Instant | None = None
    asked: bool = False
    refused: bool = False
    listed: bool = False


class HeldRecord(Wire, frozen=True, kw_only=True):
    """`held`, key `organisation/client`: the messages that would go to a client now, were there no hold; null: none.

    Those who act for the client have one of their own each, key `organisation/client/recipient`. `near`: of these, messages of
    days that begin within 24 hours, more than may go. `until`: the latest start that they name.
    """

    organisation: str
    client: str
    at: Instant
    channel: Channel
    messages: tuple[tuple[Notice, ...], ...]
    near: int = 0
    until: Instant
    recipient: str = ""

    @property
    def whose(self) -> RecipientKey:
        """Return whose they are."""
        return RecipientKey(self.organisation, self.client, self.recipient)
