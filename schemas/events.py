"""`client-events`: what intake found good, in one ordered log per client (key `organisation/client`).

An event has one of the members below. `settings` and `override` go to every partition, keyed by organisation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .inputs import Channel, Consent, OptOut, Organisation, OrganisationOverride, Request
from .wire import Wire

Forgotten = Literal["consent", "contact", "settings", "override"]
"""What was deleted with a null value: it is unknown from then on, and unknown is off. Without an override upstream's counts."""


class View(Wire, frozen=True):
    """When and where an appointment is, as one client sees it; or what the client was told of it. Instants are UTC."""

    start: datetime
    end: datetime
    location: str | None = None
    series: str | None = None


class AppointmentEvent(Wire, frozen=True, kw_only=True):
    """An appointment as it now is for this client. `deleted` orders a deletion after the revision that it deletes."""

    appointment: str
    revision: int
    deleted: bool = False
    booked: bool
    present: bool
    view: View


class KnownAddress(Wire, frozen=True, kw_only=True):
    """A number (E.164 where it can be) or an e-mail address, and what stands against using it.

    Attributes:
        confirmed: upstream's word that it is the client's.
        problem: why it can get no message whatever upstream says: of a number that gets no SMS, by `streams/phones.py`.
        refused: a provider said that it takes no messages. It stays so until upstream has said `confirmed: false` (`withdrawn`)
            and then `confirmed: true` of it, or names another one.
    """

    address: str
    confirmed: bool
    problem: str | None = None
    refused: bool = False
    withdrawn: bool = False

    @property
    def usable(self) -> bool:
        """Whether a message may go there."""
        return self.confirmed and self.problem is None and not self.refused


class KnownContact(Wire, frozen=True, kw_only=True):
    """What is known of how to reach a client; None is unknown, and unknown is off."""

    organisation: str
    client: str
    sms: KnownAddress | None = None
    email: KnownAddress | None = None


class Bounce(Wire, frozen=True):
    """A provider says that an address takes no messages. `mark` names it without saying it (`streams.gates.mark_of`)."""

    channel: Channel
    mark: str


class Erased(Wire, frozen=True):
    """The client is forgotten: nothing that was known stays, and what comes later is new.

    `appointments`: only these, which another partition of intake kept. None: everything.
    """

    appointments: tuple[str, ...] | None = None


class ClientEvent(Wire, frozen=True, kw_only=True):
    """One event of one client, or the settings of one organisation, or what it laid over them.

    `written`: of an appointment or a request, when upstream's record was, in milliseconds since 1970, for the metrics; else 0.
    """

    organisation: str
    client: str = ""
    written: int = 0
    appointment: AppointmentEvent | None = None
    consent: Consent | None = None
    contact: KnownContact | None = None
    opt_out: OptOut | None = None
    settings: Organisation | None = None
    override: OrganisationOverride | None = None
    request: Request | None = None
    forget: Forgotten | None = None
    bounce: Bounce | None = None
    erased: Erased | None = None
