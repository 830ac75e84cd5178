"""Records of the delivery log for the overview's tests, and a way to put them into the projection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from schemas.doubts import DoubtedRecord
from schemas.events import View
from schemas.held import HeldRecord
from schemas.inputs import Channel
from schemas.notices import Notice
from schemas.topics import DELIVERY_LOG

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def record(message: str, **changes: Any) -> dict[str, Any]:
    """An SMS of linde to anna that was sent."""
    value = {
        "message": message, "organisation": "linde", "client": "anna", "channel": "sms", "reason": "direct", "status": "sent",
        "detail": None, "at": "2026-03-02T09:00:00Z", "notices": [{"id": "n", "kind": "created", "appointment": "a"}],
        "text": "Er is een afspraak met u gemaakt.", "parts": 1, "cost": {"amount": "0.075", "currency": "EUR"}, "attempt": 0,
        "address": "+31******78",
    } | changes  # fmt: skip
    if value["status"] != "sent":
        value |= {"text": None, "parts": None, "cost": None}
    if value["channel"] != "sms":
        value |= {"parts": None, "cost": None}
    return value


def held(
    client: str, *, near: int = 0, channel: Channel = "sms", until: datetime | None = None, appointment: str = "a",
    recipient: str = "",
) -> HeldRecord:  # fmt: skip
    """A message of linde to a client, or to one who acts for it, that waits in a hold."""
    start = datetime(2026, 4, 17, 11, 15, tzinfo=UTC)
    made = Notice(
        id=f"n-{client}{recipient}", appointment=appointment, kind="created",
        now=View(start=start, end=start + timedelta(hours=1)),
    )  # fmt: skip
    return HeldRecord(
        organisation="linde", client=client, at=NOW - timedelta(hours=1), channel=channel, messages=((made,),), near=near,
        until=until or start, recipient=recipient,
    )  # fmt: skip


def doubted(
    partition: int, *, organisation: str = "linde", clients: int = 21, since: datetime = NOW, until: datetime | None = None
) -> DoubtedRecord:  # fmt: skip
    """Snapshots of one partition that are not believed."""
    return DoubtedRecord(
        organisation=organisation, partition=partition, since=since, at=NOW, clients=clients, known=100,
        until=until or NOW + timedelta(days=30),
    )  # fmt: skip


def entries(records: list[dict[str, Any]], start: int = 0) -> list[TopicEntry]:
    return [TopicEntry(start + number, orjson.dumps(value), NOW) for number, value in enumerate(records)]


def fill(settings: Settings, records: list[dict[str, Any]]) -> Projection:
    """Into the projection, after what is there."""
    projection = Projection(open_database(settings.web_database, settings.data))
    start = projection.positions().get((DELIVERY_LOG.name, 0), 0)
    for begin in range(0, len(records), 500):
        projection.take(DELIVERY_LOG.name, 0, start + begin, entries(records[begin : begin + 500], start + begin))
    return projection


def sample() -> list[dict[str, Any]]:
    """A few weeks of an organisation."""
    found = []
    for number in range(120):
        at = f"2026-03-{1 + number % 20:02d}T{8 + number % 9:02d}:{number % 60:02d}:00Z"
        client, kind = f"cl-{number % 17:03d}", ("created", "moved", "cancelled", "reminder", "series_created")[number % 5]
        common: dict[str, Any] = {"client": client, "at": at, "notices": [{"id": f"n{number}", "kind": kind, "appointment": "a"}]}
        common["start"] = f"2026-04-{11 + number % 10:02d}T11:15:00Z"
        if number % 11 == 3:
            detail = ("client_off", "contact_unconfirmed", "absent", "series")[number % 4]
            found.append(record(f"m{number}", status="suppressed", detail=detail, channel=None, address=None, **common))
        elif number % 3 == 0:
            found.append(record(f"m{number}", channel="email", address="a***@c***.nl", text=SAID[kind], **common))
        else:
            found.append(record(f"m{number}", text=SAID[kind], parts=1 + number % 2, **common))
            status = "failed" if number % 29 == 5 else "delivered"
            said = "report: delivery_failed/1" if status == "failed" else None
            found.append(record(f"m{number}", status=status, detail=said, **common))
    return found


SAID = {
    "created": "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15.",
    "moved": "Uw afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 17 april 2026 van 14:15 tot "
    "15:15.",
    "cancelled": "Uw afspraak op vrijdag 17 april 2026 is geannuleerd.",
    "reminder": "U heeft een afspraak op 11 april om 11:00.",
    "series_created": "Er zijn herhalende afspraken met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15 en de daarop "
    "volgende.",
}
