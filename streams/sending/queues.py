"""Queues: the order in which the open messages of each client go out, and which client is next.

Messages of one client go out in the order of decision, direct ones before reminders where both wait. Organisations take turns, so
that one with 100,000 messages does not hold up another's one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import NamedTuple

from schemas.keys import RecipientKey


class QueueKey(NamedTuple):
    """A message's place in its client's queue."""

    is_reminder: bool
    order: int
    row: str


class ClientQueues:
    """Open messages by client."""

    def __init__(self) -> None:
        self._waiting: dict[RecipientKey, list[QueueKey]] = {}
        self._holding: dict[RecipientKey, str] = {}
        self._ready: dict[str, dict[RecipientKey, None]] = {}

    def add(self, client: RecipientKey, place: QueueKey) -> None:
        """Add a message that waits."""
        insort(self._waiting.setdefault(client, []), place)

    def head(self, client: RecipientKey) -> str | None:
        """Return the row of the message that is next; None while one is under way, or none waits."""
        queue = self._waiting.get(client)
        return queue[0].row if queue and client not in self._holding else None

    def take(self, client: RecipientKey) -> None:
        """Take the head out of the queue."""
        queue = self._waiting[client]
        queue.pop(0)
        if not queue:
            del self._waiting[client]

    def remove(self, client: RecipientKey, place: QueueKey) -> None:
        """Take a message out of the queue wherever it stands in it; do nothing where it does not."""
        queue = self._waiting.get(client, [])
        at = bisect_left(queue, place)
        if at < len(queue) and queue[at] == place:
            queue.pop(at)
            if not queue:
                del self._waiting[client]

    def hold(self, client: RecipientKey, row: str) -> None:
        """Hold all else of this client until the outcome of this message is known."""
        self._holding[client] = row

    def release(self, client: RecipientKey, row: str) -> None:
        """Release the client: the outcome is known."""
        if self._holding.get(client) == row:
            del self._holding[client]

    def ready(self, client: RecipientKey) -> None:
        """Let the client's head go out."""
        self._ready.setdefault(client.organisation, {})[client] = None

    def next(self, open_to: Callable[[str], bool]) -> RecipientKey | None:
        """Take the client whose turn it is; organisations in turn, passing over those to which it is not open."""
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
