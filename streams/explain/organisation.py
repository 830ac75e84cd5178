"""What an organisation's settings say of when its clients are told."""

from __future__ import annotations

from msgspec import to_builtins

from schemas.inputs import ReminderSettings
from schemas.state import SettingsRow

from ..notices.due_moments import reminders_of
from .pending import Fact
from .words import moment


def organisation_facts(settings: SettingsRow | None, zone: str) -> list[Fact]:
    """Tell whether messages go at all, how long changes are gathered, when reminders fall due, and when it is quiet."""
    if settings is None:
        return [Fact("organisation: its settings are not known, and what is unknown is off", {"what": "organisation"})]
    it, window = settings.organisation, settings.organisation.window
    rules = reminders_of(it)
    reminder = "; ".join(_reminder(rule) for rule in rules) or "none"
    free = ", ".join(day.isoformat() for day in it.free_days or ())
    if free and any(rule.days == "working" for rule in rules):
        reminder += f"; free days: {free}"
    quiet = f"{it.quiet_hours.from_} to {it.quiet_hours.until}" if it.quiet_hours is not None else "none"
    gathered = (
        "told at once"
        if 0 in (window.quiet_seconds, window.max_seconds)
        else f"gathered until {window.quiet_seconds} s without another one, at most {window.max_seconds} s"
    )
    data = {
        "what": "organisation", "notifications": it.notifications, "time_zone": it.time_zone,
        "window": {"quiet_seconds": window.quiet_seconds, "max_seconds": window.max_seconds},
        "reminder": to_builtins(it.reminder), "reminders": to_builtins(rules),
        "quiet_hours": {"from": it.quiet_hours.from_, "until": it.quiet_hours.until} if it.quiet_hours is not None else None,
        "timing_since": settings.since,
    }  # fmt: skip
    return [
        Fact(f"organisation: notifications {'on' if it.notifications else 'off'}; changes are {gathered}", data),
        Fact(
            f"reminder: {reminder}; quiet hours: {quiet} (both so since {moment(settings.since, zone)})", {"what": "timing"}
        ),
    ]  # fmt: skip


def _reminder(rule: ReminderSettings) -> str:
    hours = rule.not_within_hours
    unless = f", unless a message told all of it less than {hours} hour{'' if hours == 1 else 's'} before" if hours else ""
    days = f"{'working ' if rule.days == 'working' else ''}day{'' if rule.days_before == 1 else 's'}"
    return f"{rule.days_before} {days} before, at {rule.at}{unless}"
