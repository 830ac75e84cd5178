"""What an organisation chose itself, laid over upstream's settings (DESIGN.md "Records").

Both are kept apart, so that the next upstream sync undoes nothing of it, and what is taken back is upstream's as it then is.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace

from schemas.inputs import Organisation, OrganisationOverride

PLAIN = ("notifications", "reminder", "quiet_hours")
NESTED = ("sms", "email")


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
