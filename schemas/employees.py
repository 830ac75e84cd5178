"""`employees`: whether and how an employee hears of the own agenda; `employee-events`: what intake found of one, in order."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec

from .events import AppointmentEvent, Bounce, KnownAddress, KnownContact, Landed
from .inputs import Channel, Email, OptOut, Phone
from .keys import RecipientKey, employee_key
from .state import Agenda, Window
from .strict import about, whole
from .wire import EmployeeId, Input, Instant, Int64, OrganisationId, Wire

Level = Literal["all", "others", "soon", "none"]
"""Of which changes an employee hears: of all; not of what was all by the employee's own hand; of today and tomorrow; of none."""


class Employee(Input, frozen=True, kw_only=True):
    """`employees`, key `organisation//employee`: whether and how an employee hears of changes in the own agenda.

    It counts part by part: what cannot be used is unknown, and unknown is off. A null value: all of it is unknown.
    """

    organisation: OrganisationId
    employee: EmployeeId
    notifications: Annotated[
        Level,
        about("Of which changes: all; others: but the employee's own; soon: of today and tomorrow; none.", "others"),
    ]
    channels: Annotated[list[Channel], about("The channels that the employee wants, the preferred one first.", ["email"])]
    sms: Annotated[Phone | None, about("The number for SMS; null: unknown.", {"number": "06 12345678", "confirmed": True})] = None
    email: Annotated[
        Email | None, about("The e-mail address; null: unknown.", {"address": "verpleging@linde.example", "confirmed": True})
    ] = None
    language: Annotated[
        Annotated[str, whole("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", max_length=35)] | None,
        about("The employee's language (BCP 47); null: the organisation's first.", "nl"),
    ] = None
    revision: Annotated[Int64 | None, about("Of two that have one the lower is ignored; null: it counts as it comes.", 3)] = None


class KnownEmployee(Wire, frozen=True, kw_only=True):
    """What of an employee's record can be used; in the row also which channels were turned off, and by whom."""

    notifications: Level = "none"
    channels: tuple[Channel, ...] = ()
    sms: KnownAddress | None = None
    email: KnownAddress | None = None
    language: str | None = None
    revision: Int64 | None = None
    off: dict[Channel, str] = {}

    def contact(self, organisation: str) -> KnownContact:
        """Return how the employee can be reached."""
        return KnownContact(organisation=organisation, client="", sms=self.sms, email=self.email)


class EmployeeChange(Wire, frozen=True, kw_only=True):
    """A revision of an appointment as it now is for one who attends it (`present`), without anything of its clients.

    `own`: it is by this employee's hand. Who else it is by is not said.
    """

    appointment: AppointmentEvent
    own: bool = False


class EmployeeErased(Wire, frozen=True):
    """The employee is forgotten: nothing that was known stays. `appointments`: only these, which another partition kept."""

    appointments: tuple[str, ...] | None = None


class EmployeeEvent(Wire, frozen=True, kw_only=True):
    """`employee-events`, key `organisation//employee`: one thing of one employee; it has one of the members.

    `look`: settings or holds of the whole organisation changed, key `organisation`. `forget`: nothing is known of the employee.
    `written`: of an appointment, when upstream's record was, in milliseconds since 1970.
    """

    organisation: str
    employee: str = ""
    written: Int64 = 0
    change: EmployeeChange | None = None
    known: KnownEmployee | None = None
    forget: bool = False
    opt_out: OptOut | None = None
    bounce: Bounce | None = None
    outcome: Landed | None = None
    erased: EmployeeErased | None = None
    look: bool = False

    @property
    def key(self) -> RecipientKey:
        """Return the key of the employee."""
        return employee_key(self.organisation, self.employee)


class Look(NamedTuple):
    """`look` of an event, as one of its bodies."""


class ForgetEmployee(NamedTuple):
    """`forget` of an event, as one of its bodies."""


EmployeeBody = EmployeeChange | KnownEmployee | ForgetEmployee | OptOut | Bounce | Landed | EmployeeErased | Look
"""What an event says: the one member that it has (`streams.processing.own_records.employee_body`)."""


class EmployeeAgenda(Wire, frozen=True, kw_only=True):
    """All that is decided about one employee.

    Attributes:
        agenda: what is so, what was told, and what is on its way, as of a client. Its window is the digest's.
        others: appointments of which a revision by somebody else came since they were last told.
        urgent: since when, and until when, something of today or tomorrow is gathered.
        last: when the last digest went out.
    """

    agenda: Agenda = msgspec.field(default_factory=Agenda)
    others: tuple[str, ...] = ()
    urgent: Window | None = None
    last: Instant | None = None
