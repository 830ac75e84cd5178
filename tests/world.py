"""The graph in memory, fed by sentences: what the scenario tests are written in.

Times are local to Europe/Amsterdam, `2026-03-02 09:00`, unless they carry an offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from agents.worker.wording import succeed
from schemas.state import Agenda
from schemas.topics import AGENDAS
from streams.processing.rows import DECODERS
from streams.simulation import Refused, Simulation
from streams.topology import graph

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(text: str) -> datetime:
    """An instant: local to Amsterdam where no offset is given."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=AMSTERDAM)).astimezone(UTC)


def organisation(**changes: Any) -> dict[str, Any]:
    """The settings of organisation `zorg`: SMS without wrapping, window 30 to 120 seconds, no reminder, no quiet hours."""
    return {
        "organisation": "zorg", "name": "Zorggroep", "notifications": True, "time_zone": "Europe/Amsterdam",
        "window": {"quiet_seconds": 30, "max_seconds": 120}, "reminder": None, "quiet_hours": None,
        "sms": {"originator": "Zorggroep", "before": "", "after": "", "unit_price": 0.08, "currency": "EUR"},
        "email": {"from": "zorg@example.org", "reply_to": None, "subject": "Bericht over uw afspraak", "before": "", "after": ""},
    } | changes  # fmt: skip


def appointment(start: str, end: str | None = None, **changes: Any) -> dict[str, Any]:
    """Appointment `a` of client `anna`, an hour long, at De Linde unless said otherwise."""
    begin = at(start)
    until = at(end) if end is not None else begin + timedelta(hours=1)
    return {
        "organisation": "zorg", "appointment": "a", "revision": 1, "status": "booked", "start": begin.isoformat(),
        "end": until.isoformat(), "location": None, "series": None, "clients": [{"client": "anna", "present": True}],
    } | changes  # fmt: skip


def person(id_: str, number: str | None = "+31622345678", email: str | None = None, **changes: Any) -> dict[str, Any]:
    """Somebody who acts for a client: a parent of all appointments, until 2030, who wants SMS, unless said otherwise."""
    return {
        "id": id_, "role": "parent", "notifications": True, "channels": ["sms"] if number is not None else ["email"],
        "sms": {"number": number, "confirmed": True} if number is not None else None,
        "email": {"address": email, "confirmed": True} if email is not None else None,
        "until": "2030-01-01", "all": True,
    } | changes  # fmt: skip


def key_of(value: bytes) -> bytes:
    """The key of a record of a client, by what it says itself."""
    said = orjson.loads(value)
    return f"{said['organisation']}/{said['client']}".encode()


def restart(simulation: Simulation) -> None:
    """Have a simulation start anew: its processors know only what is in the rows."""
    for node in graph(1):
        peers = {name: simulation.processors[name] for name in node.peers}
        simulation.processors[node.name] = node.processor(0, simulation.rows[node.name], peers)
        simulation.processors[node.name].loaded()


