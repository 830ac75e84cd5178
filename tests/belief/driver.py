"""Plays a history through the simulation that `simulate` uses, less kindly: turns cut anywhere, restarts, senders that are held.

A history is a list of steps, plain JSON, so that one that fails can be written down and played again:

    {"do": "event", "topic": …, "key": …, "value": …}   upstream writes a record
    {"do": "wait", "seconds": 40}                        time passes, and what is due happens
    {"do": "hold", "node": "sms"}                        a node stands still: its records and moments wait
    {"do": "release", "node": "sms"}                     it goes on
    {"do": "send"}                                       a sender that is held makes one call all the same
    {"do": "restart", "turns": 3, "calls": "wait"}       the worker starts anew, so many turns later, once no call is under way;
                                                         or amid calls that reached nobody (`lost`) or the client (`made`)
    {"do": "answer", "kind": "retry", "channel": "sms"}  what the provider says to the next call
    {"do": "report"}                                     the provider reports what did not arrive (`late`)
    {"do": "clock", "seconds": -20}                      the worker's clock jumps
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from schemas.events import View
from schemas.state import Agenda, AgendaEntry, SettingsRow
from schemas.topics import AGENDAS, ORGANISATIONS_TABLE
from streams.notices.words import view_of
from streams.processing.rows import DECODERS
from streams.sending.outcomes import Outcome, SendCall
from streams.simulation import Refused
from tests import drivers
from tests.belief.dutch import When
from tests.belief.truth import ON, Json, in_zone, when_of, where_of
from tests.drivers import SENDERS, Choices, Task

START = datetime(2026, 1, 6, 8, tzinfo=UTC)


class Message(NamedTuple):
    """What a provider took: the words, of each sentence the day up to which it was planned, and when."""

    text: str
    horizons: tuple[date | None, ...]
    sent: date
    id: str
    appointments: tuple[str, ...] = ()


class Planned(NamedTuple):
    """An occurrence of which nothing is said, since a series sentence said it."""

    when: When
    place: str | None


class Elsewhere(NamedTuple):
    """An appointment of which a closed gate kept the news back: the client has it from elsewhere, as it then is.

    `was`: what it was known as until then, where that was something else: it is still one appointment.
    """

    appointment: str
    when: When | None
    place: str | None
    was: tuple[When, str | None] | None = None


class Lived(NamedTuple):
    """An appointment for which the client came, or did not: that is known as it then was, and no more as what it was told as."""

    appointment: str
    was: tuple[When, str | None] | None
    now: tuple[When, str | None]


Heard = Message | Planned | Elsewhere | Lived
WATCH = timedelta(hours=6)
GATES = ("client_off", "contact_unconfirmed", "organisation_off")


def _is_seen_late(topic: str | None, value: Json) -> bool:
    """Tell whether the driver, who looks after a turn, has to see what is so at each closing: who came, or a gate is closed."""
    if topic == "contacts":
        return not (value["sms"]["confirmed"] and value["email"]["confirmed"])
    return value.get("status") in ON[1:] or (topic == "consents" and not value["notifications"])


def horizon(notice: Json) -> date | None:
    """Find up to which day a series notice says that something is; None of one that says so of no series."""
    days = [member["now"]["day"] for member in notice.get("members", ()) if member.get("now")]
    return date.fromisoformat(max(days)) if days and notice["kind"].startswith("series") else None


class Driver(drivers.Driver):
    """One worker with one partition. `heard` is what reached the client, in order; `log` the delivery log."""

    def __init__(self, seed: int, start: datetime = START) -> None:
        super().__init__(seed, start, Choices(sizes=(1, 2, 100), rooms=(1,), limits=(1,)))
        self.heard: list[Heard] = []
        self.horizons: dict[str, tuple[date | None, ...]] = {}
        self.before, self.one_by_one = Agenda(), False
        self.elsewhere: dict[str, tuple[When, str | None]] = {}
        self.zone_then = ""
        self.died: datetime | None = None

    # -- the steps -----------------------------------------------------------------------------------------------------

    def play(self, steps: Iterable[Json]) -> None:
        """Play a history. Raises Refused where intake sets an event aside, RestlessError."""
        steps = list(steps)
        self.one_by_one = any(_is_seen_late(step.get("topic"), step.get("value") or {}) for step in steps)
        for step in steps:
            self.do(step)

    def do(self, step: Json) -> None:
        """Play one step."""
        match step["do"]:
            case "event":
                self.write(step["topic"], step["key"].encode(), step["value"])
            case "wait":
                self.pass_to(self.now + timedelta(seconds=step["seconds"]))
            case "hold":
                self.held.add(step["node"])
            case "release":
                self.held.discard(step["node"])
            case "send":
                self._send_one()
            case "restart":
                self.restart(step["turns"], step["calls"])
            case "answer":
                self.answers[step["channel"]].append(step["kind"])
            case "report":
                self.report()
            case "clock":
                self.now += timedelta(seconds=step["seconds"])

    def _send_one(self) -> None:
        """Have a held sender make one call, or find that there is none to make."""
        for name in SENDERS:
            if name in self.held:
                self.take_turn(self.tasks[name, 0], due=True)
                self.take_turn(self.tasks[name, 0], room=0)

    def pass_to(self, end: datetime) -> None:
        """Let time pass. What did not arrive is reported within a day: after that it is left as it is."""
        while self.now < end:
            super().pass_to(min(end, self.now + WATCH))
            if self.dead and self.died is not None and self.now >= self.died + 2 * WATCH:
                self.report()
                while (sender := self.tasks["sms", 0]).records:  # a sender that stands still reads it all the same
                    self.take_turn(sender, room=0)
        super().pass_to(end)

    def report(self) -> None:
        """Have the provider report what did not arrive."""
        super().report()
        self.died = None

    # -- what the client hears -----------------------------------------------------------------------------------------

    def perish(self, call: SendCall) -> None:
        """Keep when the first of them was that did not arrive."""
        self.died = self.died or self.now

    def reach(self, task: Task, call: SendCall) -> Outcome:
        """Keep what the client is told."""
        outcome, id_ = super().reach(task, call), call.delivery.message
        ids = tuple(each for notice in call.delivery.notices for each in notice.appointments)
        self.heard.append(Message(outcome.text or "", self.horizons.get(id_, ()), self.now.date(), id_, ids))
        return outcome

    def expect(self, delivery: Json) -> None:
        """Keep up to which day each series sentence of a message was planned when it was decided."""
        horizons = tuple(map(horizon, delivery["notices"]))
        self.horizons.setdefault(delivery["message"], horizons)  # handed out again, it is what it was

    def see(self, record: Json) -> None:
        """Keep what the client knows without our words: it follows, or came from elsewhere."""
        self._rename()
        if (record["status"], record["detail"]) == ("superseded", "rerouted"):
            self._unplan({notice["id"] for notice in record["notices"]})
        if record["status"] != "suppressed" or record["reason"] != "direct":
            return
        for notice in record["notices"]:
            if record["detail"] == "series":
                self.heard += [Planned(when, place) for when, place in self._covered(notice)]
            elif record["detail"] in GATES:
                self._learn_elsewhere({notice["appointment"], *notice.get("others", ())})
            elif record["detail"] == "outcome":
                self.heard += [self._lived(id_) for id_ in (notice["appointment"], *notice.get("others", ()))]

    def refuse(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """No history has what intake refuses."""
        raise Refused(reason)

    def take_turn(self, task: Task, *, due: bool = False, room: int | None = None) -> None:
        """Keep what was known before a turn. Where it matters it has one event, so that it ends as it was at the closing."""
        self.before, choices = self._agenda(), self.choices
        if self.one_by_one and task.node == "notices":
            self.choices = choices._replace(sizes=(1,))
        super().take_turn(task, due=due, room=room)
        self.choices = choices
        if self.elsewhere:
            self._rename()

    def _lived(self, id_: str) -> Lived:
        """Say what an appointment was told as, unless another one still is, and what it is."""
        before = self.before.appointments.get(id_)
        return Lived(id_, self._told_as(before) if before is not None else None, self._words(self._agenda().appointments[id_]))

    def _told_as(self, before: AgendaEntry) -> tuple[When, str | None] | None:
        """Say what an appointment was told as; None of one that was not, or where another one still is."""
        was = self._worded(before.told) if before.told is not None else None
        others = [self._worded(entry.told) for entry in self._agenda().appointments.values() if entry.told is not None]
        return was if was not in others else None

    def _unplan(self, notices: set[str]) -> None:
        """Take back what went without saying only by a series that did not arrive."""
        covered = [item.words for item in self._agenda().known or () if item.covered in notices]
        days = {(words.day, words.at or "00:00") for words in covered}
        self.heard = [
            one for one in self.heard
            if not isinstance(one, Planned) or (one.when.day.isoformat(), one.when.at) not in days
        ]  # fmt: skip

    def _learn_elsewhere(self, ids: set[str]) -> None:
        """Let the client have from elsewhere how these are, those at the same times, and which are not on.

        Whoever stands where one was that is not there any more, stands there for it; but for those of which nobody tells first
        (`notify`).
        """
        entries = self._agenda().appointments
        so = {id_: self._words(entry) for id_, entry in entries.items() if entry.booked and entry.present}
        times = {so[id_][0] for id_ in ids if id_ in so}
        times |= {then[0] for id_, then in self.elsewhere.items() if so.get(id_) != then}
        for id_ in entries:
            if id_ in so and so[id_][0] in times and (id_ in ids or entries[id_].notify is None):
                self._learn(id_, so[id_])
        absent = {self._words(entry) for entry in entries.values() if entry.booked and not entry.present}
        for id_, entry in entries.items():
            if id_ in so or not entry.present or entry.told is not None or self.elsewhere.get(id_) in absent:
                continue  # one on which the client is absent is on all the same
            self._learn(id_, None)

    def _learn(self, id_: str, known: tuple[When, str | None] | None) -> None:
        """Let the client have from elsewhere that one is there, or is not on."""
        before = self.before.appointments.get(id_)
        was = self._told_as(before) if before is not None else None
        when, place = known or (None, None)
        self.heard.append(Elsewhere(id_, when, place, was if was != known else None))
        if known is not None:
            self.elsewhere[id_] = known
        else:
            self.elsewhere.pop(id_, None)

    def _rename(self) -> None:
        """Where the time zone changed, what the client has from elsewhere is at the hours of that zone."""
        before, self.zone_then = self.zone_then, self.zone
        if before and before != self.zone_then:
            for id_, (when, place) in list(self.elsewhere.items()):
                self._learn(id_, (in_zone(when, before, self.zone_then), place))

    def _covered(self, notice: Json) -> list[tuple[When, str | None]]:
        """Find what a notice said to go without saying: as it was then, though its appointment may be elsewhere by now."""
        items = [item for item in self._agenda().known or () if item.notice == notice["id"]]
        return [self._worded(view_of(item.words, self.zone)) for item in items] or self._actual(notice)

    def _actual(self, notice: Json) -> list[tuple[When, str | None]]:
        """Find what the appointments of a notice are as the worker knows them."""
        agenda = self._agenda()
        entries = [agenda.appointments.get(id_) for id_ in (notice["appointment"], *notice.get("others", ()))]
        return [self._words(entry) for entry in entries if entry is not None]

    def _agenda(self) -> Agenda:
        row = self.tasks["notices", 0].rows.get(AGENDAS.row("zorg/anna"))
        agenda: Agenda = DECODERS["notices", "agendas"](row) if row is not None else Agenda()
        return agenda

    def _words(self, entry: AgendaEntry) -> tuple[When, str | None]:
        return self._worded(entry.actual)

    def _worded(self, view: View) -> tuple[When, str | None]:
        return when_of(view.start, view.end, self.zone), where_of(view.kind, view.location)

    @property
    def zone(self) -> str:
        """The organisation's zone, as the worker knows it."""
        row = self.tasks["notices", 0].rows.get(ORGANISATIONS_TABLE.row("zorg"))
        settings: SettingsRow | None = DECODERS["notices", "organisations"](row) if row is not None else None
        return settings.organisation.time_zone if settings is not None else "Europe/Amsterdam"
