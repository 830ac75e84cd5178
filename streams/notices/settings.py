"""What an organisation chose itself, laid over upstream's settings (`schemas/README.md`).

Both are kept apart, so that the next upstream sync undoes nothing of it, and what is taken back is upstream's as it then is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.employee_settings import EmployeeSettings
from schemas.events import Forget
from schemas.holds import HoldRow
from schemas.inputs import Organisation, OrganisationOverride
from schemas.state import SettingsRow
from schemas.texts import LabelSettings, SaySettings, Templates, Translation
from schemas.topics import HOLDS_TABLE, ORGANISATIONS_TABLE, OVERRIDES_TABLE
from schemas.wire import encode

from ..processing.local_time import zone
from ..processing.rows import Rows, bad_row
from ..processing.turn import Decision
from .due_moments import counts_working_days, reminders_of
from .labels import labels_of

S = TypeVar("S", bound=Struct)
K = TypeVar("K", bound=str)

PLAIN = ("notifications", "reminder", "reminders", "free_days", "quiet_hours", "link_hosts", "languages")


class EffectiveSettings(dict[str, SettingsRow]):
    """The settings of each organisation that count now: those of the rows, with what lies over them."""

    def load(self, rows: Rows) -> None:
        """Load those of a partition that was taken over."""
        over, holds = dict(rows.scan(OVERRIDES_TABLE)), dict(rows.scan(HOLDS_TABLE))
        for key, row in rows.scan(ORGANISATIONS_TABLE):
            try:
                zone(row.organisation.time_zone)
            except ValueError:
                raise bad_row(ORGANISATIONS_TABLE.row(key), "this machine's time-zone data lacks its time zone") from None
            self[key] = SettingsRow(apply_override(row.organisation, over.get(key)), row.since, holds.get(key))

    def take_in(
        self, rows: Rows, decision: Decision, organisation: str, said: Organisation | OrganisationOverride | Forget, now: datetime
    ) -> bool:
        """Take in new settings, or what lies over them, or that either is gone. Return whether other due moments may follow."""
        row, over = ORGANISATIONS_TABLE.row(organisation), OVERRIDES_TABLE.row(organisation)
        kept = rows.get(decision, ORGANISATIONS_TABLE, row)
        upstream = kept.organisation if kept is not None else None
        override = rows.get(decision, OVERRIDES_TABLE, over)
        if isinstance(said, OrganisationOverride) or said == Forget("override"):
            override = said if isinstance(said, OrganisationOverride) else None
            decision.put(over, encode(override) if override is not None else None)
        else:
            upstream = said if isinstance(said, Organisation) else None
        if upstream is None:
            self.pop(organisation, None)
            decision.put(row, None)
            return True
        hold = rows.get(decision, HOLDS_TABLE, HOLDS_TABLE.row(organisation))
        old, new = self.get(organisation), SettingsRow(apply_override(upstream, override), now, hold)
        same = old is not None and _timing(old) == _timing(new)
        since = old.since if same and old is not None else now
        self[organisation] = replace(new, since=since)
        decision.put(row, encode(SettingsRow(upstream, since)))
        return not same

    def hold(self, decision: Decision, organisation: str, row: HoldRow) -> None:
        """Keep what an organisation holds."""
        decision.put(HOLDS_TABLE.row(organisation), encode(row))
        if (settings := self.get(organisation)) is not None:
            self[organisation] = replace(settings, hold=row)


def apply_override(upstream: Organisation, override: OrganisationOverride | None) -> Organisation:
    """Return the settings that count: upstream's but for the fields that the override has."""
    if override is None:
        return upstream
    own = {name: value for name, value in _chosen(override).items() if name in PLAIN}
    if "reminder" in own:  # it stands before a list of upstream's, too
        own.setdefault("reminders", UNSET)
    for name in CHANNELS:
        if (part := getattr(override, name)) is not UNSET:
            own[name] = replace(getattr(upstream, name), **_chosen(part))
    if override.templates is not UNSET:
        own["templates"] = _over(upstream.templates or Templates(), override.templates)
    if override.say is not UNSET:
        own["say"] = _over(upstream.say or SaySettings(), override.say)
    if override.employees is not UNSET:
        own["employees"] = _over(upstream.employees or EmployeeSettings(), override.employees)
    if override.labels is not UNSET:
        own["labels"] = _each_over(upstream.labels or {}, override.labels, LabelSettings())
    if override.translations is not UNSET:
        own["translations"] = _each_over(upstream.translations or {}, override.translations, Translation())
    return replace(upstream, **own)


def _chosen(part: Struct) -> dict[str, Any]:
    """Return the fields that are there."""
    return {name: value for name in part.__struct_fields__ if (value := getattr(part, name)) is not UNSET}


def _over(below: S, above: S) -> S:
    """Lay what is there of one record over another of its kind, part by part."""
    found = {}
    for name, value in _chosen(above).items():
        part = getattr(below, name)
        found[name] = _over(part, value) if isinstance(value, Struct) and isinstance(part, Struct) else value
    return replace(below, **found)


def _each_over(below: Mapping[K, S], above: Mapping[K, S], bare: S) -> dict[K, S]:
    return {**below, **{name: _over(below.get(name, bare), one) for name, one in above.items()}}


def _timing(settings: SettingsRow) -> tuple[object, ...]:
    """Return what decides when reminders fall due."""
    organisation = settings.organisation
    moments = [(one.days_before, one.at, one.days) for one in reminders_of(organisation)]
    by_label = {id_: label.notify for id_, label in labels_of(organisation).items() if label.notify is not UNSET}
    free = organisation.free_days or () if counts_working_days(organisation) else ()
    return (moments, free, organisation.quiet_hours, organisation.time_zone, by_label)
