"""The rows of the tables (`streams/README.md`, "The way of an event"). Instants are UTC; None is "not known" or "not so"."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .appointments import Notify, Outcome
from .events import Details, Hushed, KnownPerson, View
from .held import Waiting
from .holds import HoldRow
from .inputs import Channel, Organisation, Request
from .known import Item, Rule
from .notices import Notice
from .reminded import Due, Reminded
from .wire import Instant, Int64, Wire


class Snapshot(Wire, frozen=True, kw_only=True):
    """The last good revision of an appointment: client -> present. `deleted`: its last word was a null value.

    `stripped`: an erasure took clients off it, so that it no longer tells all that its revision said. `replaces`: the
    appointments in whose place it was made. `outcomes`: client -> what became of it, of those present. `order`: among records of
    one revision. `notify`: what alone may tell of it first, as the appointment says it itself. `tells`: client -> who else may be
    told, where it says so. `employees`: employee -> attending.
    """

    revision: Int64
    deleted: bool = False
    booked: bool
    view: View
    clients: dict[str, bool]
    keep_until: Instant
    stripped: bool = False
    replaces: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = {}
    order: Int64 = 0
    notify: Notify | None = None
    details: Details | None = None
    tells: dict[str, tuple[str, ...]] = {}
    employees: dict[str, bool] = {}

    @property
    def position(self) -> tuple[int, bool, int]:
        """Return what puts revisions in order: a deletion comes after the revision that it deletes."""
        return self.revision, self.deleted, self.order


class Polled(Wire, frozen=True, kw_only=True):
    """One appointment as snapshots of a client's agenda have it.

    `doubted`: since when the last ones missed it. `starts`: of one with an arrival, when it starts. `tell`: who may be told of it
    besides the client; None: who may be told of all.
    """

    booked: bool = True
    present: bool = True
    view: View
    outcome: Outcome | None = None
    replaces: tuple[str, ...] = ()
    doubted: Instant | None = None
    notify: Notify | None = None
    details: Details | None = None
    starts: Instant | None = None
    tell: tuple[str, ...] | None = None

    @property
    def start(self) -> datetime:
        """Return when it starts, for the bounds of snapshots."""
        return self.starts or self.view.start


class Poll(Wire, frozen=True, kw_only=True):
    """What snapshots said of a client: the revision of the last one, and each appointment by the source's own id."""

    revision: Int64
    appointments: dict[str, Polled] = {}
    keep_until: Instant


class OptOuts(Wire, frozen=True):
    """Channels that are off by the client's or a provider's own record, with who said so."""

    off: dict[Channel, str] = {}


class SettingsRow(Wire, frozen=True):
    """An organisation's settings: in a row upstream's, in a decision what counts (`streams.notices.settings`).

    `since`: when what decides the due moments of reminders last changed, by either. `hold`: in a decision, what waits.
    """

    organisation: Organisation
    since: Instant
    hold: HoldRow | None = None


class AgendaEntry(Wire, frozen=True, kw_only=True):
    """One appointment of one client.

    Attributes:
        revision, deleted, order: of the last event taken in; an event that is not newer is stale.
        booked, present, actual: what is so.
        told: what the client knows of it, None when nothing or when told that it is cancelled; it follows from `Agenda.known`.
        told_on_day_since: since when `told` is on its local day.
        notice: the id of the last notice decided for it. `noticed`: the revision whose own notice went out, or ended here.
        silent: the revision whose difference was logged as `absent`, so that it is logged once.
        replaces: the appointments in whose place it was made, the likeliest first.
        outcome: what became of it: the client knows how it then was, and hears nothing of it.
        notify: what alone may tell of it first; None: any message. Of one with a label, by the settings as they are.
        own_notify: of one with a label, what it says of that itself.
        details: what is known of it besides.
        unsaid_place: its place, where the organisation has none said: `actual` has none then.
        awaits: the local day of one that its reminder alone may tell of first, and since when it is on that day.
        tell: who may be told of it besides the client; None: who may be told of all.
    """

    revision: Int64
    deleted: bool = False
    booked: bool
    present: bool
    actual: View
    told: View | None = None
    told_on_day_since: Instant | None = msgspec.field(default=None, name="told_since")
    notice: str | None = None
    noticed: Int64 | None = None
    silent: Int64 | None = None
    replaces: tuple[str, ...] = ()
    outcome: Outcome | None = None
    order: Int64 = 0
    notify: Hushed | None = None
    own_notify: Notify | None = None
    details: Details | None = None
    awaits: tuple[str, Instant] | None = None
    unsaid_place: str | None = None
    tell: tuple[str, ...] | None = None
    keep_until: Instant

    @property
    def position(self) -> tuple[int, bool, int]:
        """Return what puts revisions in order, as a snapshot does."""
        return self.revision, self.deleted, self.order


class Window(Wire, frozen=True):
    """Changes are being gathered since `opened`; it closes at `closes` if no other change comes.

    `late`: seconds that the change which was longest on its way took to get here, for the metrics. `off`: all of it came while
    the organisation's notifications were off, and is decided by that.
    """

    opened: Instant
    closes: Instant
    late: float = 0.0
    off: bool = False


class ToldSeries(Wire, frozen=True):
    """A series the client was told as such: local `HH:MM` of start and end, days from start to end, location."""

    start: str
    end: str
    days: int
    location: str | None = None


