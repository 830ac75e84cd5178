"""`outcomes`: who came to an appointment and who did not, for whoever counts them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .appointments import Outcome


class OutcomeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`outcomes`, key `organisation/client`: what became of an appointment for one client, as upstream says it.

    One for each client who is present, when it is first said and when it or the times change. `outcome` null: it was taken back,
    or the appointment was cancelled after all. Of an appointment and a client the highest `revision` counts; `at` is when it was
    taken in. Times are UTC.
    """

    organisation: str
    client: str
    appointment: str
    revision: int
    outcome: Outcome | None
    start: datetime
    end: datetime
    at: datetime
