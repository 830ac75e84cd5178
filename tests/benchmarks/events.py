"""The events of the full pipeline's benchmarks: settings, 50,000 clients who want SMS, and changes of their appointments."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from agents.feeding import Event
from tests.world import organisation

CLIENTS, ORGANISATIONS = 50_000, 50
FIRST = datetime(2099, 1, 1, 9, tzinfo=UTC)


def names(client: int) -> tuple[str, str]:
    """The organisation and the id of a client."""
    return f"org{client % ORGANISATIONS}", f"client{client}"


def state(clients: int = CLIENTS) -> Iterator[Event]:
    """Settings, and a consent and a contact for every client. Windows are 0: every change is told at once."""
    for number in range(ORGANISATIONS):
        settings = organisation(organisation=f"org{number}", window={"quiet_seconds": 0, "max_seconds": 0})
        yield Event("organisations", f"org{number}", settings)
    for number in range(clients):
        org, client = names(number)
        ids = {"organisation": org, "client": client}
        yield Event("consents", f"{org}/{client}", {**ids, "notifications": True, "channels": ["sms"], "source": "ecd"})
        phone = {"number": f"+316{10_000_000 + number}", "confirmed": True}
        yield Event("contacts", f"{org}/{client}", {**ids, "sms": phone, "email": None})


def appointments(events: int, clients: int = CLIENTS) -> Iterator[Event]:
    """Up to 4 appointments a client, each event at another time than the one before."""
    chance = random.Random(1)
    for revision in range(events):
        number = chance.randrange(clients)
        org, client = names(number)
        id_ = f"a{number}-{chance.randrange(4)}"
        start = FIRST + timedelta(seconds=revision)
        value = {
            "organisation": org, "appointment": id_, "revision": revision, "status": "booked",
            "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(),
            "location": {"name": "De Linde"}, "series": None, "clients": [{"client": client, "present": True}],
        }  # fmt: skip
        yield Event("appointments", f"{org}/{id_}", value)
