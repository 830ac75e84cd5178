"""The rules by which what a client believes is what is so, each taken out: the belief property fails within a minute.

Not here, since it takes hundreds of thousands of histories or a hand-made one to show that they are needed (`tests/streams` has
those): a creation is covered before and after a closing; one without a place has that of another at its times; a change of place
whatever the ids; a move takes the exceptions along.
"""

from __future__ import annotations

from tests.mutations.mutation import Mutation

PROPERTY = "-m tests.belief --first --at-once --histories 8000"
CLARITY, GATHERING, MATCHING, RULES, WORDS = (
    f"streams/notices/{name}.py" for name in ("clarity", "gathering", "matching", "rules", "words")
)

ROWS = (
    Mutation(
        "a series every other week covers what is made in the weeks between",
        RULES, "% (7 * rule.weeks) == 0", "% 7 == 0", PROPERTY,
    ),
    Mutation(
        "days that a series leaves out are not said",
        GATHERING, "return run, Rhythm(rhythm.weeks, off)", "return run, Rhythm(rhythm.weeks)", PROPERTY,
    ),
    Mutation(
        "a series is said to be cancelled although something else is at its hour",
        GATHERING, "if not is_made and (taken :=", "if not run and (taken :=", PROPERTY,
    ),
    Mutation(
        "members off the rhythm of a series go with it in one sentence",
        GATHERING, "not any(falls_on(rule, day) for rule in meant)", "not days", PROPERTY,
    ),
    Mutation(
        "what moved away by itself is no longer taken to be of its series",
        GATHERING, "series.update(item.strayed)", "series.clear()", PROPERTY,
    ),
    Mutation(
        "what is said singly of a day is no exception of the series",
        RULES, "off.add(was.day)", "off.discard(was.day)", PROPERTY,
    ),
    Mutation(
        "a series is over, and goes on covering what is made",
        RULES, "return (rule.end is None or day < rule.end) and falls_on(rule, day)", "return falls_on(rule, day)", PROPERTY,
    ),
    Mutation(
        "a cancellation names its day alone, although another comes to be known on that day",
        CLARITY, "for among in (scene.known.items, scene.want):", "for among in (scene.known.items,):", PROPERTY,
    ),
    Mutation(
        "of two at one time the place is not said",
        CLARITY, "placed=bool(twins) and not _is_address(was.place))", "placed=False)", PROPERTY,
    ),
    Mutation(
        "an appointment that is where another is known stays what it was",
        MATCHING, "ids = tuple(sorted({*stay, *here}))", "ids = tuple(sorted(stay))", PROPERTY,
    ),
    Mutation(
        "a whole day with seconds is worded with times",
        WORDS, "start, end = view.start.replace(second=0, microsecond=0), view.end.replace(second=0, microsecond=0)",
        "start, end = view.start, view.end", PROPERTY,
    ),
)  # fmt: skip
