"""The sample events: three organisations and a dozen clients, in a few acts.

Everything lies relative to the moment of the run, so that it is always about days to come; nothing is a real person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..feeding import Event

ZONE = ZoneInfo("Europe/Amsterdam")
OPTED_OUT = {"channel": "email", "off": True, "source": "link"}
WINDOW = {"quiet_seconds": 2, "max_seconds": 6}


@dataclass(frozen=True)
class Act:
    """Events that are fed at once, what they show, and how many seconds later the next act begins."""

    title: str
    events: list[Event]
    seconds: float


class Story:
    """The acts of one run that starts at `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(ZONE)
        self.reminder_at = (self.now + timedelta(seconds=100)).replace(second=0, microsecond=0)
        self.revisions: dict[str, int] = {}

    def acts(self) -> Iterator[Act]:
        """The acts in order."""
        yield Act("Settings, consents and contacts of 3 organisations and 12 clients", self.cast(), 2)
        yield Act("New: single ones, two on a day, a series, a group, a night, a day", self.booked(), 7)
        yield Act("Moved, relocated, cancelled, taken off; one message with three changes", self.changed(), 7)
        yield Act("A whole series moves; a third party asks for a message", self.series_moved(), 6)
        yield Act("The series changes place; a wrong event goes to dead-letters", self.series_relocated(), 6)
        yield Act("The series is cancelled", self.series("15:00", location="De Linde", status="cancelled"), 6)

    # -- who takes part ------------------------------------------------------------------------------------------------

    def cast(self) -> list[Event]:
        """Organisations, consents, contacts."""
        reminder = {"days_before": 1, "at": f"{self.reminder_at:%H:%M}"}
        return [
            organisation("linde", "Thuiszorg De Linde", "De Linde", reminder=reminder),
            organisation("plein", "Praktijk Het Plein", "Het Plein", reminder=None),
            organisation("haven", "Zorggroep De Haven", "De Haven", reminder=None, notifications=False),
            *client("linde", "anna", ["sms"]),
            *client("linde", "bram", ["email", "sms"]),
            *client("linde", "carla", ["sms"]),
            *client("linde", "dirk", ["email"]),
            *client("linde", "els", ["sms"]),
            *client("plein", "fred", ["sms"]),
            *client("plein", "gerda", [], notifications=False),
            *client("plein", "hans", ["sms"], confirmed=False),
            *client("plein", "iris", ["email"]),
            *client("haven", "jan", ["sms"]),
            *client("plein", "kees", ["email"]),
            *client("plein", "lies", ["sms"]),
            Event("opt-outs", "plein/iris", {"organisation": "plein", "client": "iris", **OPTED_OUT}),
        ]

    # -- what happens --------------------------------------------------------------------------------------------------

    def booked(self) -> list[Event]:
        """Everything is new."""
        return [
            self.appointment("linde", "a1", ["anna"], 1, "13:15", location="De Linde"),
            self.appointment("linde", "b1", ["bram"], 1, "09:00"),
            self.appointment("linde", "b2", ["bram"], 1, "15:30"),
            self.appointment("linde", "c1", ["carla"], 9, "13:15"),
            self.appointment("linde", "d1", ["dirk"], 10, "10:00", location="De Linde"),
            *self.series("13:15"),
            self.appointment("plein", "f1", ["fred"], 11, "10:00", present=False),
            self.appointment("plein", "g1", ["gerda"], 11, "10:00"),
            self.appointment("plein", "h1", ["hans"], 11, "10:00"),
            self.appointment("plein", "i1", ["iris"], 11, "10:00"),
            self.appointment("haven", "j1", ["jan"], 11, "10:00"),
            self.appointment("plein", "k1", ["kees"], 12, "09:00", location="Het Plein"),
            self.appointment("plein", "k2", ["kees"], 12, "11:00", location="Het Plein"),
            self.appointment("plein", "groep", ["kees", "lies"], 14, "14:00", location="Gymzaal"),
            self.appointment("plein", "nacht", ["lies"], 15, "22:00", hours=8),
            self.appointment("plein", "dag", ["lies"], 20, "00:00", hours=24),
        ]

    def changed(self) -> list[Event]:
        """Single changes, and a day with several."""
        return [
            self.appointment("linde", "c1", ["carla"], 9, "14:15"),
            self.appointment("linde", "d1", ["dirk"], 10, "10:00", location="De Beuk"),
            self.appointment("plein", "k1", ["kees"], 12, "09:00", status="cancelled"),
            self.appointment("plein", "k2", ["kees"], 12, "11:30", location="Het Plein"),
            self.appointment("plein", "k3", ["kees"], 12, "15:00"),
            self.appointment("plein", "groep", ["kees"], 14, "14:00", location="Gymzaal"),
        ]

    def series_moved(self) -> list[Event]:
        """The series at another time; a request."""
        request = {
            "organisation": "linde", "client": "anna", "request": "lijst-1", "party": "vragenlijsten",
            "text": "Wilt u voor uw afspraak een vragenlijst invullen? Dat kan op https://vragenlijst.example/start",
            "subject": "Vragenlijst", "send_at": None, "expires_at": None,
        }  # fmt: skip
        return [*self.series("15:00"), Event("requests", "linde/anna", request)]

    def series_relocated(self) -> list[Event]:
        """The series at another place, and an event that cannot be used."""
        wrong = {**self.appointment("linde", "x1", ["anna"], 5, "10:00").value, "end": self.moment(5, "09:00").isoformat()}
        return [*self.series("15:00", location="De Linde"), Event("appointments", "linde/x1", wrong)]

    def series(self, at: str, **changes: Any) -> list[Event]:
        """Four weekly appointments of one client."""
        return [self.appointment("linde", f"e{week}", ["els"], 8 + 7 * week, at, series="fysio", **changes) for week in range(4)]

    def moment(self, days: int, at: str) -> datetime:
        """Local wall time so many days from now."""
        hour, minute = at.split(":")
        return (self.now + timedelta(days=days)).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def appointment(
        self, organisation_: str, id_: str, clients: list[str], days: int, at: str, *, hours: float = 1,
        location: str | None = None, series: str | None = None, status: str = "booked", present: bool = True,
    ) -> Event:  # fmt: skip
        """The next revision of an appointment."""
        revision = self.revisions[id_] = self.revisions.get(id_, 0) + 1
        start = self.moment(days, at)
        value = {
            "organisation": organisation_, "appointment": id_, "revision": revision, "status": status,
            "start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat(),
            "location": {"name": location} if location else None, "series": series,
            "clients": [{"client": client_, "present": present} for client_ in clients],
        }  # fmt: skip
        return Event("appointments", f"{organisation_}/{id_}", value)


def organisation(id_: str, name: str, originator: str, *, reminder: dict[str, Any] | None, notifications: bool = True) -> Event:
    """An organisation's settings."""
    value = {
        "organisation": id_, "name": name, "notifications": notifications, "time_zone": "Europe/Amsterdam", "window": WINDOW,
        "reminder": reminder, "quiet_hours": None,
        "sms": {"originator": originator, "before": f"{originator}:", "after": "", "unit_price": 0.075, "currency": "EUR"},
        "email": {
            "from": f"{name} <afspraken@{id_}.example>", "reply_to": None, "subject": "Bericht over uw afspraak",
            "before": "Beste cliënt,", "after": "Met vriendelijke groet,",
        },
    }  # fmt: skip
    return Event("organisations", id_, value)


def client(
    organisation_: str, id_: str, channels: list[str], *, notifications: bool = True, confirmed: bool = True
) -> list[Event]:
    """A client's consent and contact."""
    key = f"{organisation_}/{id_}"
    ids = {"organisation": organisation_, "client": id_}
    number = f"+3161234{sum(id_.encode()) % 10_000:04d}"
    contact = {
        **ids,
        "sms": {"number": number, "confirmed": confirmed},
        "email": {"address": f"{id_}@client.example", "confirmed": confirmed},
    }
    return [
        Event("consents", key, {**ids, "notifications": notifications, "channels": channels, "source": "ecd"}),
        Event("contacts", key, contact),
    ]
