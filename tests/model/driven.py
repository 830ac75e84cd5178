"""The events of the model, played by the driver that cuts turns, stalls, restarts and moves partitions (`tests/drivers.py`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from schemas.ledger import LedgerRow
from schemas.state import Agenda
from schemas.topics import AGENDAS, LEDGERS
from streams.processing.rows import DECODERS
from streams.sending.outcomes import Outcome, SendCall
from tests import drivers
from tests.drivers import SENDERS, Choices, Task
from tests.model.naive import Event, Fact
from tests.model.naive_state import Json
from tests.model.simulated import facts

CLOCKS = (-600, -20, -1, 0, 1, 3, 45, 1000)
ANSWERS = (*["sent"] * 6, "retry", "unknown", "lost", "permanent_message", "permanent_address", "stop")
DELAYS = (0, 0, 0, 1, 20, 31, 100, 700)
PAUSES = (1, 31, 121, 700, 3600, 86_400)
MOST_HOURS = 48
ENDS = {"sent", "failed", "superseded", "expired", "suppressed", "unknown"}
"""What a message's row says once nothing more is done for it; of one that is `unknown` it is not to be tried again."""

FATES: tuple[drivers.Calls, ...] = ("wait", "lost", "made")


class Decided(NamedTuple):
    """A message, and what was so when it was decided: as after so many events, or any number up to a second one."""

    delivery: Json
    low: int
    high: int
    turn: int


class Driver(drivers.Driver):
    """Keeps when each message was decided, in numbers of events, and which calls were made.

    Attributes:
        written: how many events were written; `settled`: of how many all that they cause is done.
        calls: that began; `reached`: that reached a client.
        is_at_once: whether windows of 0 seconds are set.
        lines: the number of the event at a topic's partition and offset.
    """

    def __init__(self, seed: int, start: datetime, choices: Choices | None = None, **cluster: int) -> None:
        super().__init__(seed, start, choices, **cluster)
        self.written = self.settled = 0
        self.lines: dict[tuple[str, int, int], int] = {}
        self.decided: dict[str, Decided] = {}
        self.calls: list[SendCall] = []
        self.reached: list[SendCall] = []
        self.is_at_once = False

    def feed(self, events: Iterable[Event]) -> None:
        """Write what comes in at one moment."""
        for event in events:
            key, self.written = event.key.encode(), self.written + 1
            if event.topic == "organisations" and event.value is not None:
                self.is_at_once |= 0 in event.value["window"].values()
            self.lines[(event.topic, *self.write(event.topic, key, event.value))] = self.written

    def take_turn(self, task: Task, *, due: bool = False, room: int | None = None) -> None:
        super().take_turn(task, due=due, room=room)
        if not any(one.records for (node, _), one in self.tasks.items() if node not in SENDERS):
            self.settled = self.written

    def expect(self, delivery: Json) -> None:
        self.decided.setdefault(delivery["message"], Decided(delivery, self.settled, self.written, self.turns))

    def start(self, call: SendCall) -> None:
        self.calls.append(call)

    def reach(self, task: Task, call: SendCall) -> Outcome:
        self.reached.append(call)
        return super().reach(task, call)

    @property
    def refusals(self) -> list[int]:
        """The numbers of the events that intake set aside."""
        return sorted(self.lines[topic, partition, offset] for topic, partition, offset, _ in self.refused)

    @property
    def facts(self) -> list[Fact]:
        """The log as the model's facts."""
        return [fact for record in self.log for fact in facts(record)]

    def agenda(self, organisation: str, client: str) -> Agenda:
        """What is kept of a client, in whichever partition."""
        for (node, _), task in self.tasks.items():
            row = task.rows.get(AGENDAS.row(f"{organisation}/{client}")) if node == "notices" else None
            if row is not None:
                agenda: Agenda = DECODERS["notices", "agendas"](row)
                return agenda
        return Agenda()

    def finish(self) -> None:
        """Let time pass until no message is under way: a rest may end just as a reminder was due. Raises RestlessError."""
        for _ in range(MOST_HOURS):
            if not self.is_under_way:
                return
            self.pass_to(self.now + timedelta(hours=1))
        raise drivers.RestlessError

    @property
    def is_under_way(self) -> bool:
        """Whether a sender has still to do something for a message."""
        return any(row.status not in ENDS or (row.status == "unknown" and row.next_at is not None) for row in self.ledger)

    @property
    def ledger(self) -> list[LedgerRow]:
        """What became of each message, in the rows of all senders."""
        found: list[LedgerRow] = []
        for table in LEDGERS.values():
            for (node, _), task in self.tasks.items():
                if node == table.store:
                    found += [DECODERS[node, table.name](row) for row in task.rows.values()]
        return found


def cut(events: list[Event], until: datetime, seed: int) -> Driver:
    """Play events on time, with turns cut anywhere, and a worker that starts anew now and then."""
    driver = Driver(seed, events[0].at if events else until)
    for at, together in groupby(events, key=lambda event: event.at):
        driver.pass_to(at)
        driver.feed(together)
        if driver.random.random() < 0.3:
            driver.restart(driver.random.randint(0, 5), "wait")
    driver.pass_to(until)
    return driver


def harried(events: list[Event], until: datetime, seed: int) -> Driver:
    """Play events on three partitions of two workers that go through all that workers go through; then let them come to rest."""
    driver = Driver(seed, events[0].at if events else until, Choices(delays=DELAYS), partitions=3, workers=2)
    chance = driver.random
    driver.answers = {channel: chance.choices(ANSWERS, k=100) for channel in SENDERS}
    for at, together in groupby(events, key=lambda event: event.at):
        for _ in range(2):
            if driver.now < at:
                driver.pass_to(min(at, driver.now + timedelta(seconds=chance.choice(PAUSES))))
                happen(driver)
        driver.pass_to(at)
        driver.feed(together)
        happen(driver)
    driver.pass_to(until)
    driver.skews = [timedelta()] * len(driver.skews)
    driver.rest(driver.now + timedelta(days=1))
    driver.finish()
    return driver


def happen(driver: Driver) -> None:
    """Let something happen to the workers, or nothing."""
    chance = driver.random
    match chance.choice(("hold", "hold", "stall", "clock", "restart", "restart", "move", "move", "")):
        case "hold":  # a sender stands still, or goes on
            driver.held ^= {chance.choice(SENDERS)}
        case "stall":  # all do: what comes in and what falls due waits, and then comes at once
            is_stalled = "notices" in driver.held
            driver.held = set() if is_stalled else {node for node, _ in driver.tasks}
        case "clock":
            driver.skews = [skew + timedelta(seconds=chance.choice(CLOCKS)) for skew in driver.skews]
        case "restart":
            driver.restart(chance.randint(0, 8), chance.choice(FATES))
        case "move":
            driver.move(chance.randrange(driver.partitions), chance.randrange(len(driver.fleet)), chance.choice(FATES[1:]))


def by_client(calls: Iterable[SendCall]) -> dict[tuple[str, str, str], list[SendCall]]:
    """Calls by client and channel, in order."""
    found: dict[tuple[str, str, str], list[SendCall]] = defaultdict(list)
    for call in calls:
        found[call.delivery.organisation, call.delivery.client, call.delivery.channel].append(call)
    return found
