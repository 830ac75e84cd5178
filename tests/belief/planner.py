"""The agenda as planners edit it: appointments of one client, and what each edit writes on `appointments`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from tests.belief.truth import ADDRESSES, Json, instant


@dataclass(frozen=True)
class Times:
    """Wall times, and how many days later it ends."""

    at: str
    until: str
    nights: int = 0


PLAIN = (Times("13:15", "14:15"), Times("14:15", "15:15"), Times("09:00", "09:30"))
ODD = (
    Times("22:00", "06:00", 1), Times("00:00", "00:00", 1), Times("00:00", "00:00", 2), Times("13:15", "13:15"),
    Times("20:00", "00:00", 1), Times("20:00", "00:00", 2),
)  # fmt: skip
NIGHT = (Times("02:30", "03:15"), Times("01:45", "02:15"), Times("02:15", "02:45"), Times("23:30", "02:30", 1))
KINDS = (None, "on_site", "phone", "phone", "video", "home")
NOTIFIES = (None, "all", "reminder", "none")
PLACES = (None, "De Linde", "De Linde", "De Boom")


@dataclass(frozen=True)
class Booking:
    """One appointment as the planner has it. `clients`: whether the client stands on it at all.

    `later`: of an hour that a night has twice, the second.
    """

    id: str
    day: date
    times: Times
    place: str | None = None
    series: str | None = None
    booked: bool = True
    present: bool = True
    listed: bool = True
    seconds: int = 0
    later: bool = False
    replaces: str | tuple[str, ...] | None = None
    kind: str | None = None
    outcome: str | None = None
    notify: str | None = None

    @property
    def is_so(self) -> bool:
        return self.booked and self.present and self.listed


@dataclass
class Planner:
    """Edits the agenda, and writes down the events of it in `steps`.

    Attributes:
        first: no appointment is before it.
        times, places, acts, kinds, notifies: what is chosen from.
        arrivals: half of what is written lasts longer, and has an arrival at its times.
    """

    random: random.Random
    zone: str
    first: date
    times: tuple[Times, ...] = PLAIN
    places: tuple[str | None, ...] = PLACES
    acts: tuple[str, ...] = ()
    kinds: tuple[str | None, ...] = ()
    notifies: tuple[str | None, ...] = ()
    arrivals: bool = False
    steps: list[Json] = field(default_factory=list)
    agenda: dict[str, Booking] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.acts = self.acts or ACTS

    # -- what is written -----------------------------------------------------------------------------------------------

    def put(self, booking: Booking) -> None:
        """Write an appointment, unless it is as it was, or would be past."""
        if booking.day < self.first or self.agenda.get(booking.id) == booking:
            return
        before = self.agenda.get(booking.id)
        self.agenda[booking.id] = booking
        if before is not None and before.booked and not booking.booked and self.random.random() < 0.1:
            self._write(booking.id, None)
            return
        revision = self.revisions[booking.id] = self.revisions.get(booking.id, 0) + 1
        self._write(booking.id, self._value(booking, revision))

    def _value(self, one: Booking, revision: int) -> Json:
        start, end = (instant(day, clock, self.zone) + timedelta(seconds=one.seconds) for day, clock in (
            (one.day, one.times.at), (one.day + timedelta(days=one.times.nights), one.times.until),
        ))  # fmt: skip
        if one.later:
            start, end = start.replace(fold=1), end.replace(fold=1)
        end = max(start, end, key=lambda moment: moment.timestamp())  # of a night that has no such hour
        value: Json = {
            "organisation": "zorg",
            "appointment": one.id,
            "revision": revision,
            "status": (one.outcome or "booked") if one.booked else self.random.choice(("cancelled", "entered-in-error")),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "location": {"name": place} if (place := one.place or _no_place(one.day.day + revision)) else None,
            "series": one.series,
            "clients": [{"client": "anna", "present": one.present}] if one.listed else [],
        }
        if self.kinds:
            value["kind"] = one.kind or ("on_site" if value["status"] != "booked" else None)  # else as it was
        if self.notifies:
            value["notify"] = one.notify or ("all" if value["status"] != "booked" else None)
        if self.arrivals:
            value |= self._arrival(start, end)
        if one.replaces is not None:
            value["replaces"] = one.replaces
        if not one.booked and self.random.random() < 0.1:
            for name in ("start", "end", "location", "clients"):
                del value[name]
            value.pop("arrival", None)
        return value

    def _arrival(self, start: datetime, end: datetime) -> Json:
        if self.random.random() < 0.5:
            return {"arrival": None}
        longer = [
            moment.astimezone(UTC) + timedelta(minutes=self.random.randint(0, 300)) * way
            for moment, way in ((start, -1), (end, 1))
        ]  # on no clock on the wall: a night may skip an hour between
        return {
            "arrival": {"from": start.isoformat(), "until": end.isoformat()},
            "start": longer[0].isoformat(), "end": longer[1].isoformat(),
        }  # fmt: skip

    def _write(self, id_: str, value: Json | None) -> None:
        self.steps.append({"do": "event", "topic": "appointments", "key": f"zorg/{id_}", "value": value})

    def new(self, day: date, times: Times, place: str | None, series: str | None, **more: object) -> None:
        """Make an appointment."""
        number = len(self.agenda) + 1
        if self.kinds and "kind" not in more:
            more["kind"] = self.random.choice(self.kinds)
        if self.notifies and self.random.random() < 0.5:
            more["notify"] = self.random.choice(self.notifies)
        self.put(Booking(f"a{number:02}", day, times, place, series, **more))  # type: ignore[arg-type]

    # -- what is chosen ------------------------------------------------------------------------------------------------

    @property
    def live(self) -> list[Booking]:
        return [one for one in self.agenda.values() if one.is_so]

    def one(self) -> Booking:
        return self.random.choice(self.live)

    def some(self) -> list[Booking]:
        live = self.live
        return self.random.sample(live, self.random.randint(1, len(live)))

    def tail(self) -> list[Booking]:
        """One and all of its series that follow it."""
        first = self.one()
        return [each for each in self.live if each.series == first.series and each.day >= first.day]

    def act(self, between: Callable[[], None]) -> None:
        """Do one thing that planners do. `between`: what may happen in the midst of it."""
        name = "many" if self.random.random() < 0.004 else self.random.choice(self.acts)
        if self.live or name in ("series", "single", "restore", "present", "many"):
            getattr(self, f"_{name.replace('-', '_')}")(between)

    # -- the acts ------------------------------------------------------------------------------------------------------

    def _series(self, _: Callable[[], None]) -> None:
        pick = self.random.choice
        series, times, place, count = pick("ST"), pick(self.times), pick(self.places), self.random.randint(2, 5)
        first = self.first + timedelta(weeks=self.random.randint(0, 3), days=pick((0, 0, 0, 3)))
        pattern = pick(("week", "week", "two weeks", "month", "two days a week", "gap"))
        for number in range(count):
            if pattern == "gap" and number == 1:
                continue
            day = first + timedelta(weeks=2 * number if pattern == "two weeks" else number)
            if pattern == "month" and first.day < 29:
                day = months_later(first, number)
            self.new(day, times, place, series)
            if pattern == "two days a week":
                self.new(day + timedelta(days=3), times, place, series)

    def _many(self, _: Callable[[], None]) -> None:
        """More than one message has sentences for, one a day."""
        times = self.random.choice(self.times)
        for number in range(self.random.randint(18, 26)):
            self.new(self.first + timedelta(days=number), times, self.random.choice(self.places), None)

    def _single(self, _: Callable[[], None]) -> None:
        pick = self.random.choice
        day = self.first + timedelta(weeks=self.random.randint(0, 5), days=pick((0, 0, 1)))
        self.new(day, pick(self.times), pick(self.places), pick((None, None, "S")))

    def _extend(self, _: Callable[[], None]) -> None:
        of_series = [one for one in self.live if one.series]
        if of_series:
            series = self.random.choice(of_series).series
            last = max((one for one in of_series if one.series == series), key=lambda one: one.day)
            days = self.random.choice((7, 7, 7, 14, 4))
            self.new(last.day + timedelta(days=days), last.times, last.place, series)

    def _restore(self, _: Callable[[], None]) -> None:
        gone = [one for one in self.agenda.values() if not (one.booked and one.listed)]
        if gone:
            self.put(replace(self.random.choice(gone), booked=True, listed=True))

    def _present(self, _: Callable[[], None]) -> None:
        absent = [one for one in self.agenda.values() if not one.present]
        if absent:
            self.put(replace(self.random.choice(absent), present=True))

    def _cancel(self, _: Callable[[], None]) -> None:
        self.put(replace(self.one(), booked=False))

    def _take_off(self, _: Callable[[], None]) -> None:
        self.put(replace(self.one(), listed=False))

    def _absent(self, _: Callable[[], None]) -> None:
        self.put(replace(self.one(), present=False))

    def _move(self, _: Callable[[], None]) -> None:
        self._shift(self.one(), self.random.choice((0, 0, 1, -1, 7)), self.random.choice(self.times))

    def _shift(self, one: Booking, days: int, times: Times | None) -> None:
        self.put(replace(one, day=one.day + timedelta(days=days), times=times or one.times))

    def _place(self, _: Callable[[], None]) -> None:
        for one in self.tail() if self.random.random() < 0.5 else [self.one()]:
            self.put(replace(one, place=self.random.choice(self.places)))

    def _kind(self, _: Callable[[], None]) -> None:
        """Meet otherwise: one and all of its series that follow it, or one; sometimes at another hour too."""
        kind = self.random.choice(KINDS)
        times = self.random.choice(self.times) if self.random.random() < 0.2 else None
        for one in self.tail() if self.random.random() < 0.5 else [self.one()]:
            self.put(replace(one, kind=kind, times=times or one.times))

    def _notify(self, _: Callable[[], None]) -> None:
        """Have one, or some, be told of first by other messages; or where it moves."""
        notify = self.random.choice(NOTIFIES)
        days = self.random.choice((0, 0, 0, 1))
        for one in self.some() if self.random.random() < 0.5 else [self.one()]:
            self.put(replace(one, notify=notify, day=one.day + timedelta(days=days)))

    def _seconds(self, _: Callable[[], None]) -> None:
        self.put(replace(self.one(), seconds=self.random.choice((0, 20, 59))))

    def _later(self, _: Callable[[], None]) -> None:
        """Have one, or it and all of its series that follow it, in the other of two hours of the same name."""
        for one in self.tail() if self.random.random() < 0.5 else [self.one()]:
            self.put(replace(one, later=not one.later))

    def _come(self, _: Callable[[], None]) -> None:
        """Write down who came, at the hour that was planned or another one; or take that back."""
        one, pick = self.one(), self.random.choice
        outcome = pick(("arrived", "fulfilled", "noshow", None if one.outcome is not None else "arrived"))
        self.put(replace(one, outcome=outcome, times=pick((one.times, one.times, *self.times))))

    def _swap(self, _: Callable[[], None]) -> None:
        if len(self.live) > 1:
            one, other = self.random.sample(self.live, 2)
            self.put(replace(one, day=other.day, times=other.times, place=other.place, kind=other.kind))
            self.put(replace(other, day=one.day, times=one.times, place=one.place, kind=one.kind))

    def _twin(self, _: Callable[[], None]) -> None:
        one = self.one()
        series = self.random.choice((one.series, None, "T"))
        self.new(one.day, one.times, one.place, series, present=self.random.random() < 0.8, kind=one.kind)

    def _cancel_tail(self, _: Callable[[], None]) -> None:
        for one in self.tail():
            self.put(replace(one, booked=False))

    def _cancel_some(self, _: Callable[[], None]) -> None:
        for one in self.some():
            self.put(replace(one, booked=False))

    def _move_tail(self, _: Callable[[], None]) -> None:
        pick, times = self.random.choice, self.times
        days, to = pick(((0, pick(times)), (1, None), (7, None), (-7, None), (14, None), (1, pick(times))))
        for one in self.tail():
            self._shift(one, days, to)

    def _reissue(self, between: Callable[[], None]) -> None:
        self._write_anew(between, replacing=False)

    def _replace(self, between: Callable[[], None]) -> None:
        self._write_anew(between, replacing=True)

    def _write_anew(self, between: Callable[[], None], *, replacing: bool) -> None:
        """Cancel appointments and make others instead, in either order, at the same hour or another one."""
        to, other_series = self.random.choice((None, None, self.random.choice(self.times))), self.random.random() < 1 / 3
        pause = self.random.random() < 0.2
        for one in self.tail() if self.random.random() < 0.6 else self.some():
            series = "U" if one.series and other_series else one.series
            both: list[Callable[[], None]] = [
                lambda one=one, series=series: self.new(  # type: ignore[misc]
                    one.day,
                    to or one.times,
                    one.place,
                    series,
                    replaces=one.id if replacing else None,
                    kind=one.kind,
                ),
                lambda one=one: self.put(replace(one, booked=False)),  # type: ignore[misc]
            ]
            for write in both if self.random.random() < 0.5 else reversed(both):
                write()
                if pause:
                    between()

    def _chain(self, between: Callable[[], None]) -> None:
        """Replace one by another through others, of which the client may never know; they come in any order."""
        one, pick = self.one(), self.random.choice
        links: list[Callable[[], None]] = [lambda: self.put(replace(one, booked=False))]
        before = one.id
        for number in range(len(self.agenda) + 1, len(self.agenda) + 1 + self.random.randint(1, 3)):
            link = replace(one, id=f"a{number:02}", times=pick(self.times), replaces=pick((before, ("x", before))))
            links.append(lambda link=link: self.put(replace(link, booked=False)))  # type: ignore[misc]
            before = link.id
        links[-1] = lambda: self.put(link)
        self.random.shuffle(links)
        for write in links:
            write()
            if self.random.random() < 0.1:
                between()

    def _cycle(self, _: Callable[[], None]) -> None:
        """Two appointments that say to replace each other."""
        if len(self.live) > 1:
            one, other = self.random.sample(self.live, 2)
            self.put(replace(one, replaces=other.id, times=self.times[-1]))
            self.put(replace(other, replaces=one.id, booked=self.random.random() < 0.5))

    def _again(self, _: Callable[[], None]) -> None:
        """Write a record of before once more."""
        written = [step for step in self.steps if step.get("topic") == "appointments" and step["value"] is not None]
        self.steps.append(self.random.choice(written))


ACTS = (
    "series", "series", "series", "single", "single", "extend", "restore", "present", "come", "cancel", "cancel", "take-off",
    "absent",
    "move", "move", "place", "seconds", "swap", "twin", "cancel-tail", "cancel-tail", "move-tail", "move-tail", "cancel-some",
    "reissue", "reissue", "replace", "replace", "chain", "cycle", "again",
)  # fmt: skip


def _no_place(number: int) -> str | None:
    """Write no place, or an address, which is as none."""
    return (None, None, *ADDRESSES)[number % 4]


def months_later(day: date, count: int) -> date:
    """Find the same day of a later month."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, day.day)
