"""`appointments`: what upstream says of one appointment (`schemas/README.md`)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .strict import about, bounds, whole
from .wire import LINE, MOST_EMPLOYEES, MOST_PEOPLE, ClientId, EmployeeId, Id, Input, Instant, Int64, OrganisationId, PersonId

Outcome = Literal["arrived", "fulfilled", "noshow"]
"""What became of an appointment, for one client: the client is there, was served, or did not come."""

AppointmentStatus = Literal["booked", "cancelled", "arrived", "fulfilled", "noshow", "entered-in-error"]

KindOfAppointment = Literal["on_site", "phone", "video", "home"]
"""How client and carer meet."""

Notify = Literal["all", "reminder", "none"]
"""What may tell a client of an appointment first: any message, its reminder alone, or none."""

Label = Annotated[Id | None, about("The type of the appointment, by the organisation's own id; null: none.", "intake")]

Kept = Literal["clients", "location", "times"]
"""What a revision of an appointment may leave as it was."""


class Location(Input, frozen=True, kw_only=True):
    """Where it is: a name only, never an address."""

    name: Annotated[
        str, bounds({"pattern": LINE}, min_length=1, max_length=200), about("The name, as clients know it.", "De Linde")
    ]


class Arrival(Input, frozen=True, kw_only=True):
    """Between when it begins for the client: when we come, call or expect the client. It lies within start and end."""

    from_: Annotated[Instant, about("From when on.", "2026-12-02T12:00:00+01:00")] = msgspec.field(name="from")
    until: Annotated[Instant, about("Until when; not before `from`.", "2026-12-02T14:00:00+01:00")]


Tell = Annotated[
    Annotated[list[PersonId], msgspec.Meta(max_length=MOST_PEOPLE)] | UnsetType | None,
    about("Who of `representatives` may be told of it; none: the client alone; null: those who may be told of all.", ["moeder"]),
]


class Attendee(Input, frozen=True, kw_only=True):
    """A client on an appointment. `present: false` keeps the appointment and says nothing about it.

    `outcome`: of one client of a group; without one the appointment's own status stands. `tell`: who else is told of it.
    """

    client: ClientId
    present: Annotated[bool, about("Whether the client is expected; false tells the client nothing of it.", True)]
    outcome: Annotated[Outcome | None, about("What became of it for this client; null: the appointment's status.", "noshow")] = (
        None
    )
    tell: Tell = UNSET


class AttendingEmployee(Input, frozen=True, kw_only=True):
    """An employee on an appointment. `attending: false` keeps the appointment and says nothing about it."""

    employee: EmployeeId
    attending: Annotated[bool, about("Whether the employee comes; false tells the employee nothing of it.", True)]


AttendingEmployees = Annotated[
    Annotated[list[AttendingEmployee], msgspec.Meta(max_length=MOST_EMPLOYEES)] | UnsetType | None,
    about("Whose agendas it stands in: at most 50; null: nobody's.", [{"employee": "m-204", "attending": True}]),
]

Author = Annotated[
    EmployeeId | UnsetType | None,
    about("Which employee made this revision; null: it is not known, and counts as somebody else.", "m-204"),
]

Practitioner = Annotated[
    Annotated[str, bounds({"pattern": LINE}, min_length=1, max_length=100)] | None,
    about("Whom it is with: a name. Only the reminder says it, where the organisation wants that.", "Anna de Vries"),
]  # fmt: skip

Instructions = Annotated[
    Annotated[str, bounds({"pattern": LINE}, min_length=1, max_length=160)] | None,
    about("One line to prepare by, without links. Only an e-mailed reminder says it, where the organisation wants that.",
          "Neem uw medicijnen mee."),
]  # fmt: skip

Link = Annotated[
    Annotated[str, whole("https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?([/?#][!#-;=?-~]*)?", max_length=500)] | None,
    about("Where more is, or a video call. Only an e-mailed reminder says it, of a host in the organisation's `link_hosts`.",
          "https://video.linde.example/a-77"),
]  # fmt: skip


Series = Annotated[
    Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None, about("What repeated appointments share.", "s-12")
]

ArrivalTime = Annotated[
    Arrival | None,
    about("Between when it begins for the client. All that is said and compared is this, and neither start nor end; null: those.",
          {"from": "2026-12-02T12:00:00+01:00", "until": "2026-12-02T14:00:00+01:00"}),
]  # fmt: skip


class Appointment(Input, frozen=True, kw_only=True):
    """`appointments`, key `organisation/appointment`: the whole appointment as it is at this revision.

    A cancelled one may leave out `start`, `end`, `location` and `clients`: those of the last revision count. So may one that says
    who came (`arrived`, `fulfilled`, `noshow`), if there is a last revision, and any one what `keep` names. `replaces`: the id of
    the appointment in whose place this one was made, or some, the likeliest first; what is told of it then starts there.
    `employees` that a cancelled one leaves out are those of the last revision, too.
    """

    organisation: OrganisationId
    appointment: Annotated[Id, about("The appointment.", "a-77")]
    revision: Annotated[Int64, about("Higher for each change; one that is not higher is ignored.", 3)]
    status: Annotated[
        AppointmentStatus,
        about("Whether it takes place; whether the client came, was served or stayed away; or that it never was.", "booked"),
    ]
    start: Annotated[Instant | None, about("When it starts.", "2026-12-02T13:15:00+01:00")] = None
    end: Annotated[Instant | None, about("When it ends; not before its start.", "2026-12-02T14:15:00+01:00")] = None
    arrival: ArrivalTime = None
    location: Annotated[Location | None, about("Where it is; null: not said.", {"name": "De Linde"})] = None
    kind: Annotated[
        KindOfAppointment | None,
        about("How client and carer meet; null: on site. Only of what is on site a place is said.", "phone"),
    ] = None
    notify: Annotated[
        Notify | None,
        about("What may tell the client of it first; null: all. What was told is kept right all the same.", "reminder"),
    ] = None
    label: Label = None
    practitioner: Practitioner = None
    instructions: Instructions = None
    link: Link = None
    series: Series = None
    clients: Annotated[list[Attendee] | None, about("Whom it is with: at most 1,000.", [{"client": "anna", "present": True}])] = (
        None
    )
    replaces: Annotated[
        Id | Annotated[list[Id], msgspec.Meta(max_length=10)] | None,
        about("The appointments in whose place it was made, the likeliest first.", "a-12", ["a-12", "a-13"]),
    ] = None
    keep: Annotated[
        list[Kept],
        about("What is not told here and stays as it is at the last revision; without one it is refused.", ["location"]),
    ] = []
    order: Annotated[Int64, about("Of two records of one revision the higher one counts.", 0)] = 0
    employees: AttendingEmployees = UNSET
    author: Author = UNSET
