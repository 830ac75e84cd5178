"""Times of HL7 v2: `YYYYMMDDHHMM[SS[.SSSS]][+/-ZZZZ]`, without an offset local to the producer's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ..processing.local_time import zone
from .results import UntranslatableError

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?([+-]\d{4})?")


def read_time(text: str, zone_name: str, written: int, place: str) -> datetime:
    """Return the instant, in UTC. `written`: by it the nearer reading of an hour that a night has twice counts."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise UntranslatableError("not a time with hours and minutes", place)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        at = [int(one) for one in (year, month, day, hour, minute, second or 0, (fraction or "").ljust(6, "0"))]
        wall = datetime(*at)  # type: ignore[arg-type]  # noqa: DTZ001  # its zone comes next
        if offset is not None:
            ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            return (wall - ahead if offset[0] == "+" else wall + ahead).replace(tzinfo=UTC)
        return nearest(wall, zone_name, written)
    except (ValueError, OverflowError):
        raise UntranslatableError("no such time", place) from None


def nearest(wall: datetime, zone_name: str, written: int) -> datetime:
    """Return the instant of a local time. One that does not exist moves forward by the gap; of two the nearer one counts."""
    first, second = (wall.replace(tzinfo=zone(zone_name), fold=fold).astimezone(UTC) for fold in (0, 1))
    if second <= first or written <= 0:  # there is one, or none, or nobody says which
        return first
    moment = datetime.fromtimestamp(written / 1000, UTC)
    return min(first, second, key=lambda reading: abs(reading - moment))


def milliseconds(moment: datetime) -> int:
    """Return an instant in milliseconds since 1970, as revisions count."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
