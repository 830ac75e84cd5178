"""Lanes: the order in which the open messages of each client go out, and which client is next.

Messages of one client go out in the order of decision, direct ones before reminders where both wait. Organisations take turns, so
that one with 100,000 messages does not hold up another's one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """A message's place in its client's lane."""

    is_reminder: bool
    order: int
    row: str


class Lanes:
    """Open messages by client (`organisation/client`)."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Place]] = {}
        self._holding: dict[str, str] = {}
        self._ready: dict[str, dict[str, None]] = {}

    def add(self, client: str, place: Place) -> None:
        """A message waits."""
        insort(self._waiting.setdefault(client, []), place)

    def head(self, client: str) -> str | None:
        """The row of the message that is next; None while one is under way, or none waits."""
        lane = self._waiting.get(client)
        return lane[0].row if lane and client not in self._holding else None

    def take(self, client: str) -> None:
        """The head leaves the lane."""
        lane = self._waiting[client]
        lane.pop(0)
        if not lane:
            del self._waiting[client]

    def remove(self, client: str, place: Place) -> None:
        """A message leaves the lane wherever it stands in it; nothing where it does not."""
        lane = self._waiting.get(client, [])
        at = bisect_left(lane, place)
        if at < len(lane) and lane[at] == place:
            lane.pop(at)
            if not lane:
                del self._waiting[client]

    def hold(self, client: str, row: str) -> None:
        """Nothing else of this client goes out before the outcome of this message is known."""
        self._holding[client] = row

    def release(self, client: str, row: str) -> None:
        """The outcome is known."""
        if self._holding.get(client) == row:
            del self._holding[client]

    def ready(self, client: str) -> None:
        """The client's head may go out."""
        organisation = client.split("/", 1)[0]
        self._ready.setdefault(organisation, {})[client] = None

    def next(self, open_to: Callable[[str], bool]) -> str | None:
        """The client whose turn it is, taken off; organisations in turn, passing over those to which it is not open."""
        for organisation in self._ready:
            if not open_to(organisation):
                continue
            clients = self._ready.pop(organisation)
            client = next(iter(clients))
            del clients[client]
            if clients:
                self._ready[organisation] = clients  # at the end of the row
            return client
        return None

    @property
    def clients(self) -> int:
        """How many clients have a message that waits: for room, for another one, or for its next try."""
        return len(self._waiting)

    @property
    def ready_organisations(self) -> Iterable[str]:
        """The organisations of clients that wait for room."""
        return self._ready.keys()
