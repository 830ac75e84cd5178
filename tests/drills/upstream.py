"""The care records of `make two-weeks`: appointments are made, moved, given another place and cancelled, all the time.

A client gets no change before the last one was heard, so each change is one notice. What Kafka does not take, or is to wait, is
kept and written later, in order: the outbox that a system upstream has.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

from agents.kafka.writer import Event, Feeder
from tests.broker.harness import AMSTERDAM, address, client, number, settings, visit
from tests.chaos.verifier import State, step

from .account import Account, Notice

CHANNELS: dict[str, tuple[str, ...]] = {"linde": ("sms",), "eik": ("email",), "berk": ("sms", "email")}
"""Organisations, and by what their clients are told; `berk` has a window of two seconds."""
ACTIONS = {"book": 5, "move": 3, "place": 1, "cancel": 2}
SECONDS = 20.0
"""After so long without an acknowledgement it connects anew."""


class Sent(NamedTuple):
    """An event that Kafka has acknowledged, and when (Unix time)."""

    at: float
    event: Event


class Upstream:
    """The load, and the journal of it."""

    def __init__(self, account: Account, rng: random.Random, rate: float, clients: int) -> None:
        self.account, self.rng, self.rate = account, rng, rate
        self.people = {(organisation, f"c{n}"): CHANNELS[organisation] for n in range(clients) for organisation in CHANNELS}
        self.turn = deque(self.people)
        self.journal: list[Sent] = []
        self.keeps = False
        self._agendas: dict[tuple[str, str], dict[str, tuple[int, State]]] = {one: {} for one in self.people}
        self._states: dict[tuple[str | None, int], State] = {}
        self._before: dict[str | None, State] = {}
        self._days: dict[tuple[str, str], int] = {}
        self._outbox: deque[Event] = deque()
        self._writing, self._flushing = asyncio.Lock(), asyncio.Lock()
        self._notices: dict[tuple[str | None, int], Notice] = {}
        self._feeder: Feeder | None = None
        self._where: tuple[str, Mapping[str, Any]] = ("", {})
        self.midnight = datetime.now(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)

    # -- Kafka ---------------------------------------------------------------------------------------------------------

    async def connect(self, bootstrap: str, security: Mapping[str, Any]) -> None:
        """Write to this Kafka from now on."""
        async with self._writing:
            self._where = bootstrap, security
            await self._leave()

    async def leave(self) -> None:
        """Close the connections."""
        async with self._writing:
            await self._leave()

    async def _leave(self) -> None:
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(feeder.__aexit__(None, None, None), 5)

    async def write(self, events: Iterable[Event]) -> None:
        """Write these, past what it keeps; returns when Kafka has them."""
        some = list(events)
        while not await self._written(some):
            await asyncio.sleep(1.0)

    async def flush(self) -> None:
        """Write what it kept; returns when Kafka has it, or it is to keep more."""
        async with self._flushing:
            while self._outbox and not self.keeps:
                some = list(self._outbox)
                if await self._written(some):
                    for _ in some:
                        self._outbox.popleft()
                else:
                    await asyncio.sleep(1.0)

    async def _written(self, events: list[Event]) -> bool:
        async with self._writing:
            try:
                async with asyncio.timeout(SECONDS):
                    if self._feeder is None:
                        self._feeder = await Feeder(*self._where).__aenter__()
                    await self._feeder.feed(events)
            except (KafkaError, OSError, TimeoutError):
                await self._leave()
                return False
            self.acknowledge(events)
            return True

    def acknowledge(self, events: Iterable[Event]) -> None:
        """Kafka has these."""
        for event in events:
            self.journal.append(Sent(time.time(), event))
            if event.topic == "appointments" and (notice := self._notices.get((event.key, event.value["revision"]))):
                notice.written = True

    def since(self, moment: float) -> list[Event]:
        """What it wrote since then: of each key and revision once more what it is."""
        return [sent.event for sent in self.journal if sent.at >= moment]

    def restored(self, again: Iterable[Event]) -> None:
        """What these say was sent anew to a state without it, and nothing of it is told: that goes on from before them."""
        for event in again:
            if event.topic == "appointments":
                self._before.setdefault(event.key, self._states.get((event.key, event.value["revision"] - 1)))

    # -- what happens --------------------------------------------------------------------------------------------------

    def organisations(self, *, on: bool) -> list[Event]:
        """The settings of all."""
        return [settings_of(name, on=on) for name in sorted({organisation for organisation, _ in self.people})]

    def cast(self) -> list[Event]:
        """Consents and contacts."""
        return [
            event for (organisation, name), channels in self.people.items() for event in client(organisation, name, *channels)
        ]

    def join(self, organisation: str, names: Iterable[str], *channels: str) -> list[Event]:
        """More people; gives their consents and contacts."""
        new = [(organisation, name) for name in names]
        for one in new:
            self.people[one] = channels
            self._agendas[one] = {}
        return [event for _, name in new for event in client(organisation, name, *channels)]

    def enlist(self, organisation: str, names: Iterable[str]) -> None:
        """Things happen to these from now on."""
        self.turn.extend((organisation, name) for name in names)

    async def run(self) -> None:
        """For ever. Clients' lives go on while Kafka is away: what it cannot take waits."""
        due = time.monotonic()
        writer: asyncio.Task[None] | None = None
        while True:
            due = max(due + 1 / self.rate, time.monotonic() - 5)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if (event := self.change()) is not None:
                self._outbox.append(event)
            if not self.keeps and (writer is None or writer.done()):
                writer = asyncio.create_task(self.flush())

    def change(self) -> Event | None:
        """The next change, of a client who has heard all before it; None where everybody waits."""
        for _ in range(len(self.turn)):
            self.turn.rotate(-1)
            if self.account.is_free(*self.turn[0]):
                return self._change(*self.turn[0])
        return None

    def book(self, organisation: str, name: str, *, expected: bool = True) -> Event:
        """A new appointment of a client; `expected`: the client must hear of it."""
        return self._revised(
            organisation, name, f"{name}-{self._day(organisation, name)}", self._slot(organisation, name), expected
        )

    def cancel(self, organisation: str, name: str) -> Event:
        """The end of a client's last appointment."""
        there = [id_ for id_, (_, state) in self._agendas[organisation, name].items() if state is not None]
        return self._revised(organisation, name, there[-1], None, expected=True)

    def _change(self, organisation: str, name: str) -> Event:
        agenda = self._agendas[organisation, name]
        there = [id_ for id_, (_, state) in agenda.items() if state is not None]
        what = self.rng.choices(list(ACTIONS), weights=list(ACTIONS.values()))[0] if there else "book"
        if what == "book":
            return self.book(organisation, name)
        id_ = self.rng.choice(there)
        revision, state = agenda[id_]
        assert state is not None
        if what == "move":
            now: State = (*self._slot(organisation, name)[:2], state[2])
        elif what == "place":
            now = (state[0], state[1], f"Kamer {revision + 1}")
        else:
            now = None
        return self._revised(organisation, name, id_, now, expected=True)

    def _revised(self, organisation: str, name: str, id_: str, now: State, expected: bool) -> Event:
        revision, before = self._agendas[organisation, name].get(id_, (0, None))
        self._agendas[organisation, name][id_] = revision + 1, now
        start, _, place = now or before or (self.midnight, self.midnight, None)
        notice = step(before, now)
        event = visit(organisation, id_, revision + 1, start, name, location=place, status="booked" if now else "cancelled")
        self._states[event.key, revision + 1] = now
        former = self._before.pop(event.key, None)
        if expected and notice is not None:
            to = frozenset({number(organisation, name), address(organisation, name)})
            made = Notice(organisation, name, id_, to, notice.text, self.account.row)
            if former not in (None, before) and (other := step(former, now)) is not None:
                made.other = other.text
            self.account.expect(made)
            self._notices[event.key, revision + 1] = made
        return event

    def _day(self, organisation: str, name: str) -> int:
        return self._days.get((organisation, name), 0)

    def _slot(self, organisation: str, name: str) -> tuple[datetime, datetime, None]:
        """The client's next free day: each of its own, so that a sentence says which."""
        day = self._days[organisation, name] = self._day(organisation, name) + 1
        start = self.midnight + timedelta(days=10 + day)
        start = start.replace(hour=9, minute=7 * (day % 8))
        return start, start + timedelta(hours=1), None


def settings_of(organisation: str, *, on: bool) -> Event:
    """An organisation's record."""
    window = (2, 5) if organisation == "berk" else (0, 0)
    return settings(organisation, *window, notifications=on)
