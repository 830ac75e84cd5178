"""Random histories of one client, each by its seed: edits of the agenda, and what the worker goes through meanwhile."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.belief.oracle import History
from tests.belief.planner import ACTS, KINDS, NIGHT, NOTIFIES, ODD, PLACES, PLAIN, Planner
from tests.belief.truth import Json
from tests.drivers import SENDERS

FIRST = date(2026, 4, 3)
AWKWARD = (
    date(2026, 3, 8), date(2026, 3, 15), date(2026, 10, 4), date(2026, 10, 11),  # Sundays before a clock change
    date(2026, 12, 21), date(2026, 12, 30), date(2027, 12, 31), date(2028, 2, 1), date(2028, 2, 29), date(2029, 1, 31),
)  # fmt: skip
FAR, FAR_EVENING = timedelta(days=-87, hours=8), timedelta(days=-87, hours=19, minutes=50)
NEAR, NEAR_REST = timedelta(hours=-5, minutes=-10), timedelta(hours=6, minutes=30)
"""From the first day on. The evening before, and the morning after its quiet night: some days are soon then, others are held."""

WINDOWS = ((30, 120), (30, 120), (30, 45), (600, 900), (5, 5), (0, 0))
EXTRAS = frozenset({
    "holds", "gates", "bounces", "lost", "clocks", "reminders", "lists", "reports", "zones", "kinds", "notify", "dates",
    "arrival",
})  # fmt: skip
"""What makes a history harder: gates that close and open, refused addresses, at once or by a late report, calls of which nobody
hears, clocks that jump, reminders, one or several of a day, another time zone, kinds of appointments, `notify`, nights in which
clocks change and days at which years and months end, and arrivals."""

SEVERAL = [
    {"days_before": 85, "at": "18:00"}, {"days_before": 60, "at": "10:00", "days": "working"},
    {"days_before": 83, "at": "09:00", "not_within_hours": 0},
]  # fmt: skip


def history(seed: int, extras: frozenset[str] = frozenset()) -> History:
    """Make the history of a seed."""
    chance = random.Random(seed)
    near = chance.random() < 0.15
    zone = "Europe/Amsterdam" if near else chance.choice(("Europe/Amsterdam", "Europe/Amsterdam", "America/New_York"))
    times = PLAIN if chance.random() < 0.8 or near else tuple(chance.sample((*PLAIN, *ODD), 3))
    acts = tuple(act for act in ACTS if act != "come" or "zones" not in extras)  # in which zone was it known?
    kinds = KINDS if "kinds" in extras else ()
    notifies = NOTIFIES if "notify" in extras else ()
    acts = (*acts, *["kind"] * len(kinds), *["notify"] * len(notifies))
    first = FIRST
    if "dates" in extras:
        first, acts = chance.choice(AWKWARD), (*acts, "later", "later", "later")
        times = times if near else tuple(chance.sample((*PLAIN, *ODD, *NIGHT, *NIGHT), 3))
    planner = Planner(chance, zone, first, times, PLACES, acts, kinds, notifies, arrivals="arrival" in extras)
    window = chance.choice(WINDOWS[:4] if near else WINDOWS)
    quiet = {"from": "21:00", "until": "07:00"} if near or chance.random() < 0.1 else None
    reminder = {"days_before": chance.choice((83, 85)), "at": "18:00"} if "reminders" in extras and not near else None
    settings = organisation(time_zone=zone, window=window, quiet_hours=quiet, reminder=reminder)
    if "lists" in extras and not near:
        settings["reminders"] = SEVERAL
    planner.steps += opening(settings)
    course = Course(planner, settings, extras, near=near)
    for _ in range(chance.randint(2, 14)):
        planner.act(course.pause)
        for _ in range(chance.randint(0, 3)):
            course.pause()
    course.mend()
    began = datetime(first.year, first.month, first.day, tzinfo=UTC)
    start = began + (NEAR if near else FAR if quiet is None else FAR_EVENING)
    waited = timedelta(seconds=sum(step["seconds"] for step in planner.steps if step["do"] == "wait"))
    rest = began + NEAR_REST if near else start + waited + timedelta(days=9)
    return History(seed, tuple(planner.steps), start, rest)


def made(seed: int, extras: frozenset[str] = frozenset(), *, at_once: bool = False) -> History:
    """Make the history of a seed; `at_once`: so that each message goes out as soon as it is decided."""
    whole = history(seed, extras)
    return without_delay(whole) if at_once else whole


def without_delay(whole: History) -> History:
    """Make a history in which each message goes out as soon as it is decided: no sender is held or asked to try again."""
    windowless = whole.steps[0]["value"]["window"]["quiet_seconds"] == 0
    left_out = {"send", "answer", "hold", "release"} if windowless else {"send", "answer"}
    steps: list[Json] = []
    for step in whole.steps:
        if step["do"] not in left_out and step.get("node") not in SENDERS:
            steps.append(step)
        if step["do"] == "event" and windowless:
            steps.append({"do": "wait", "seconds": 0})
    return whole._replace(steps=tuple(steps))


class Course:
    """What happens between the acts."""

    def __init__(self, planner: Planner, settings: Json, extras: frozenset[str], *, near: bool) -> None:
        self.steps, self.random, self.extras = planner.steps, planner.random, extras
        self.planner, self.settings = planner, settings
        self.window = settings["window"]["quiet_seconds"] + 1
        self.near = near
        self.night = (36_000,) if settings["quiet_hours"] is not None and not near else ()
        self.held: set[str] = set()
        self.brakes = 0

    def _brake(self) -> None:
        """Have the organisation hold its notices, or end that."""
        at = f"{self.planner.first - timedelta(days=92)}T00:00:{self.brakes:02d}Z"  # before it all begins
        self.steps.append(event("holds", "zorg", {"organisation": "zorg", "at": at, "notices": self.brakes % 2 == 0}))
        self.brakes += 1

    def pause(self) -> None:
        """Let one thing happen."""
        chance = self.random.random()
        if chance < 0.4:
            self.steps.append({"do": "wait", "seconds": self.window})
        elif chance < 0.5:
            self.steps.append({"do": "wait", "seconds": self.random.choice((1, 5, 20, *self.night))})
        elif chance < 0.7:
            self._send()
        elif chance < 0.76:
            self._hold("notices")
        elif chance < 0.82:
            self._restart("wait")
        elif chance < 0.88:
            self._answer("retry")
        elif self.extras:
            self._extra()

    def mend(self) -> None:
        """Open again what was closed."""
        if self.brakes % 2:
            self._brake()
        if self.extras & {"gates", "bounces", "reports"}:
            self.steps += [*people(confirmed=False), *people()]

    def _send(self) -> None:
        """Hold the senders; once they are, have them send one message, or go on."""
        if "sms" not in self.held:
            self._hold("sms")
            self._hold("email")
        elif self.random.random() < 0.7:
            self.steps.append({"do": "send"})
        else:
            self._hold("sms")
            self._hold("email")

    def _hold(self, node: str) -> None:
        """Hold a node, or let it go on."""
        self.steps.append({"do": "release" if node in self.held else "hold", "node": node})
        self.held ^= {node}

    def _answer(self, kind: str) -> None:
        self.steps.append({"do": "answer", "kind": kind, "channel": "sms"})

    def _restart(self, calls: str) -> None:
        self.steps.append({"do": "restart", "turns": self.random.randint(0, 8), "calls": calls})

    def _extra(self) -> None:
        kind = self.random.choice(sorted(self.extras))
        if kind == "bounces":
            if self.random.random() < 0.6:
                self._answer("permanent_address")
            else:
                self.steps += [*people(confirmed=False), *people()]
        elif kind == "reports":
            if self.random.random() < 0.6:
                self._answer("late")
            else:
                self.steps.append({"do": "report"})
        elif kind == "clocks":
            self.steps.append({"do": "clock", "seconds": self.random.choice((-200, -20, -1, 3, 45, 1000))})
        elif kind == "lost":
            answer = self.random.choice(("unknown", "lost", "restart"))
            if answer == "restart":
                self._restart(self.random.choice(("lost", "made")))
            else:
                self._answer(answer)
        elif kind == "gates":
            self.steps += self.random.choice((people(notifications=False), people(confirmed=False, email=False), people()))
        elif kind == "holds":
            self._brake()
        elif kind in ("reminders", "lists") and not self.near:
            self.steps.append({"do": "wait", "seconds": 86_400})
        elif kind == "zones":
            self.settings["time_zone"] = self.planner.zone = self.random.choice(("Europe/Amsterdam", "Europe/London"))
            self.steps.append(event("organisations", "zorg", dict(self.settings)))


def opening(settings: Json) -> list[Json]:
    """Write what is known before the first appointment."""
    return [event("organisations", "zorg", dict(settings)), *people(), {"do": "wait", "seconds": 1}]


def organisation(
    *, time_zone: str = "Europe/Amsterdam", window: tuple[int, int] = (30, 120), quiet_hours: Json | None = None,
    reminder: Json | None = None,
) -> Json:  # fmt: skip
    """Make the settings of the organisation."""
    return {
        "organisation": "zorg", "name": "Zorggroep", "notifications": True, "time_zone": time_zone,
        "window": {"quiet_seconds": window[0], "max_seconds": window[1]}, "reminder": reminder, "quiet_hours": quiet_hours,
        "sms": {"originator": "Zorggroep", "before": "", "after": "", "unit_price": 0.08, "currency": "EUR"},
        "email": {"from": "zorg@example.org", "reply_to": None, "subject": "Bericht", "before": "", "after": ""},
    }  # fmt: skip


def people(*, notifications: bool = True, confirmed: bool = True, email: bool = True) -> list[Json]:
    """Write how the client can be reached: by SMS, else by e-mail."""
    who = {"organisation": "zorg", "client": "anna"}
    consent = {**who, "notifications": notifications, "channels": ["sms", "email"], "source": "ecd"}
    contact = {
        **who,
        "sms": {"number": "+31612345678", "confirmed": confirmed},
        "email": {"address": "anna@example.org", "confirmed": email},
    }
    return [event("consents", "zorg/anna", consent), event("contacts", "zorg/anna", contact)]


def event(topic: str, key: str, value: Any) -> Json:
    """Make the step in which upstream writes a record."""
    return {"do": "event", "topic": topic, "key": key, "value": value}
