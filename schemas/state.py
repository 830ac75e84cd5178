"""The rows of the tables (DESIGN.md "The way of an event"). Instants are UTC; None is "not known" or "not so"."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .deliveries import Delivery, LoggedNotice, Reason
from .events import View
from .inputs import Channel, Organisation, Request
from .wire import Wire


class Snapshot(Wire, frozen=True, kw_only=True):
    """The last good revision of an appointment: client -> present. `deleted`: its last word was a null value."""

    revision: int
    deleted: bool = False
    booked: bool
    view: View
    clients: dict[str, bool]
    keep_until: datetime


class OptOuts(Wire, frozen=True):
    """Channels that are off by the client's or a provider's own record, with who said so."""

    off: dict[Channel, str] = {}


class Settings(Wire, frozen=True):
    """An organisation's settings: in a row upstream's, in a decision what counts (`streams.overrides`).

    `since`: when what decides the due moments of reminders last changed, by either.
    """

    organisation: Organisation
    since: datetime


class Entry(Wire, frozen=True, kw_only=True):
    """One appointment of one client.

    Attributes:
        revision, deleted: of the last event taken in; an event that is not newer is stale.
        booked, present, actual: what is so.
        told: what the client was last told, None when nothing or when told that it is cancelled.
        told_since: since when `told` is on its local day.
        notice: the id of the last notice decided for it.
        silent: the revision whose difference was logged as `absent`, so that it is logged once.
    """

    revision: int
    deleted: bool = False
    booked: bool
    present: bool
    actual: View
    told: View | None = None
    told_since: datetime | None = None
    notice: str | None = None
    silent: int | None = None
    keep_until: datetime


class Window(Wire, frozen=True):
    """Changes are being gathered since `opened`; it closes at `closes` if no other change comes.

    `late`: seconds that the change which was longest on its way took to get here, for the metrics.
    """

    opened: datetime
    closes: datetime
    late: float = 0.0


class ToldSeries(Wire, frozen=True):
    """A series the client was told as such: local `HH:MM` of start and end, days from start to end, location."""

    start: str
    end: str
    days: int
    location: str | None = None


class Pending(Wire, frozen=True):
    """A third party's message that waits for its moment."""

    request: Request
    due: datetime


class Agenda(Wire, frozen=True):
    """All that is decided about one client.

    Attributes:
        appointments: by id.
        window: the open window.
        held_until: quiet hours held back notices until then.
        series: told as such, by series id.
        reminded: local days (ISO) for which the reminder was decided, whatever became of it.
        requests: waiting, by `party/request`.
        seen: requests decided, by `party/request`, with how long that is remembered.
    """

    appointments: dict[str, Entry] = {}
    window: Window | None = None
    held_until: datetime | None = None
    series: dict[str, ToldSeries] = {}
    reminded: tuple[str, ...] = ()
    requests: dict[str, Pending] = {}
    seen: dict[str, datetime] = {}


class LedgerRow(Wire, frozen=True, kw_only=True):
    """What became of one message.

    Attributes:
        status: `waiting`, `claimed`, `retrying` and `unknown` are open; the others are final.
        order: the offset of its delivery, the order of decision.
        delivery: as long as it is open; and as long as a status report may still say that it went out.
        attempt: the number of the last call, from 1.
        unknowns: how many calls ended without anybody knowing how.
        at: when it came to this status.
        next_at: when to look at it again.
        piece: how many pieces of a long SMS the provider has accepted.
        address: masked, as it was called; `mark`: the same address, to be told from others (`streams.gates.mark_of`).
        provider: the provider's id of it.
        settling: a status report says that the provider has it; what is left is to say what was sent.
        parts: SMS parts of each piece that was sent.
        carried: of each piece, the attempt in which the provider took it.
        billed: `attempt.piece` -> the SMS parts that the provider's reports say it bills for it.
        reports: `attempt.piece` -> the furthest status that the provider reported of it, with its error: `delivery_failed/1`.
        reason, notices: of what was sent, for the records of what becomes of it.
        template: by which template version its last call was worded (`streams/audit.py`).
        erased: its client was erased during a call: what comes of that is logged without text and address, and the row goes.
    """

    status: Literal[
        "waiting",
        "claimed",
        "retrying",
        "unknown",
        "sent",
        "delivered",
        "failed",
        "suppressed",
        "superseded",
        "expired",
    ]
    order: int
    delivery: Delivery | None = None
    attempt: int = 0
    unknowns: int = 0
    at: datetime
    next_at: datetime | None = None
    piece: int = 0
    address: str | None = None
    mark: str | None = None
    provider: str | None = None
    settling: bool = False
    parts: tuple[int, ...] = ()
    carried: tuple[int, ...] = ()
    reports: dict[str, str] = {}
    billed: dict[str, int] = {}
    reason: Reason | None = None
    notices: tuple[LoggedNotice, ...] = ()
    template: str | None = None
    erased: bool = False
    keep_until: datetime
