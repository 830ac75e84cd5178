"""The local days of the overview."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from .tables import moment

ZONE = ZoneInfo("Europe/Amsterdam")
"""Days and months of the overview are of this zone, whatever an organisation's own."""


def local_day(at: datetime) -> str:
    """Return the local day of an instant."""
    return at.astimezone(ZONE).date().isoformat()


def midnight(day: date) -> str:
    """Return the instant at which a local day begins, as the tables hold it."""
    return moment(datetime.combine(day, time(), ZONE))
