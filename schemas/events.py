"""`client-events`: what intake found good, in one ordered log per client (key `organisation/client`).

An event has one of the members below: the last six. `settings` goes to every partition, keyed by organisation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .inputs import Consent, Contact, OptOut, Organisation, Request
from .wire import Wire

Forgotten = Literal["consent", "contact", "settings"]
"""What upstream deleted with a null value: it is unknown from then on, and unknown is off."""


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


class ClientEvent(Wire, frozen=True, kw_only=True):
    """One event of one client, or the settings of one organisation."""

    organisation: str
    client: str = ""
    appointment: AppointmentEvent | None = None
    consent: Consent | None = None
    contact: Contact | None = None
    opt_out: OptOut | None = None
    settings: Organisation | None = None
    request: Request | None = None
    forget: Forgotten | None = None
