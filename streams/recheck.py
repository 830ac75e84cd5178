"""What still may go out when its turn to be sent has come (DESIGN.md "Gates", "Past", "Sending")."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.deliveries import Delivery, Status
from schemas.notices import Notice
from schemas.state import Agenda

from .agenda import zone_of
from .gates import Standing, passage
from .reminders import still_so


class Dropped(NamedTuple):
    """Notices that do not go out, and why."""

    status: Status
    detail: str | None
    notices: tuple[Notice, ...]


def recheck(delivery: Delivery, standing: Standing, agenda: Agenda, now: datetime) -> tuple[Delivery, list[Dropped]]:
    """The delivery with the notices that may still go out, and those that may not."""
    zone = zone_of(standing.organisation)
    fates: dict[str | None, list[Notice]] = {}
    for notice in delivery.notices:
        checked, fate = check(delivery, notice, agenda, zone, now)
        fates.setdefault(fate, []).append(checked)
    closed = passage(standing, delivery.channel).closed
    if closed is not None and None in fates:
        # One record for all that a gate holds back: records are told apart by message, attempt and status.
        fates[closed] = fates.pop("absent", []) + fates.pop(None)
    dropped = [_dropped(fate, tuple(notices)) for fate, notices in fates.items() if fate is not None]
    return replace(delivery, notices=tuple(fates.get(None, ()))), dropped


def _dropped(fate: str, notices: tuple[Notice, ...]) -> Dropped:
    if fate == "superseded":
        return Dropped("superseded", None, notices)
    if fate == "expired":
        return Dropped("expired", None, notices)
    return Dropped("suppressed", fate, notices)


def check(delivery: Delivery, notice: Notice, agenda: Agenda, zone: str, now: datetime) -> tuple[Notice, str | None]:
    """A notice and why it does not go out, if it does not: compared with what was told, not with what is actual."""
    if delivery.request is not None:
        expires = delivery.request.expires_at
        return notice, "expired" if expires is not None and now > expires else None
    if notice.kind == "reminder":
        return still_so(agenda, notice, zone, delivery.decided, now)
    entries = [entry for id_ in notice.appointments if (entry := agenda.appointments.get(id_)) is not None]
    if entries and all(entry.notice != notice.id for entry in entries):
        return notice, "superseded"
    starts = [view.start for view in (notice.was, notice.now) if view is not None] + [entry.actual.start for entry in entries]
    if all(start <= now for start in starts):
        return notice, "expired"
    if entries and not any(entry.present for entry in entries):
        return notice, "absent"
    return notice, None
