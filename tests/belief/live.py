"""Histories of many clients at once for a real worker: what each writes and when, and what each heard of the providers.

The same edits and the same readers as elsewhere in `tests/belief`; what differs is that time is real, so that windows are short.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from agents.kafka.writer import Event
from tests.belief.driver import Heard, Message, Planned, horizon
from tests.belief.dutch import END_OF_DAY, When
from tests.belief.oracle import understood
from tests.belief.planner import ACTS, ODD, PLACES, PLAIN, Planner
from tests.belief.truth import Json, where_of
from tests.broker.harness import client, settings

WINDOWS = {"nu": (0, 0), "kort": (1, 2), "lang": (2, 4)}
"""By organisation, its window in seconds."""
ZONE = "Europe/Amsterdam"
FOOTER = "Wilt u geen e-mail meer"


@dataclass
class Life:
    """One client: which organisation, what is written of them, and the second at which each of it is."""

    organisation: str
    name: str
    steps: list[Json] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.organisation, self.name


def lives(count: int, seed: int, spread: float) -> list[Life]:
    """Make so many, beginning within so many seconds."""
    today = datetime.now(UTC).date()
    first = next(day for year in (0, 1) if (day := date(today.year + year, 4, 3)) > today + timedelta(days=30))
    return [_life(number, random.Random(f"{seed}/{number}"), first, spread) for number in range(count)]


def _life(number: int, chance: random.Random, first: date, spread: float) -> Life:
    organisation = chance.choice(sorted(WINDOWS))
    life, now = Life(organisation, f"c{number}"), chance.uniform(0, spread)
    times = PLAIN if chance.random() < 0.8 else tuple(chance.sample((*PLAIN, *ODD), 3))
    planner = Planner(chance, ZONE, first, times, PLACES, tuple(act for act in ACTS if act != "come"))  # nobody hears of those
    written = 0

    def pause() -> None:
        nonlocal now, written
        life.steps += [_of(life, step) for step in planner.steps[written:]]
        life.at += [now] * (len(planner.steps) - written)
        written = len(planner.steps)
        now += chance.choice((0.0, 0.5, 1.0, 2.5, 3.0))

    for _ in range(chance.randint(2, 14)):
        planner.act(pause)
        pause()
    return life


def _of(life: Life, step: Json) -> Json:
    """Write a step of the one client of a plain history as one of theirs; ids are theirs alone."""

    def own(id_: str) -> str:
        return f"{life.name}-{id_}"

    topic, id_, value = step["topic"], own(step["key"].partition("/")[2]), step["value"]
    if value is not None:
        value = {**value, "organisation": life.organisation, "appointment": id_}
        if "clients" in value:
            value["clients"] = [{**one, "client": life.name} for one in value["clients"]]
        if "replaces" in value:
            said = value["replaces"]
            value["replaces"] = own(said) if isinstance(said, str) else [own(one) for one in said]
    return {"do": "event", "topic": topic, "key": f"{life.organisation}/{id_}", "value": value}


def cast(everyone: Iterable[Life]) -> list[Event]:
    """Write the organisations, and how each client can be reached: by e-mail, else by SMS."""
    organisations = [settings(name, *window) for name, window in WINDOWS.items()]
    return organisations + [event for life in everyone for event in client(life.organisation, life.name, "email", "sms")]


def course(everyone: Iterable[Life]) -> list[tuple[float, Event]]:
    """List all that is written, and at which second."""
    found = [
        (at, Event(step["topic"], step["key"], step["value"]))
        for life in everyone
        for at, step in zip(life.at, life.steps, strict=True)
    ]
    return sorted(found, key=lambda one: one[0])  # of equal ones the order stays


class Part(NamedTuple):
    """What a provider took: of which message which piece, and when."""

    message: str
    piece: int
    text: str
    at: datetime


class Ears:
    """What each client heard, put together from the providers, the deliveries, the log and what the worker knew.

    Args:
        parts: what the providers took.
        deliveries: the records of the senders' topics.
        log: the delivery log.
        agendas: rows of clients in the order in which they were written, as (organisation, client), row.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        deliveries: Iterable[Json],
        log: Iterable[Json],
        agendas: Iterable[tuple[tuple[str, str], bytes]],
    ) -> None:
        self.deliveries = {one["message"]: one for one in deliveries}
        self.parts: dict[str, dict[int, Part]] = defaultdict(dict)
        for part in parts:
            self.parts[part.message].setdefault(part.piece, part)
        self.log: dict[tuple[str, str], list[Json]] = defaultdict(list)
        for record in log:
            self.log[record["organisation"], record["client"]].append(record)
        self.planned = _planned(self.log, agendas)

    def heard(self, key: tuple[str, str]) -> list[Heard]:
        """List what a client heard, in order."""
        found: list[tuple[datetime, Heard]] = []
        for id_ in {record["message"]: None for record in self.log[key]}:
            if pieces := self.parts.get(id_):
                text = " ".join(part.text for _, part in sorted(pieces.items()))
                at = max(part.at for part in pieces.values())
                found.append((at, Message(text, self._horizons(id_), at.date(), id_)))
        found += [
            (datetime.fromisoformat(record["at"]), Planned(*self.planned[key, notice["id"], id_]))
            for record in self.log[key]
            if (record["status"], record["detail"]) == ("suppressed", "series")
            for notice in record["notices"]
            for id_ in (notice["appointment"], *notice.get("others", ()))
        ]
        return [one for _, one in sorted(found, key=lambda one: one[0])]

    def unsure(self, key: tuple[str, str]) -> bool:
        """Say whether of a message nobody will ever know whether it arrived, and it did not.

        So it is of one that was not sent again, for its address was refused meanwhile.
        """
        doubted = {record["message"] for record in self.log[key] if record["status"] == "unknown"}
        last = {record["message"]: record["status"] for record in self.log[key] if record["status"] != "delivered"}
        return any(
            (status in ("unknown", "failed") or (status == "suppressed" and id_ in doubted)) and id_ not in self.parts
            for id_, status in last.items()
        )

    def _horizons(self, id_: str) -> tuple[date | None, ...]:
        delivery = self.deliveries.get(id_)
        return tuple(map(horizon, delivery["notices"])) if delivery is not None else ()


