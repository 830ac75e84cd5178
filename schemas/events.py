"""`client-events`: what intake found good, in one ordered log per client (key `organisation/client`).

An event has one of the members below. `settings`, `override` and `hold` go to every partition, keyed by organisation; a
question whether urgent messages may go in a hold to the partition of that key alone.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from .appointments import Notify, Outcome
from .holds import Hold, Urgent
from .inputs import Channel, Consent, OptOut, Organisation, OrganisationOverride, Request
from .representatives import Role
from .wire import Instant, Int64, Wire

ForgetKind = Literal["consent", "contact", "settings", "override", "hold", "people"]
"""What was deleted with a null value: it is unknown from then on, and unknown is off. Without an override upstream's counts."""


Became = Literal["out", "back", "lost"]


Remote = Literal["phone", "video", "home"]
"""A kind of appointment other than on site."""


Hushed = Literal["reminder", "none"]
"""`notify` of an appointment of which not every message may be the first to tell."""


class View(Wire, frozen=True, cache_hash=True):
    """When and where an appointment is, as one client sees it; or what the client was told of it. Instants are UTC.

    `arrival`: start and end are between when it begins.
    """

    start: Instant
    end: Instant
    location: str | None = None
    series: str | None = None
    kind: Remote | None = None
    arrival: bool = False


class Details(Wire, frozen=True, kw_only=True):
    """What is known of an appointment besides its words: a change of it alone is no news.

    `label`: its type, by the organisation's own id. The rest only its reminder says: whom it is with, one line to prepare by, and
    a link of https.
    """

    label: str | None = None
    practitioner: str | None = None
    instructions: str | None = None
    link: str | None = None


class AppointmentEvent(Wire, frozen=True, kw_only=True):
    """An appointment as it now is for this client. `deleted` orders a deletion after the revision that it deletes.

    `replaces`: the appointments in whose place it was made. `outcome`: what became of it, for this client. `order`: among records
    of one revision. `notify`: what alone may tell of it first; None: any message, or what its label says: of one that has a label
    `all` stands there as it was said. `tell`: who may be told of it besides the client; None: who may be told of all.
    """

    appointment: str
    revision: Int64
    deleted: bool = False
    booked: bool
    present: bool
    view: View
    replaces: tuple[str, ...] = ()
    outcome: Outcome | None = None
    order: Int64 = 0
    notify: Notify | None = None
    details: Details | None = None
    tell: tuple[str, ...] | None = None

    @property
    def position(self) -> tuple[int, bool, int]:
        """Return what puts revisions in order, as a snapshot does."""
        return self.revision, self.deleted, self.order


class AgendaChange(Wire, frozen=True):
    """What a snapshot of a client's agenda changed: all at once, so that one window has all of it."""

    appointments: tuple[AppointmentEvent, ...]


class KnownAddress(Wire, frozen=True, kw_only=True):
    """A number (E.164 where it can be) or an e-mail address, and what stands against using it.

    Attributes:
        confirmed: upstream's word that it is the client's. `unsaid`: this event says nothing of that; never so in a row.
        problem: why it can get no message whatever upstream says: of a number that gets no SMS, by `streams/intake/phones.py`.
        refused: a provider said that it takes no messages. It stays so until upstream has said `confirmed: false` (`withdrawn`)
            and then `confirmed: true` of it, or names another one.
    """

    address: str
    confirmed: bool
    problem: str | None = None
    refused: bool = False
    withdrawn: bool = False
    unsaid: bool = False

    @property
    def usable(self) -> bool:
        """Tell whether a message may go there."""
        return self.confirmed and self.problem is None and not self.refused


class KnownContact(Wire, frozen=True, kw_only=True):
    """What is known of how to reach a client; None is unknown, and unknown is off. `revision`: upstream's, where it has them."""

    organisation: str
    client: str
    sms: KnownAddress | None = None
    email: KnownAddress | None = None
    revision: Int64 | None = None


class KnownPerson(Wire, frozen=True, kw_only=True):
    """Somebody who acts for a client, as far as that can be used.

    Attributes:
        id: the organisation's own.
        notifications: the person's own word, and not off for a part that could not be understood.
        until: the local day from which on nothing is told; by then `sms` and `email` are forgotten.
        all: may be told of appointments that do not say who may be. `name_client`: may read how the client is called.
    """

    id: str
    role: Role
    notifications: bool = False
    channels: tuple[Channel, ...] = ()
    sms: KnownAddress | None = None
    email: KnownAddress | None = None
    language: str | None = None
    until: date | None = None
    all: bool = False
    name_client: bool = False


class KnownPeople(Wire, frozen=True, kw_only=True):
    """All who act for a client, in the order in which upstream lists them; `call_name`: how the client is called."""

    organisation: str
    client: str
    people: tuple[KnownPerson, ...] = ()
    call_name: str | None = None
    revision: Int64 | None = None


class Bounce(Wire, frozen=True):
    """A provider says that an address takes no messages. `mark` names it without saying it (`streams.notices.gates.mark_of`)."""

    channel: Channel
    mark: str


class Landed(Wire, frozen=True, kw_only=True):
    """A sender says what became of a message (`streams/README.md`, "A message flies").

    Attributes:
        became: `out`: it was sent, or nobody knows; `back`: surely nobody got it, and it can be decided anew; `lost`: it ended.
        unsure: `out`, and nobody knows whether it was sent.
        wordless: the ids of its notices that could not be worded.
        day: of a reminder that came back, its name. `days`: the names of others in its message. `request`: that came back.
        notices: of a message that had gone out, and surely did not arrive after all: the ids of its notices, and their kinds.
        channel: of a reminder or request that came back, by which it was to go.
    """

    message: str
    became: Became
    unsure: bool = False
    wordless: tuple[str, ...] = ()
    day: str | None = None
    days: tuple[str, ...] = ()
    request: Request | None = None
    notices: dict[str, str] = {}
    channel: Channel | None = None


class Erased(Wire, frozen=True):
    """The client is forgotten: nothing that was known stays, and what comes later is new.

    `appointments`: only these, which another partition of intake kept. None: everything. `person`: only what is of this one who
    acts for the client.
    """

    appointments: tuple[str, ...] | None = None
    person: str | None = None


class ClientEvent(Wire, frozen=True, kw_only=True):
    """One event of one client, or the settings of one organisation, or what it laid over them.

    `written`: of an appointment or a request, when upstream's record was, in milliseconds since 1970, for the metrics; else 0.
    `recipient`: of what a sender says, whose message or address it was (`schemas.keys`).
    """

    organisation: str
    client: str = ""
    recipient: str = ""
    written: Int64 = 0
    appointment: AppointmentEvent | None = None
    consent: Consent | None = None
    contact: KnownContact | None = None
    opt_out: OptOut | None = None
    settings: Organisation | None = None
    override: OrganisationOverride | None = None
    request: Request | None = None
    forget: ForgetKind | None = None
    bounce: Bounce | None = None
    erased: Erased | None = None
    outcome: Landed | None = None
    agenda: AgendaChange | None = None
    hold: Hold | None = None
    urgent: Urgent | None = None
    people: KnownPeople | None = None


class Forget(NamedTuple):
    """`forget` of an event, as one of its bodies."""

    what: ForgetKind


EventBody = (
    AppointmentEvent | Consent | KnownContact | OptOut | Organisation | OrganisationOverride | Request | Forget | Bounce | Erased
    | Landed | AgendaChange | Hold | Urgent | KnownPeople
)  # fmt: skip
"""What an event says: the one member that it has (`streams.processing.own_records.body_of`)."""
