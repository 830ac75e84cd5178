"""What an organisation says of messages to its employees."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, UnsetType

from .strict import about
from .wire import Input, LocalTime

DIGEST_AT = "16:00"
"""When employees hear what has changed, where nothing is said."""


class EmployeeSettings(Input, frozen=True, kw_only=True):
    """Whether employees hear of their own agendas, and when: what is absent is off, or usual."""

    notifications: Annotated[bool, about("Whether employees get messages at all; absent: they do not.", True)] | UnsetType = UNSET
    digest_at: (
        Annotated[LocalTime, about("The local time of what has changed since the last; absent: 16:00.", "16:00")] | UnsetType
    ) = UNSET
