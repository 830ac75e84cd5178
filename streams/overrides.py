"""What an organisation chose itself, laid over upstream's settings (DESIGN.md "Records").

Both are kept apart, so that the next upstream sync undoes nothing of it, and what is taken back is upstream's as it then is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace

from schemas.events import ClientEvent
from schemas.inputs import Organisation, OrganisationOverride
from schemas.state import Settings
from schemas.topics import ORGANISATIONS_TABLE, OVERRIDES_TABLE
from schemas.wire import encode

from .rows import Rows
from .turn import Decision

PLAIN = ("notifications", "reminder", "quiet_hours")
NESTED = ("sms", "email")


class InForce(dict[str, Settings]):
    """The settings of each organisation that count now: those of the rows, with what lies over them."""

    def load(self, rows: Rows) -> None:
        """Those of a partition that was taken over."""
        over = dict(rows.scan(OVERRIDES_TABLE))
        for key, row in rows.scan(ORGANISATIONS_TABLE):
            self[key] = Settings(laid_over(row.organisation, over.get(key)), row.since)

    def take_in(self, rows: Rows, decision: Decision, event: ClientEvent, now: datetime) -> bool:
        """New settings, or what lies over them; gives whether other due moments may follow."""
        organisation = event.organisation
        row, over = ORGANISATIONS_TABLE.row(organisation), OVERRIDES_TABLE.row(organisation)
        kept: Settings | None = rows.get(decision, ORGANISATIONS_TABLE, row)
        upstream = kept.organisation if kept is not None else None
        override: OrganisationOverride | None = rows.get(decision, OVERRIDES_TABLE, over)
        if event.override is not None or event.forget == "override":
            override = event.override
            decision.put(over, encode(override) if override is not None else None)
        else:
            upstream = event.settings
        if upstream is None:
            self.pop(organisation, None)
            decision.put(row, None)
            return True
        old, new = self.get(organisation), Settings(laid_over(upstream, override), now)
        same = old is not None and _timing(old) == _timing(new)
        since = old.since if same and old is not None else now
        self[organisation] = replace(new, since=since)
        decision.put(row, encode(Settings(upstream, since)))
        return not same


def laid_over(upstream: Organisation, override: OrganisationOverride | None) -> Organisation:
    """The settings that count: upstream's but for the fields that the override has."""
    if override is None:
        return upstream
    own = {name: value for name, value in _chosen(override).items() if name in PLAIN}
    for name in NESTED:
        if (part := getattr(override, name)) is not UNSET:
            own[name] = replace(getattr(upstream, name), **_chosen(part))
    return replace(upstream, **own)


def _chosen(part: Struct) -> dict[str, Any]:
    """The fields that are there."""
    return {name: value for name in part.__struct_fields__ if (value := getattr(part, name)) is not UNSET}


def _timing(settings: Settings) -> tuple[object, ...]:
    """What decides when a reminder falls due."""
    organisation = settings.organisation
    return (organisation.reminder, organisation.quiet_hours, organisation.time_zone)