class World:
    """A simulation with one organisation and one client (`anna`, SMS confirmed) unless told otherwise."""

    def __init__(self, start: str = "2026-03-02 09:00", *, bare: bool = False, **settings: Any) -> None:
        self.simulation = Simulation(succeed)
        self.now = at(start)
        self.log: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.stalled = False
        if not bare:
            self.settings(**settings)
            self.consent()
            self.contact()

    def wait(self, until: str) -> World:
        """Let time pass. What an outage made late happens first, at its end."""
        if self.stalled:
            self.simulation.now, self.stalled = self.now, False
        self._keep(self.simulation.until(at(until)))
        self.now = at(until)
        return self

    def play(self, steps: Iterable[Callable[[World], object]]) -> World:
        """Do steps, each with ten minutes after it: a window closes, and what goes out lands."""
        for step in steps:
            step(self)
            self.wait((self.now + timedelta(minutes=10)).isoformat())
        return self

    def stall(self, until: str) -> World:
        """Stand still, as in an outage: what falls due meanwhile waits, and events up to the next `wait` come before it."""
        self.now, self.stalled = at(until), True
        return self

    def restart(self) -> World:
        """Start anew from the rows alone."""
        restart(self.simulation)
        return self

    def feed(self, topic: str, key: str, value: Any) -> World:
        """One event now."""
        if not self.stalled:
            self._keep(self.simulation.until(self.now))
        try:
            self._keep(self.simulation.feed(topic, key.encode(), None if value is None else orjson.dumps(value), self.now))
        except Refused as refused:
            self.refused.append(str(refused))
        return self

    def settings(self, **changes: Any) -> World:
        value = organisation(**changes)
        return self.feed("organisations", value["organisation"], value)

    def override(self, **fields: Any) -> World:
        """What the organisation chose itself; without fields it takes everything back."""
        return self.feed("organisation-overrides", "zorg", {"organisation": "zorg", **fields} if fields else None)

    def consent(self, client: str = "anna", channels: Iterable[str] = ("sms",), notifications: bool = True) -> World:
        value = {
            "organisation": "zorg",
            "client": client,
            "notifications": notifications,
            "channels": [*channels],
            "source": "ecd",
        }
        return self.feed("consents", f"zorg/{client}", value)

    def contact(self, client: str = "anna", sms: bool | None = True, email: bool | None = None) -> World:
        value = {
            "organisation": "zorg", "client": client,
            "sms": None if sms is None else {"number": "+31612345678", "confirmed": sms},
            "email": None if email is None else {"address": f"{client}@example.org", "confirmed": email},
        }  # fmt: skip
        return self.feed("contacts", f"zorg/{client}", value)

    def people(self, *people: dict[str, Any], client: str = "anna", **fields: Any) -> World:
        """Who acts for a client: all of them, as `person` makes them."""
        value = {"organisation": "zorg", "client": client, "people": [*people], **fields}
        return self.feed("representatives", f"zorg/{client}", value)

    def employee(self, id_: str = "mees", **fields: Any) -> World:
        """An employee who hears of everything by SMS, unless said otherwise."""
        value = {
            "organisation": "zorg", "employee": id_, "notifications": "all", "channels": ["sms"],
            "sms": {"number": "+31612345699", "confirmed": True}, "email": None,
        } | fields  # fmt: skip
        return self.feed("employees", f"zorg//{id_}", value)

    def opt_out(self, channel: str = "sms", off: bool = True, client: str = "anna", source: str = "link") -> World:
        value = {"organisation": "zorg", "client": client, "channel": channel, "off": off, "source": source}
        return self.feed("opt-outs", f"zorg/{client}", value)

    def book(self, start: str, end: str | None = None, **changes: Any) -> World:
        """An appointment event; `id`, `rev` and `location` are short for its fields."""
        changes = {{"id": "appointment", "rev": "revision"}.get(name, name): value for name, value in changes.items()}
        if isinstance(changes.get("location"), str):
            changes["location"] = {"name": changes["location"]}
        value = appointment(start, end, **changes)
        return self.feed("appointments", f"zorg/{value['appointment']}", value)

    def request(self, **changes: Any) -> World:
        value = {
            "organisation": "zorg", "client": "anna", "request": "r1", "party": "roqua", "text": "Wilt u de lijst invullen?",
            "subject": None, "send_at": None, "expires_at": None,
        } | changes  # fmt: skip
        return self.feed("requests", f"zorg/{value['client']}", value)

    def agenda(self, client: str = "anna") -> Agenda:
        """What is kept of a client."""
        row = self.simulation.rows["notices"].get(AGENDAS.row(f"zorg/{client}"))
        found: Agenda = DECODERS["notices", "agendas"](row) if row is not None else Agenda()
        return found

    @property
    def sent(self) -> list[str]:
        """The texts that went out, in order."""
        return [record["text"] for record in self.log if record["status"] == "sent"]

    def of_employee(self, id_: str = "mees") -> list[dict[str, Any]]:
        """What became of each message of an employee."""
        return [record for record in self.log if record["client"] == "" and record.get("recipient") == f"e:{id_}"]

    @property
    def outcomes(self) -> list[str]:
        """What became of every decided message: `status`, with its detail."""
        return [record["status"] + (f" {record['detail']}" if record["detail"] else "") for record in self.log]

    def _keep(self, records: Iterable[bytes]) -> None:
        self.log.extend(orjson.loads(record) for record in records)
        assert self.simulation.faults == [], "what our own nodes write can be read"
