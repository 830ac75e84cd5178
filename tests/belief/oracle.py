"""Whether a client who reads only our messages believes what is so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from tests.belief.driver import START, Driver, Elsewhere, Heard, Lived, Message, Planned
from tests.belief.dutch import MARKS, When
from tests.belief.reader import READINGS, REMINDED, Reader, Reading
from tests.belief.truth import Json, Truth, truth
from tests.drivers import RestlessError


class History(NamedTuple):
    """What happens (`tests.belief.driver` has the steps), from when, and by when it must have come to rest."""

    seed: int
    steps: tuple[Json, ...]
    start: datetime = START
    rest: datetime = START.replace(day=16)


class Verdict(NamedTuple):
    """What is wrong, and what it is made of."""

    faults: list[str]
    heard: list[Heard]
    readers: dict[Reading, Reader]
    truth: Truth
    kinds: Counter[str]

    @property
    def messages(self) -> int:
        return sum(isinstance(one, Message) for one in self.heard)


def judge(history: History) -> Verdict:
    """Play a history and compare what each reader believes at rest with what is so."""
    driver = Driver(history.seed, history.start)
    faults = []
    try:
        driver.play(history.steps)
        driver.rest(history.rest)
    except RestlessError:
        faults.append("restless")
    wrong, readers, so = understood(driver.heard, history.steps)
    faults += wrong
    kinds = Counter(notice["kind"] for record in driver.log if record["status"] == "sent" for notice in record["notices"])
    return Verdict(faults, driver.heard, readers, so, kinds)


def understood(
    heard: Sequence[Heard], steps: Sequence[Json], client: str = "anna"
) -> tuple[list[str], dict[Reading, Reader], Truth]:
    """Have all readers hear what a client heard, and say what is wrong with what each believes then, after these events."""
    events = [step for step in steps if step["do"] == "event"]
    zones = [event["value"]["time_zone"] for event in events if event["topic"] == "organisations"]
    so = truth([event for event in events if event["topic"] == "appointments"], client, *zones)
    late = any(step.get("kind") == "late" for step in steps)
    readers, faults = {reading: Reader(reading, late=late) for reading in READINGS}, []
    for name, reader in readers.items():
        told = listen(reader, heard)
        found = [*reader.faults, *compare(reader.items, so, told.dark, told.ever | (told.lived & so.quiet))]
        if reader.unsure and late:
            found = []
        if so.absent or so.lived or told.dark or any(fact.quiet for fact in so.facts):  # a reminder does not speak of those
            found = [fault for fault in found if not fault.startswith(REMINDED)]
        faults += [f"{name}: {fault}" for fault in found]
    return faults, readers, so


class Unsaid(NamedTuple):
    """Appointments of which not all was heard from us.

    Attributes:
        dark: those of which the last news came from elsewhere; `ever`: those of which any did.
        lived: those that no message named, but the client came, or did not.
    """

    dark: set[str]
    ever: set[str]
    lived: set[str]


def listen(reader: Reader, heard: Sequence[Heard]) -> Unsaid:
    """Have a reader hear all of it, in order. The same message once more is the same message."""
    seen: set[tuple[str, str]] = set()
    elsewhere: dict[str, tuple[When, str | None]] = {}
    dark: set[str] = set()
    ever: set[str] = set()
    lived: set[str] = set()
    for one in heard:
        if isinstance(one, Planned):
            reader.planned(one.when, one.place)
        elif isinstance(one, Lived):
            if one.was is not None:
                reader.told_elsewhere(*one.was, on=False)
            else:
                lived.add(one.appointment)
            reader.told_elsewhere(*one.now)
        elif isinstance(one, Elsewhere):
            dark.add(one.appointment)
            ever.add(one.appointment)
            known = (one.when, one.place) if one.when is not None else None
            before = elsewhere.pop(one.appointment, None)
            if before is not None and before != known and before not in elsewhere.values():
                reader.told_elsewhere(*before, on=False)
            if known is None and one.was is not None:
                reader.taken_off_elsewhere(*one.was)
            was = one.was
            if one.when is not None and one.place not in (None, *MARKS.values()):
                nowhere = (one.when, None)  # without a place, it is where another at its times is
                if nowhere in elsewhere.values():
                    reader.told_elsewhere(*nowhere, on=False)
                elif was is None:
                    was = nowhere
            if known is not None and (known in elsewhere.values() or reader.told_elsewhere(*known, was=was)):
                elsewhere[one.appointment] = known
            elif known is not None and one.place is None:
                there = (each for each in elsewhere.values() if each[0] == one.when and each[1] not in MARKS.values())
                if (where := next(there, None)) is not None:
                    elsewhere[one.appointment] = where
        elif (one.id, one.text) not in seen:
            seen.add((one.id, one.text))
            reader.message(one.text, one.horizons, one.sent)
            dark -= set(one.appointments)
            lived -= set(one.appointments)
    return Unsaid(dark, ever, lived)


def compare(
    believed: dict[When, set[str | None]], so: Truth, dark: Collection[str] = (), ever_dark: Collection[str] = ()
) -> list[str]:
    """Say what is so and not believed, at other places, or believed and not so. Without a place of its own any place is right.

    What is quiet need not be believed.
    What is believed of an appointment on which the client is absent does not count; nor does what is so of one in the `dark`,
    or of another that is where one of these is, or what is believed of one that ever was.
    """
    there = {(fact.when, place) for fact in so.facts if fact.appointment in dark for place in (fact.place, None)}
    places: dict[When, list[str | None]] = defaultdict(list)
    needed: dict[When, list[str | None]] = defaultdict(list)
    for fact in so.facts:
        if fact.appointment not in dark:
            places[fact.when].append(fact.place)
            if not fact.quiet and (fact.when, fact.place) not in there:
                needed[fact.when].append(fact.place)
    excused = so.ever((*so.absent, *ever_dark))
    faults = []
    for when, those in sorted(places.items()):
        if when not in believed:
            if when in needed:
                faults.append(f"missing: {said(when)}")
            continue
        named = {place for place in those if place is not None}
        faults += [
            f"place: {said(when)} is at {place}"
            for place in sorted({place for place in needed[when] if place is not None} - believed[when])
        ]
        other_kind = not (believed[when] - named).isdisjoint(MARKS.values())
        if when not in excused and (other_kind or len(believed[when] - named) > those.count(None)):
            faults.append(f"ghost: {said(when)} at {_names(believed[when])}, is at {_names(those)}")
    return faults + [f"ghost: {said(when)}" for when in sorted(believed) if when not in places and when not in excused]


def said(when: When) -> str:
    """Word a time for a report."""
    return f"{when.day} {when.at}-{when.until}" + (f" of {when.last}" if when.last != when.day else "")


def _names(places: Sequence[str | None] | set[str | None]) -> str:
    return ", ".join(sorted(place or "no place" for place in places))
