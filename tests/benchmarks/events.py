"""The events of the full pipeline's benchmarks: settings, 50,000 clients who want SMS, and changes of their appointments."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from agents.kafka.writer import Event
from tests.world import organisation

CLIENTS, ORGANISATIONS = 50_000, 50
FIRST = datetime(2099, 1, 1, 9, tzinfo=UTC)


def names(client: int) -> tuple[str, str]:
    """The organisation and the id of a client."""
    return f"org{client % ORGANISATIONS}", f"client{client}"


def state(clients: int = CLIENTS, window: int = 0) -> Iterator[Event]:
    """Settings, and a consent and a contact for every client. `window`: its seconds; 0: every change is told at once."""
    for number in range(ORGANISATIONS):
        settings = organisation(organisation=f"org{number}", window={"quiet_seconds": window, "max_seconds": window})
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


def appointments_of(
    client: int, numbers: Iterable[int], revisions: Iterator[int], later: timedelta = timedelta()
) -> Iterator[Event]:  # fmt: skip
    """Appointments of one client by their numbers: half are of five weekly series, the others are single ones."""
    org, name = names(client)
    for number in numbers:
        in_series = number % 2 == 0
        days = 7 * (number // 10) + number // 2 % 5 if in_series else 2 * number
        start = (
            FIRST
            + timedelta(days=30 + days, hours=number // 2 % 5 if in_series else number % 7 + 6, minutes=number % 2 * 15)
            + later
        )
        value = {
            "organisation": org, "appointment": f"a{client}-{number}", "revision": next(revisions), "status": "booked",
            "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(),
            "location": {"name": "De Linde"}, "series": f"s{client}-{number % 10}" if in_series else None,
            "clients": [{"client": name, "present": True}],
        }  # fmt: skip
        yield Event("appointments", f"{org}/a{client}-{number}", value)