def _planned(
    log: Mapping[tuple[str, str], list[Json]], agendas: Iterable[tuple[tuple[str, str], bytes]]
) -> dict[tuple[tuple[str, str], str, str], tuple[When, str | None]]:
    """Find by client, notice and appointment what went without saying, in the row that was written at its closing."""
    wanted = {
        (key, notice["id"])
        for key, records in log.items()
        for record in records
        if record["detail"] == "series"
        for notice in record["notices"]
    }
    clients = {key for key, _ in wanted}
    found: dict[tuple[tuple[str, str], str, str], tuple[When, str | None]] = {}
    for key, row in agendas:
        if key not in clients:
            continue
        for item in orjson.loads(row).get("known") or ():
            if (key, item.get("notice")) in wanted:
                for id_ in item.get("ids", ()):
                    found.setdefault(
                        (key, item["notice"], id_),
                        (_when(item["words"]), where_of(item["words"].get("kind"), item["words"].get("place"))),
                    )
    return found


def _when(words: Mapping[str, Any]) -> When:
    day = date.fromisoformat(words["day"])
    last = date.fromisoformat(words.get("last") or words["day"])
    if not words["at"]:
        return When(day, "00:00", END_OF_DAY, last)
    return When(day, words["at"], words["until"] or words["at"], last)


class Wrong(NamedTuple):
    """A client who believes something else than what is so, and why one thinks so."""

    life: Life
    faults: list[str]
    heard: list[Heard]


def judged(everyone: Iterable[Life], ears: Ears) -> Iterator[Wrong]:
    """Name who believes something else than what is so."""
    organisations = {name: {"do": "event", **settings(name)._asdict()} for name in WINDOWS}
    for life in everyone:
        heard = ears.heard(life.key)
        faults, *_ = understood(heard, (organisations[life.organisation], *life.steps), life.name)
        if faults:
            yield Wrong(life, faults, heard)


def email_text(plain: str) -> str:
    """Take our words out of an e-mail."""
    return plain.partition(FOOTER)[0].strip()


Open = Callable[[str], list[str] | None]


def sms_part(message: Mapping[str, Any], opened: Open) -> Part:
    """Read what the SMS gateway took."""
    sealed = opened(message["reference"])
    if sealed is None:
        raise AssertionError("an SMS with a reference that is none of ours")
    return Part(sealed[2], int(sealed[4]), message["body"], datetime.fromisoformat(message["at"]))
