"""A hand on the brake (`streams/README.md`, "Holds"): what an organisation stops. What waits for that: `schemas/held.py`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .strict import about
from .wire import Id, Input, Instant, Int64, Line, OrganisationId, Wire

MOST_PARTIES = 20
"""Third parties whose requests one organisation may hold."""


class Hold(Input, frozen=True, kw_only=True):
    """`holds`, key `organisation`: what an organisation stopped by hand. A null value ends it: what then is so is told.

    An end that says what was shown last (`seen_at`) has nothing said of it. Of two records the later one counts.
    """

    organisation: OrganisationId
    at: Annotated[Instant, about("When that was decided.", "2026-02-02T09:00:00Z")]
    notices: Annotated[bool, about("Whether notices of appointments wait; false: they go again.", True)] = True
    parties: Annotated[
        Annotated[list[Id], msgspec.Meta(max_length=MOST_PARTIES)],
        about("Third parties whose requests wait.", ["rooster"]),
    ] = []
    seen_at: Annotated[
        Instant | None,
        about(
            "Where notices go again: of what waited as it was shown then, nothing is said; null: it is told.",
            "2026-02-02T10:30:00Z",
        ),
    ] = None
    by: Annotated[Annotated[Line, msgspec.Meta(max_length=200)] | None, about("Who decided that, for people.", "a.devries")] = (
        None
    )


class HoldRow(Wire, frozen=True, kw_only=True):
    """What an organisation holds, in a partition. The row stays when all is over: clients may still have to hear of that.

    Attributes:
        notices, parties: what waits.
        at: when this hold was set, in the words of its record: the same in every partition.
        ended: when something of it last ended, by the worker's clock.
        silent: of what was shown until then nothing is said.
        counted, urgent: in the organisation's own partition, messages of days that were near, in the hold that was set then.
    """

    notices: bool = False
    parties: tuple[str, ...] = ()
    at: Instant | None = None
    ended: Instant | None = None
    silent: Instant | None = None
    counted: Instant | None = None
    urgent: Int64 = 0


class Urgent(Wire, frozen=True, kw_only=True):
    """May messages of days that are near go in a hold? Asked of the organisation's own partition, which counts; and its answer.

    `at`: the hold that is meant. `granted`: the answer, None of a question. `recipient`: whose messages (`schemas.keys`).
    """

    client: str
    at: Instant
    messages: Int64 = 0
    granted: bool | None = None
    recipient: str = ""
