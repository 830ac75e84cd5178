"""A client who reads our messages and believes them: sentences in, belief out.

It knows the words alone (`tests.belief.dutch`), and two things besides: up to which day a series was planned when a sentence told
it, and which later occurrences were planned without a word. It shares no code with `streams/` or `renderers/`.

"… en de daarop volgende" can be meant more or less widely, at the hours that the sentence names:

- `narrow`: the same weekday, and the rhythm of the series that has that day. `narrowest`: that rhythm alone, where there is one.
- `broad`: the same, wherever it is. `broadest`: besides, whatever was ever part of that series, wherever it was moved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tests.belief.dutch import MARKS, Reminder, Sentence, Unreadable, When, sentences
from tests.belief.rules import Rule, rhythm_of, when_of

REMINDED = "reminded of something else"

Belief = dict[When, set[str | None]]
Reading = Literal["narrowest", "narrow", "broad", "broadest"]
READINGS: tuple[Reading, ...] = ("narrow", "broad", "narrowest", "broadest")


@dataclass
class Change:
    """What one sentence comes down to: what is believed no longer, what from now on, and of which sentence."""

    said: Sentence
    gone: list[tuple[When, str | None]]
    come: list[tuple[When, str | None]]


class Reader:
    """What a client believes after each message, and what was unclear or no news (`faults`).

    `late`: some messages were found only later not to have arrived, so others may speak of what was never heard. What is said to
    be elsewhere now is there. `unsure`: one may be taken in two ways then, or had a rhythm: nobody can say what is believed.
    """

    def __init__(self, reading: Reading, *, late: bool = False) -> None:
        self.reading, self.late = reading, late
        self.items: Belief = {}
        self.one: dict[tuple[When, str | None], tuple[When, str | None]] = {}
        """What we told an appointment to be -> what it is from elsewhere: two that are one."""
        self.elsewhere: set[tuple[When, str | None]] = set()
        """What nobody but others said."""
        self.off: set[tuple[When, str | None]] = set()
        """What we said, and others may have said to be off."""
        self.rules: list[Rule] = []
        self.faults: list[str] = []
        self.unsure = False
        self._over: set[When] = set()
        """What a series sentence took away: that it is cancelled once more is no news, but does no harm."""

    # -- what it hears -------------------------------------------------------------------------------------------------

    def message(self, text: str, horizons: Sequence[date | None] = (), sent: date | None = None) -> None:
        """Read a message. `horizons`: of each sentence, up to which day it was planned; `sent`: the day on which it came."""
        try:
            found = sentences(text)
        except Unreadable as unreadable:
            self._fault("unreadable", str(unreadable))
            return
        said = [one for one in found if isinstance(one, Sentence)]
        ends = [*horizons, *[None] * (len(found) - len(horizons))]
        changes = []
        for one, horizon in zip(found, ends, strict=False):
            if isinstance(one, Reminder):
                self._remind(one, sent)
            elif (change := self._understand(one, said, horizon)) is not None:
                changes.append(change)
        for change in changes:
            for when, place in change.gone:
                self._forget(when, place)
                if (then := self.one.pop((when, place), None)) is not None:
                    self._forget(*then)
        for change in changes:
            self._believe(change)

    def planned(self, when: When, place: str | None) -> None:
        """Take in an occurrence of which nothing was said, since a series sentence did: it is believed if a rule has it."""
        for rule in self.rules:
            if rule.has(when) and (place == rule.place or (place is None and rule.place not in MARKS.values())):
                self._add(when, rule.place)
                rule.kin.add((when, rule.place))
                return

    def told_elsewhere(
        self, when: When, place: str | None, *, on: bool = True, was: tuple[When, str | None] | None = None
    ) -> bool:  # fmt: skip
        """Take in what somebody else told, while we could not: that it is on, or no more; gives whether it was news.

        `was`: what we told the same appointment to be. Whether the client goes by that or by this nobody knows, so it stays; but
        it is one.
        """
        if not on:
            self._forget(when, place)
            return True
        if self._knows(when, place):
            return False
        self._add(when, place)
        self.elsewhere.add((when, place))
        if was is not None and (first := self._as_said(was))[1] in self.items.get(first[0], ()):
            self.one[first] = (when, place)
        return True

    def taken_off_elsewhere(self, when: When, place: str | None) -> None:
        """Take in that somebody else may have told that something is off that we said. Nobody knows whether the client heard."""
        when, place = self._as_said((when, place))
        if place in self.items.get(when, ()):
            self.off.add((when, place))

    def _as_said(self, then: tuple[When, str | None]) -> tuple[When, str | None]:
        """Find what we said of something that others say to be elsewhere."""
        return next((heard for heard, other in self.one.items() if other == then), then)

    # -- what a sentence speaks of -------------------------------------------------------------------------------------

    def _understand(self, said: Sentence, message: list[Sentence], horizon: date | None) -> Change | None:
        if said.verb == "created":
            return self._understand_new(said, horizon)
        found = self._on_day(said, said.day, message) if said.day is not None else self._at(said)
        if found is None:
            return self._understand_unheard(said, horizon) if self.late else None
        gone = self._following(*found) if said.series else [found]
        if not gone:
            return None
        if said.verb == "cancelled":
            return Change(said, gone, [])
        come = [(_shifted(when, found[0], said.now) if said.now is not None else when, said.place) for when, _ in gone]
        if gone == come and not self.late:
            self._fault("no news", str(said))
        known = [one for one in come if one not in gone and one[1] in self.items.get(one[0], ())]
        if known and not self.late:
            self._fault("known already", str(said))
        return Change(said, gone, come)

    def _understand_unheard(self, said: Sentence, horizon: date | None) -> Change | None:
        """Take what was never heard of, and is said to be elsewhere now, to be there; what is said to be off, is."""
        self.unsure |= said.series
        if said.verb == "cancelled":
            return None
        made = said._replace(verb="created", now=said.now or said.was)
        return Change(made, [], self._days(made, made.now, horizon))

    def _days(self, said: Sentence, now: When | None, horizon: date | None) -> list[tuple[When, str | None]]:
        """List what a sentence says to be from then on, of a series up to the day to which it was planned."""
        if now is None:
            raise AssertionError("a sentence without times")
        if not said.series:
            return [(now, said.place)]
        rule = _rule_of(said, now)
        return [(when_of(rule, day), said.place) for day in rule.days(horizon or now.day)]

    def _understand_new(self, said: Sentence, horizon: date | None) -> Change | None:
        come = self._days(said, said.now, horizon)
        if all(self._knows(when, place) for when, place in come) and not self.late:  # its cancellation may not have arrived
            self._fault("known already", str(said))
        return Change(said, [], come)

    def _knows(self, when: When, place: str | None) -> bool:
        places = self.items.get(when, set())
        return place in places or (place is None and not places <= {*MARKS.values()})

    def _at(self, said: Sentence) -> tuple[When, str | None] | None:
        """Find what is spoken of with its times."""
        if said.was is None:
            raise AssertionError("a sentence of nothing")
        places = self._apart([(said.was, place) for place in self.items.get(said.was, ()) if _is_place(said, place)])
        if len(places) == 1:
            return places[0]
        if not places and said.verb == "cancelled" and said.was in self._over:
            return (said.was, None) if said.series else None
        if not places and said.verb == "cancelled" and said.was in self.items and said.place_was is not None:
            self._fault("of another place", str(said))  # who knows of one at that hour takes it for that one
        self._unclear(said, among=bool(places))
        return None

    def _on_day(self, said: Sentence, day: date, message: list[Sentence]) -> tuple[When, str | None] | None:
        """Find what is cancelled by its day alone: what is there, without what the message speaks of with its times."""
        named = [(one.was, one.place_was) for one in message if one.was is not None]
        found = self._apart(
            [
                (when, place)
                for when, places in self.items.items()
                if when.day == day
                for place in places
                if _is_place(said, place) and (when, None) not in named and (when, place or "") not in named
            ]
        )
        if len(found) == 1:
            return found[0]
        if not found and any(when.day == day for when in self._over):
            return None
        self._unclear(said, among=bool(found))
        return None

    def _apart(self, found: list[tuple[When, str | None]]) -> list[tuple[When, str | None]]:
        """Leave out what is the same appointment as another one of these.

        So are two of which whoever heard others knows the one, and whoever did not the other.
        """
        same = {self.one[each] for each in found if each in self.one}
        left = [each for each in found if each not in same]
        if len(left) == 2:
            told, other = sorted(left, key=lambda each: each in self.elsewhere)
            if told in self.off and other in self.elsewhere:
                self.one[told] = other
                return [told]
        return left

    def _unclear(self, said: Sentence, *, among: bool) -> None:
        """Note a sentence that speaks of nothing known, or of one `among` some."""
        if not self.late:
            self._fault("two of them" if among else "none such", str(said))
        self.unsure |= among

    def _following(self, first: When, place: str | None) -> list[tuple[When, str | None]]:
        """Find what "en de daarop volgende" takes in. Of two at one time a narrow reader takes the one at the same place."""
        found = []
        for when, places in self.items.items():
            if when.day < first.day:
                continue
            if self._follows(when, first):
                narrow = self.reading.startswith("narrow") and place in places
                found += [(when, each) for each in ({place} if narrow else places)]
            elif self.reading == "broadest":
                found += [(when, each) for each in places if self._are_kin((when, each), (first, place))]
        return sorted(found, key=lambda one: (one[0], one[1] or ""))

    def _are_kin(self, one: tuple[When, str | None], first: tuple[When, str | None]) -> bool:
        """Say whether both were ever of one series, wherever they went since, or the first is of it by its times."""
        at_times = [rule for rule in self.rules if rule.times(first[0])]
        return any(one in rule.kin and (first in rule.kin or rule.runs_on(first[0].day)) for rule in at_times)

    def _follows(self, when: When, first: When) -> bool:
        at_times = [rule for rule in self.rules if rule.times(first)]
        running = [rule for rule in at_times if rule.runs_on(first.day)]
        if (when.at, when.until, when.last - when.day) != (first.at, first.until, first.last - first.day):
            return False
        same_weekday = when.day.weekday() == first.day.weekday()
        on_rhythm = any(rule.falls_on(when.day) for rule in running)
        if self.reading == "narrowest" and running:
            return on_rhythm
        return same_weekday or on_rhythm

    # -- what it believes then -----------------------------------------------------------------------------------------

    def _believe(self, change: Change) -> None:
        said = change.said
        for when, place in change.come:
            self._add(when, place)
        if said.verb == "created":
            if said.series and said.now is not None:
                rule = _rule_of(said, said.now)
                rule.kin = set(change.come)
                self.rules.append(rule)
        elif said.series:
            self._change_rules(change)
        else:
            self._except(change.gone[0][0])
        self._follow_kin(change)
        if not said.series:
            for when, place in change.come:
                for rule in self.rules:
                    if rule.times(when) and rule.falls_on(when.day) and rule.place == place:
                        rule.off.discard(when.day)

    def _except(self, when: When) -> None:
        """Leave a day out of every rule at its times."""
        for rule in self.rules:
            if rule.times(when) and rule.falls_on(when.day):
                rule.off.add(when.day)

    def _change_rules(self, change: Change) -> None:
        """End the rules that a series sentence ends; what moves or gets another place goes on as a new one."""
        first = min(when for when, _ in change.gone)
        said, gone = change.said, {when.day for when, _ in change.gone if when[1:3] == first[1:3]}
        self._over |= {when for when, _ in change.gone}
        at_times = [rule for rule in self.rules if rule.times(first)]
        running = [rule for rule in at_times if rule.runs_on(first.day)]
        now = said.now or said.was
        come = {when for when, _ in change.come}
        if said.verb != "cancelled" and now is not None:
            new = [rule.moved(first.day, now, said.place) for rule in running]
            if not running and (weeks := rhythm_of({when.day for when in come})) is not None:
                new = [Rule(now.at, now.until, now.last - now.day, said.place, now.day, weeks=weeks)]
                new[0].off = set(new[0].days(max(come).day)) - {when.day for when in come}
            for rule in new:
                rule.kin = set(change.come)
            self.rules += new
        broad = self.reading.startswith("broad")
        ended = [rule for rule in at_times if any(rule.runs_on(day) for day in gone)] if broad else running
        for rule in ended:
            rule.end = first.day if rule.end is None else min(rule.end, first.day)

    def _follow_kin(self, change: Change) -> None:
        """What moved by itself stays of the series of which it was."""
        for number, (when, place) in enumerate(change.gone):
            for rule in self.rules:
                if (when, place) in rule.kin and place not in self.items.get(when, ()):
                    rule.kin.discard((when, place))
                    if change.come and not change.said.series:
                        rule.kin.add(change.come[number])

    def _add(self, when: When, place: str | None) -> None:
        self.one = {heard: then for heard, then in self.one.items() if then != (when, place)}
        self.items.setdefault(when, set()).add(place)
        self._over.discard(when)
        self.elsewhere.discard((when, place))
        self.off.discard((when, place))

    def _forget(self, when: When, place: str | None) -> None:
        places = self.items.get(when, set())
        places.discard(place)
        if not places:
            self.items.pop(when, None)

    # -- reminders -----------------------------------------------------------------------------------------------------

    def _remind(self, said: Reminder, sent: date | None) -> None:
        """Compare a reminder with what is believed of its day."""
        year = said.year if said.year is not None else sent.year if sent is not None else 0
        there = sorted(
            when for when, places in self.items.items() for _ in places if when.day == date(year, said.month, said.day)
        )
        clock = "00:00" if said.at is None else said.at
        if len(there) != said.number or there[0].at != clock:
            self._fault(REMINDED, str(said))

    def _fault(self, kind: str, what: str) -> None:
        self.faults.append(f"{kind}: {what}")


def _rule_of(said: Sentence, now: When) -> Rule:
    return Rule(now.at, now.until, now.last - now.day, said.place, now.day, weeks=said.weeks, off=set(said.off))


def _shifted(when: When, was: When, now: When) -> When:
    day = when.day + (now.day - was.day)
    return When(day, now.at, now.until, day + (now.last - now.day))


def _is_place(said: Sentence, place: str | None) -> bool:
    return said.place_was is None or said.place_was == (place or "")
