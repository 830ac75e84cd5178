"""A wrong history made as short as it can be, and written so that a person sees what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from tests.belief.driver import Heard, Lived, Message, Planned
from tests.belief.oracle import History, Verdict, judge, said

MOST_TRIES = 600


def shrunk(history: History) -> History:
    """Leave out steps after the opening, many at once and then fewer, as long as something of the kind stays wrong."""
    opening = next((at for at, step in enumerate(history.steps) if step.get("topic") == "appointments"), 0)
    kind, tries = _kind(history), 0
    size = max(1, len(history.steps) // 2)
    while size and tries < MOST_TRIES:
        for start in range(len(history.steps) - size, opening - 1, -size):
            tries += 1
            shorter = history._replace(steps=history.steps[:start] + history.steps[start + size :])
            if _kind(shorter) == kind:
                history = shorter
        size //= 2
    return history


def _kind(history: History) -> str:
    """Name in which way a history is wrong first; nothing where it is not, or is no history any more."""
    try:
        faults = judge(history).faults
    except Exception:  # noqa: BLE001  # a step lacks what went before it
        return ""
    return faults[0].split(": ")[1] if faults and ": " in faults[0] else "".join(faults[:1])


def report(history: History, verdict: Verdict) -> str:
    """Write a history as JSON lines, with what was heard, what is so, and what each reader takes it for."""
    return "\n".join(_lines(history, verdict))


def told(one: Heard) -> str:
    if isinstance(one, Message):
        return one.text
    if isinstance(one, Lived):
        return f"(nothing: the client came, or did not, at {said(one.now[0])})"
    if isinstance(one, Planned):
        return f"(nothing: {said(one.when)} at {one.place} goes without saying)"
    return f"(nothing, by a closed gate: {one.appointment} is {said(one.when) if one.when is not None else 'not on'})"


def _lines(history: History, verdict: Verdict) -> Iterator[str]:
    yield f"## Seed {history.seed}: {verdict.faults[0]}"
    yield "```"
    yield from (orjson.dumps(step).decode() for step in history.steps)
    yield "```"
    yield "The client heard, in order:"
    for one in verdict.heard:
        yield f"- {told(one)}"
    yield "What is so: " + "; ".join(
        f"{fact.appointment} {said(fact.when)} at {fact.place}" for fact in sorted(verdict.truth.facts)
    )
    for name, reader in verdict.readers.items():
        items = "; ".join(f"{said(when)} at {'/'.join(map(str, places))}" for when, places in sorted(reader.items.items()))
        yield f"The {name} reader believes: {items}"
    yield "Wrong: " + "; ".join(verdict.faults)
    yield ""