class Pending(Wire, frozen=True):
    """A third party's message that waits for its moment."""

    request: Request
    due: Instant


class Flying(Wire, frozen=True, kw_only=True):
    """A message that was decided, until its sender says what became of it: what its notices say is not known until then.

    `asked`: when its delivery was handed out last. `backs`: the agenda's, when it was decided.
    """

    notices: tuple[Notice, ...]
    channel: Channel
    since: Instant
    asked: Instant
    backs: int = 0


class Sent(Wire, frozen=True, kw_only=True):
    """What a message that went out changed in what is known, for as long as it may be reported that it did not arrive.

    Attributes:
        at: when it landed.
        gone: what it took away.
        rules: series that it changed, as they were and as they then were.
        said: the message, where those before it came back.
    """

    at: Instant
    gone: tuple[Item, ...] = ()
    rules: tuple[tuple[Rule, Rule], ...] = ()
    said: Flying | None = None


class PersonEntry(Wire, frozen=True, kw_only=True):
    """What of one appointment is other for one who acts for the client; the rest is as the client's `AgendaEntry` has it.

    Attributes:
        notice, noticed, silent, awaits: as there.
        since: where it is known as it is, since when its day is; such an item stands in `PersonAgenda.known` only where it is not
            what follows from the appointment. `told`, `unheard`, `placed`: of that item when it was told, that no message of ours
            said it, and that its place was said.
    """

    notice: str | None = None
    noticed: Int64 | None = None
    silent: Int64 | None = None
    awaits: tuple[str, Instant] | None = None
    since: Instant | None = None
    told: Instant | None = None
    unheard: bool = False
    placed: bool = False


class PersonAgenda(Wire, frozen=True, kw_only=True):
    """What of an agenda is other for one who acts for the client. Fields of a name are as in `Agenda`.

    `away`: the person is not listed any more: what is left keeps ids from being used twice.
    """

    away: bool = False
    entries: dict[str, PersonEntry] = {}
    known: tuple[Item, ...] = ()
    rules: tuple[Rule, ...] = ()
    zone: str | None = None
    flight: dict[str, Flying] = {}
    sent: dict[str, Sent] = {}
    backs: int = 0
    unsaid: int = 0
    window: Window | None = None
    held_until: Instant | None = None
    waiting: Waiting | None = None
    reminding: tuple[str, Instant] | None = None
    due: tuple[Due, ...] = ()
    reminded: tuple[str, ...] = ()
    handled: dict[str, Reminded] = {}
    returned: dict[str, int] = {}


class PeopleRow(Wire, frozen=True, kw_only=True):
    """Who acts for a client, and what was learnt of their addresses.

    Attributes:
        people, call_name, revision: upstream's last word.
        off: channels that are off, by a recipient (`p:ID`), or by the mark of an address: with who said so. Listed or not.
        refused: marks of addresses that take no messages, and whether upstream has taken the address back since.
    """

    people: tuple[KnownPerson, ...] = ()
    call_name: str | None = None
    revision: Int64 | None = None
    off: dict[str, dict[Channel, str]] = {}
    refused: dict[str, bool] = {}


class Agenda(Wire, frozen=True):
    """All that is decided about one client.

    Attributes:
        appointments: by id.
        known, rules: what the client knows to be ahead. `known` None: a row of before, or of a worker of before.
        zone: the time zone in which that is worded.
        flight: direct messages that are under way, by their ids.
        sent: messages that landed within 24 hours and took something away, by their first notices.
        backs: how many decisions in a row came back, since a message went out or anything changed.
        returned: how often reminders (by name) and requests (by `party/request`) came back, since anything changed.
        unsaid: how many messages came back or were lost; what is decided anew is another message.
        window: the open window.
        held_until: quiet hours held back notices until then.
        waiting: what a hold holds back, of which nothing is decided.
        series: told as such, by series id; it follows from `rules`, for a worker of before.
        reminding: the day of a reminder that is due, and since when: it waits until what it says first has landed.
        due: all reminders that are due then; none in a row of before.
        reminded: the names of reminders that were decided, whatever became of them: `DAY` (ISO), `DAY/2`, `DAY/3`.
        handled: what of them is known, by name; nothing of one in a row of before, or of a worker of before.
        requests: waiting, by `party/request`.
        seen: requests decided, by `party/request`, with how long that is remembered.
        people: those who act for the client, by the organisation's ids: what is other for them.
    """

    appointments: dict[str, AgendaEntry] = {}
    window: Window | None = None
    held_until: Instant | None = None
    series: dict[str, ToldSeries] = {}
    reminded: tuple[str, ...] = ()
    requests: dict[str, Pending] = {}
    seen: dict[str, Instant] = {}
    known: tuple[Item, ...] | None = None
    rules: tuple[Rule, ...] = ()
    zone: str | None = None
    flight: dict[str, Flying] = {}
    sent: dict[str, Sent] = {}
    backs: int = 0
    unsaid: int = 0
    reminding: tuple[str, Instant] | None = None
    due: tuple[Due, ...] = ()
    handled: dict[str, Reminded] = {}
    waiting: Waiting | None = None
    people: dict[str, PersonAgenda] = {}
    returned: dict[str, int] = {}
