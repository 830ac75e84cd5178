"""Changes gathered into what one sentence each can say (`streams/README.md`, "Series").

"En de daarop volgende" is said only of what it names exactly, however widely it is read and whatever else goes out. The client
has never seen the id of a series: what goes or moves alike is gathered by words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from schemas.known import Member, Rule, Words
from schemas.notices import Kind

from .matching import Change, Scene
from .rules import Rhythm, falls_on, holds, is_on, ordinal, rhythm_of, times_of, weekday
from .words import is_ahead


class Statement(msgspec.Struct, frozen=True):
    """Changes that one notice speaks of, in order. `rhythm`: of a series that is made."""

    changes: tuple[Change, ...]
    rhythm: Rhythm | None = None

    @property
    def is_series(self) -> bool:
        """Tell whether it is of more than one."""
        return len(self.changes) > 1

    @property
    def kind(self) -> Kind:
        """Of its notice."""
        return f"series_{self.changes[0].kind}" if self.is_series else self.changes[0].kind  # type: ignore[return-value]

    @property
    def members(self) -> tuple[Member, ...]:
        """All that it speaks of."""
        return tuple([change.member for change in self.changes])


def group_changes(changes: Iterable[Change], scene: Scene, coming: Sequence[Rule] = ()) -> list[Statement]:
    """Group what goes or moves, or what is made. `coming`: series of the same closing, which the client may read of first."""
    result: list[Statement] = []
    alike: dict[tuple[object, ...], list[Change]] = {}
    moves: list[Change] = []
    for change in changes:
        if change.kind == "moved":
            moves.append(change)
        if change.member.series is None or not is_ahead(change.first, scene.now, scene.zone):
            result.append(Statement((change,)))
        else:
            alike.setdefault(pattern_key(change), []).append(change)
    for group in alike.values():
        group.sort(key=lambda change: (change.first.order, change.member.id))
        for part in _by_rhythm(group, scene):
            run, rhythm = _trailing_run(part, scene, moves, coming)
            result.extend(Statement((change,)) for change in part[: len(part) - len(run)])
            if run:
                result.append(Statement(tuple(run), rhythm))
    return result


def pattern_key(change: Change) -> tuple[object, ...]:
    """Return what one sentence can say at once."""
    was, now = change.member.was, change.member.now
    shift = ordinal(now.day) - ordinal(was.day) if was is not None and now is not None else 0
    return (
        change.member.series if was is None else None, change.kind, was and (was.times, was.kind),
        now and (now.times, now.where), shift,
    )  # fmt: skip


def _by_rhythm(group: list[Change], scene: Scene) -> Iterable[list[Change]]:
    """Return parts of one rhythm each, which the client knows: a weekday, or the days of a rule that was told."""
    days = [change.first.day for change in group]
    if len({weekday(day) for day in days}) == 1:
        return [group]
    was = group[0].member.was
    if was is None and rhythm_of(days) is not None:
        return [group]
    rules = [rule for rule in scene.known.rules if was is not None and times_of(rule) == was.times]
    parts: dict[tuple[str, int], list[Change]] = {}
    for change in group:
        day = change.first.day
        rule = next((number for number, rule in enumerate(rules) if is_on(rule, day) and day not in rule.off), None)
        parts.setdefault(("rule", rule) if rule is not None else ("weekday", weekday(day)), []).append(change)
    return parts.values()


def _trailing_run(
    part: list[Change], scene: Scene, moves: list[Change], coming: Sequence[Rule]
) -> tuple[list[Change], Rhythm | None]:  # fmt: skip
    """Return the changes with which a part ends, if one sentence says exactly them; else none."""
    run = list(part)
    is_made = part[0].kind == "created"
    while len(run) >= 2:
        if not is_made and (taken := max(_not_its_own(run, scene, moves, coming), default="")) >= run[0].first.day:
            run = [change for change in run if change.first.day > taken]
            continue
        rhythm = rhythm_of([change.first.day for change in run])
        if rhythm is None:
            run = run[1:]
            continue
        if not is_made:
            return run, None
        off = tuple(day for day in rhythm.off if not _is_known(run, day, scene))
        if not (taken := max((day for day in off if _is_taken(run, day, scene)), default="")):
            return run, Rhythm(rhythm.weeks, off)
        run = [change for change in run if change.first.day > taken]
    return [], None


def _is_known(run: list[Change], day: str, scene: Scene) -> bool:
    """Tell whether the very words of a series are known on a day that it leaves out, and stay so."""
    return any(words.day == day and words in scene.want for words in _like(run, scene.known.items))


def _like(run: list[Change], among: Iterable[Words]) -> Iterator[Words]:
    first = run[0].first
    return (words for words in among if words.times == first.times and words.where == first.where)


def _is_taken(run: list[Change], day: str, scene: Scene) -> bool:
    """Tell whether something else is known, or comes, at the hour of a series on a day that it leaves out."""
    times = run[0].first.times
    return any(words.day == day and words.times == times for among in (scene.known.items, scene.want) for words in among)


def _with_former(running: list[Rule], at_times: list[Rule]) -> list[Rule]:
    """Return series with those that they were before their place changed: what went its own way before that was of them too."""
    found = list(running)
    for rule in found:  # which grows
        found += [one for one in at_times if one.end == rule.first and falls_on(one, rule.first) and one not in found]
    return found


def _not_its_own(run: list[Change], scene: Scene, moves: list[Change], coming: Sequence[Rule]) -> Iterator[str]:
    """Yield the days for which a sentence on this run would be wrong: it could be taken to mean more than the run, or less."""
    first = run[0].first
    times, days = first.times, [change.first.day for change in run]
    own = {change.member.was for change in run} | {change.member.now for change in run}
    weekdays = {weekday(day) for day in days}
    at_times = [rule for rule in scene.known.rules if times_of(rule) == times]
    of_weekday = [rule for rule in at_times if weekday(rule.first) in weekdays or any(is_on(rule, day) for day in days)]
    running = [rule for rule in at_times if is_on(rule, days[0])]
    if meant := [*running, *[rule for rule in coming if times_of(rule) == times and is_on(rule, days[0])]]:
        yield from (day for day in days if not any(falls_on(rule, day) for rule in meant))
    running = _with_former(running, at_times)
    series = {rule.notice for rule in running}
    former: list[Rule] = []  # those that the first was of before it went its own way
    if (item := scene.known.items.get(first)) is not None:
        series.update(item.strayed)
        former = [rule for rule in scene.known.rules if rule.notice in item.strayed]

    def is_meant(words: Words) -> bool:
        on_rule = any(is_on(rule, words.day) for rule in of_weekday)
        return words.times == times and (weekday(words.day) in weekdays or on_rule)

    def counts(words: Words) -> bool:
        return words.day >= days[0] and words not in own and is_ahead(words, scene.now, scene.zone)

    for change in moves:  # away from the series, and said before the run is
        was, now = change.member.was, change.member.now
        if was is not None and now is not None and now.day >= days[0] and was not in own:
            item = scene.known.items.get(was)
            if any(holds(rule, was) for rule in running) or (item is not None and not series.isdisjoint(item.strayed)):
                yield now.day
    for words, item in scene.known.items.items():
        if not counts(words):
            continue
        if is_meant(words) or not series.isdisjoint(item.strayed) or any(holds(rule, words) for rule in former):
            yield words.day
    for words in scene.want:
        if words.day >= days[0] and is_meant(words) and counts(words):
            yield words.day
