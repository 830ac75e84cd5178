"""The sample events: five organisations and a dozen clients, in a few acts; one organisation speaks FHIR, one HL7 v2.

Everything lies relative to the moment of the run, so that it is always about days to come; nothing is a real person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ..kafka.writer import Event

ZONE = ZoneInfo("Europe/Amsterdam")
OPTED_OUT = {"channel": "email", "off": True, "source": "link"}
WINDOW = {"quiet_seconds": 2, "max_seconds": 6}
PRODUCERS = [{"organisation": "meer"}, {"organisation": "duin", "clients": "DUIN", "facilities": ["DUIN"]}]
"""What is agreed with those who speak FHIR and HL7 v2: the file of `producers`."""

NURSE = "m-204"
"""An employee of De Linde."""

ORGANISATIONS = ["linde", "plein", "haven", "meer", "duin"]

PLANNER = "duin"
"""Whose all messages are that come over MLLP."""


@dataclass(frozen=True)
class Act:
    """Events that are fed at once, what they show, and how many seconds later the next act begins.

    `messages`: HL7 v2 that goes by MLLP after them.
    """

    title: str
    events: list[Event]
    seconds: float
    messages: list[bytes] = field(default_factory=list)


class Story:
    """The acts of one run that starts at `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(ZONE)
        self.reminder_at = (self.now + timedelta(seconds=100)).replace(second=0, microsecond=0)
        self.revisions: dict[str, int] = {}

    def acts(self) -> Iterator[Act]:
        """Yield the acts in order."""
        yield Act("Settings, consents and contacts of 5 organisations and 14 clients", self.cast(), 2)
        booked, moved = self.siu("n1", "S12", 13, "11:00"), self.siu("n1", "S13", 13, "14:00")
        cancelled = self.siu("n1", "S15", 13, "14:00")
        yield Act("New: single ones, two on a day, a series, a group, a night, a day", self.booked(), 7, [booked])
        yield Act("Moved, relocated, cancelled, taken off; one message with three changes", self.changed(), 7, [moved])
        yield Act("A whole series moves; a third party asks for a message", self.series_moved(), 6, [cancelled])
        yield Act("The series changes place; a wrong event goes to dead-letters", self.series_relocated(), 6)
        yield Act("The series is cancelled", self.series("15:00", location="De Linde", status="cancelled"), 6)

    # -- who takes part ------------------------------------------------------------------------------------------------

    def cast(self) -> list[Event]:
        """Return organisations, consents and contacts."""
        # A minute after all was told there would be none.
        reminder = {"days_before": 1, "at": f"{self.reminder_at:%H:%M}", "not_within_hours": 0}
        return [
            organisation(
                "linde",
                "Thuiszorg De Linde",
                "De Linde",
                reminder=reminder,
                employees={
                    "notifications": True,
                    "digest_at": f"{self.reminder_at:%H:%M}",
                },
            ),
            organisation("plein", "Praktijk Het Plein", "Het Plein", reminder=None),
            organisation("haven", "Zorggroep De Haven", "De Haven", reminder=None, notifications=False),
            organisation("meer", "Kliniek Het Meer", "Het Meer", reminder=None),
            organisation("duin", "Polikliniek De Duin", "De Duin", reminder=None),
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
            *client("meer", "mila", ["sms"]),
            *client("duin", "niek", ["sms"]),
            family("linde", "els"),
            nurse("linde", NURSE),
            Event("opt-outs", "plein/iris", {"organisation": "plein", "client": "iris", **OPTED_OUT}),
        ]

    # -- what happens --------------------------------------------------------------------------------------------------

    def booked(self) -> list[Event]:
        """Book everything."""
        return [
            self.appointment("linde", "a1", ["anna"], 1, "13:15", location="De Linde", employees=[NURSE]),
            self.appointment("linde", "b1", ["bram"], 1, "09:00", employees=[NURSE]),
            self.appointment("linde", "b2", ["bram"], 1, "15:30"),
            self.appointment("linde", "c1", ["carla"], 9, "13:15", employees=[NURSE]),
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
            self.fhir("m1", "mila", 12, "09:30"),
        ]

    def changed(self) -> list[Event]:
        """Return single changes, and a day with several."""
        return [
            self.appointment("linde", "c1", ["carla"], 9, "14:15", employees=[NURSE]),
            self.appointment("linde", "d1", ["dirk"], 10, "10:00", location="De Beuk"),
            self.appointment("plein", "k1", ["kees"], 12, "09:00", status="cancelled"),
            self.appointment("plein", "k2", ["kees"], 12, "11:30", location="Het Plein"),
            self.appointment("plein", "k3", ["kees"], 12, "15:00"),
            self.appointment("plein", "groep", ["kees"], 14, "14:00", location="Gymzaal"),
            self.fhir("m1", "mila", 12, "11:30"),
        ]

    def series_moved(self) -> list[Event]:
        """Return the series at another time, and a request."""
        request = {
            "organisation": "linde", "client": "anna", "request": "lijst-1", "party": "vragenlijsten",
            "text": "Wilt u voor uw afspraak een vragenlijst invullen? Dat kan op https://vragenlijst.example/start",
            "subject": "Vragenlijst", "send_at": None, "expires_at": None,
        }  # fmt: skip
        return [*self.series("15:00"), Event("requests", "linde/anna", request)]

    def series_relocated(self) -> list[Event]:
        """Return the series at another place, and an event that cannot be used."""
        wrong = {**self.appointment("linde", "x1", ["anna"], 5, "10:00").value, "end": self.moment(5, "09:00").isoformat()}
        return [*self.series("15:00", location="De Linde"), Event("appointments", "linde/x1", wrong)]

    def series(self, at: str, **changes: Any) -> list[Event]:
        """Return four weekly appointments of one client."""
        return [self.appointment("linde", f"e{week}", ["els"], 8 + 7 * week, at, series="fysio", **changes) for week in range(4)]

    def moment(self, days: int, at: str) -> datetime:
        """Return a local wall time so many days from now."""
        hour, minute = at.split(":")
        return (self.now + timedelta(days=days)).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def revision(self, id_: str) -> int:
        """Return the next revision of an appointment."""
        revision = self.revisions[id_] = self.revisions.get(id_, 0) + 1
        return revision

    def appointment(
        self, organisation_: str, id_: str, clients: list[str], days: int, at: str, *, hours: float = 1,
        location: str | None = None, series: str | None = None, status: str = "booked", present: bool = True,
        employees: Sequence[str] = (),
    ) -> Event:  # fmt: skip
        """Return the next revision of an appointment."""
        revision = self.revision(id_)
        start = self.moment(days, at)
        value = {
            "organisation": organisation_, "appointment": id_, "revision": revision, "status": status,
            "start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat(),
            "location": {"name": location} if location else None, "series": series,
            "clients": [{"client": client_, "present": present} for client_ in clients],
        }  # fmt: skip
        if employees:
            value["employees"] = [{"employee": one, "attending": True} for one in employees]
        return Event("appointments", f"{organisation_}/{id_}", value)

    def fhir(self, id_: str, client_: str, days: int, at: str) -> Event:
        """Return the next state of an appointment, as the record of Het Meer has it in FHIR R4."""
        updated, start = self.now + timedelta(seconds=self.revision(id_)), self.moment(days, at)
        value = {
            "resourceType": "Appointment", "id": id_, "meta": {"lastUpdated": updated.isoformat()}, "status": "booked",
            "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(),
            "participant": [
                {"actor": {"reference": f"Patient/{client_}"}, "status": "accepted"},
                {"actor": {"reference": "Practitioner/7"}, "status": "accepted"},
                {"actor": {"reference": "Location/1", "display": "Het Meer"}, "status": "accepted"},
            ],
        }  # fmt: skip
        return Event("fhir", f"meer/Appointment/{id_}", value)

    def siu(self, id_: str, event: Literal["S12", "S13", "S15"], days: int, at: str) -> bytes:
        """Return what the planner of De Duin says of an appointment of `niek`, in local times: booked, moved, cancelled."""
        sent, start = self.now + timedelta(seconds=self.revision(id_)), self.moment(days, at)
        end, status = start + timedelta(hours=1), "Cancelled" if event == "S15" else "Booked"
        segments = [
            rf"MSH|^~\&|PLANNER|DUIN|AFSPRAAKBERICHT|DUIN|{sent:%Y%m%d%H%M%S}||SIU^{event}|{id_}-{event}|P|2.5",
            f"SCH||{id_}^PLANNER|||||||||^^^{start:%Y%m%d%H%M%S}^{end:%Y%m%d%H%M%S}||||||||||||||{status}",
            "PID|1||niek^^^DUIN^PI||Visser^Niek",
            "AIL|1|A|P2^^^^^^^^Polikliniek 2",
        ]
        return "\r".join(segments).encode()


def names(events: list[Event]) -> dict[str, str]:
    """Return whose each telephone number in these contacts is: of who acts for a client both."""
    found = {event.value["sms"]["number"]: event.value["client"] for event in events if event.topic == "contacts"}
    for event in events:
        for person in event.value["people"] if event.topic == "representatives" else ():
            if "sms" in person:
                found[person["sms"]["number"]] = f"{event.value['client']} ({person['id']})"
        if event.topic == "employees":
            found[event.value["sms"]["number"]] = f"medewerker {event.value['employee']}"
    return found


def nurse(organisation_: str, id_: str) -> Event:
    """Return an employee who hears by SMS of what others change in the own agenda."""
    value = {
        "organisation": organisation_, "employee": id_, "notifications": "others", "channels": ["sms"],
        "sms": {"number": "+31612348888", "confirmed": True},
    }  # fmt: skip
    return Event("employees", f"{organisation_}//{id_}", value)


def family(organisation_: str, client_: str) -> Event:
    """Return who acts for a client: a mother, who may read the name, and a curator by e-mail, who may not."""
    mother = {
        "id": "moeder", "role": "parent", "notifications": True, "channels": ["sms"], "until": "2099-01-01", "all": True,
        "name_client": True, "sms": {"number": "+31612349999", "confirmed": True},
    }  # fmt: skip
    curator = {
        "id": "curator", "role": "curator", "notifications": True, "channels": ["email"], "all": True,
        "email": {"address": "post@bewind.example", "confirmed": True},
    }  # fmt: skip
    value = {
        "organisation": organisation_, "client": client_, "call_name": client_.capitalize(), "people": [mother, curator],
    }  # fmt: skip
    return Event("representatives", f"{organisation_}/{client_}", value)


def organisation(
    id_: str, name: str, originator: str, *, reminder: dict[str, Any] | None, notifications: bool = True,
    employees: dict[str, Any] | None = None,
) -> Event:  # fmt: skip
    """Return an organisation's settings."""
    value = {
        "organisation": id_, "name": name, "notifications": notifications, "time_zone": "Europe/Amsterdam", "window": WINDOW,
        "reminder": reminder, "quiet_hours": None,
        "sms": {
            "originator": originator, "before": f"{originator}:", "after": "Kunt u niet? Bel 0544 123456.", "unit_price": 0.075,
            "currency": "EUR",
        },
        "email": {
            "from": f"{name} <afspraken@{id_}.example>", "reply_to": None, "subject": "Bericht over uw afspraak",
            "before": "Beste cliënt,", "after": f"Met vriendelijke groet,\n{name}",
        },
        "templates": {"cancelled": {"sms": {"after": "Een nieuwe afspraak maken? Bel 0544 123456."}}},
        "employees": employees,
    }  # fmt: skip
    return Event("organisations", id_, value)


def client(
    organisation_: str, id_: str, channels: list[str], *, notifications: bool = True, confirmed: bool = True
) -> list[Event]:
    """Return a client's consent and contact."""
    key = f"{organisation_}/{id_}"
    ids = {"organisation": organisation_, "client": id_}
    number = f"+3161234{int.from_bytes(id_.encode()) % 9973:04d}"
    contact = {
        **ids,
        "sms": {"number": number, "confirmed": confirmed},
        "email": {"address": f"{id_}@client.example", "confirmed": confirmed},
    }
    return [
        Event("consents", key, {**ids, "notifications": notifications, "channels": channels, "source": "ecd"}),
        Event("contacts", key, contact),
    ]
