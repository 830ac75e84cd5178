"""What keeps a flood of messages small: settings of an organisation."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .strict import about
from .wire import Input

URGENT = 200
"""Where nothing is said: messages of days that begin within 24 hours that go in spite of a hold."""


class FloodSettings(Input, frozen=True, kw_only=True):
    """What goes in spite of a hold."""

    urgent: Annotated[
        int,
        msgspec.Meta(ge=0, le=100_000),
        about("So many messages of days that begin within 24 hours go in spite of a hold.", URGENT),
    ] = URGENT
