"""The driver: however it cuts turns, and however often the worker starts anew, the client is told the same."""

from __future__ import annotations

from datetime import date, timedelta

import orjson
import pytest

from agents.worker.wording import succeed
from streams.simulation import Simulation
from tests.belief.driver import START, Driver, Message, horizon
from tests.belief.histories import event, history, opening, organisation, people
from tests.belief.oracle import History, judge
from tests.belief.truth import Json


def plain(seed: int) -> History:
    """The history of a seed, with nothing but events and time, and a window, without which it matters when a sender looks."""
    whole = history(seed)
    settings, *rest = [step for step in whole.steps if step["do"] in ("event", "wait")]
    window = {"quiet_seconds": 30, "max_seconds": 120}
    return whole._replace(steps=({**settings, "value": {**settings["value"], "window": window}}, *rest))


def driven(one: History, steps: tuple[Json, ...]) -> list[str]:
    driver = Driver(one.seed, one.start)
    driver.play(steps)
    driver.rest(one.rest)
    return [said.text for said in driver.heard if isinstance(said, Message)]


def simulated(one: History) -> list[str]:
    simulation, now = Simulation(succeed), one.start
    log: list[bytes] = []
    for step in one.steps:
        if step["do"] == "wait":
            now += timedelta(seconds=step["seconds"])
            log += simulation.until(now)
        else:
            value = None if step["value"] is None else orjson.dumps(step["value"])
            log += simulation.feed(step["topic"], step["key"].encode(), value, now)
    log += simulation.until(one.rest)
    records = [orjson.loads(record) for record in log]
    return [record["text"] for record in records if record["status"] == "sent"]


@pytest.mark.parametrize("seed", range(30))
def test_turns_may_be_cut_anywhere(seed: int) -> None:
    one = plain(seed)
    assert driven(one, one.steps) == simulated(one)


@pytest.mark.parametrize("seed", range(30, 45))
def test_a_worker_that_starts_anew_goes_on_where_it_was(seed: int) -> None:
    one = plain(seed)
    steps = [each for step in one.steps for each in (step, {"do": "restart", "turns": 1, "calls": "wait"})]
    assert driven(one, tuple(steps)) == simulated(one)


def series(kind: str, *days: str | None) -> Json:
    """A notice whose members are on these days; None of one that is off."""
    return {"kind": kind, "members": [{"id": "a", "now": {"day": day} if day is not None else None} for day in days]}


HORIZONS: dict[str, tuple[Json, date | None]] = {
    "a series reaches as far as its sentence was decided, wherever its appointments are by now": (
        series("series_created", "2026-04-20", "2026-05-04"), date(2026, 5, 4),
    ),
    "one that is cancelled says nothing of days to come": (series("series_cancelled", None, None), None),
    "nor does what is no series": (series("created", "2026-04-20"), None),
    "nor a reminder, which has no members": ({"kind": "reminder"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", HORIZONS)
def test_how_far_a_sentence_reaches(name: str) -> None:
    notice, until = HORIZONS[name]
    assert horizon(notice) == until


@pytest.mark.parametrize("seed", [40986, 320507])
def test_what_a_series_covers_is_what_it_was_at_the_closing(seed: int) -> None:
    """Seeds at which the appointment was elsewhere before the driver looked."""
    assert judge(history(seed)).faults == []


HARD = frozenset({"gates", "bounces", "lost", "clocks", "reminders", "reports", "zones", "kinds"})
"""Named one by one: another extra makes other histories of the same seeds."""
ELSEWHERE = {
    700300: "a twin of what a closed gate kept back stands there when that goes, all in one turn",
    700322: "and where it came a turn later",
    700496: "what is written anew under another id is where it was",
    700559: "so it is where the client was taken off the first",
    700918: "and where upstream says that it replaces the first",
    701372: "and where the first was cancelled",
    700944: "in another time zone it is at the hours of that zone",
}
WITH_NOTIFY = {
    711990: "what no message may be the first to tell is not",
    782960: "who comes where one was that moved away is there",
}


@pytest.mark.parametrize("seed", ELSEWHERE, ids=ELSEWHERE.values())
def test_what_a_closed_gate_kept_back_is_known_from_elsewhere(seed: int) -> None:
    assert judge(history(seed, HARD)).faults == []


@pytest.mark.parametrize("seed", WITH_NOTIFY, ids=WITH_NOTIFY.values())
def test_and_so_it_is_where_messages_are_kept_back(seed: int) -> None:
    assert judge(history(seed, HARD | {"notify"})).faults == []


@pytest.mark.parametrize("seed", [700389, 701525])
def test_a_report_comes_while_what_it_says_still_matters(seed: int) -> None:
    """After a day nothing is taken back, and nobody can say what the client believes."""
    assert judge(history(seed, HARD)).faults == []


def booked(id_: str, revision: int, day: int, *, present: bool = True, status: str = "booked") -> Json:
    """Upstream writes an appointment in April, at 13:15."""
    return event("appointments", f"zorg/{id_}", {
        "organisation": "zorg", "appointment": id_, "revision": revision, "status": status,
        "start": f"2026-04-{day:02}T13:15:00+02:00", "end": f"2026-04-{day:02}T14:15:00+02:00", "location": None,
        "series": None, "clients": [{"client": "anna", "present": present}],
    })  # fmt: skip


def test_what_a_client_has_from_elsewhere_stays_while_he_is_absent() -> None:
    """He does not come, but it is on: once it is cancelled that is news."""
    waits: Json = {"do": "wait", "seconds": 31}
    steps = [
        *opening(organisation()), *people(notifications=False), booked("a", 1, 13), waits,
        booked("a", 2, 13, present=False), booked("b", 1, 20), waits,
        booked("a", 3, 13, status="cancelled"), *people(),
    ]  # fmt: skip
    assert judge(History(0, tuple(steps), START)).faults == []
