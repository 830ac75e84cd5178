"""`agenda-snapshots`: what a source that can only be polled has of one client."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET

from .appointments import (
    AppointmentStatus,
    ArrivalTime,
    Instructions,
    KindOfAppointment,
    Label,
    Link,
    Location,
    Notify,
    Practitioner,
    Series,
    Tell,
)
from .strict import about
from .wire import ClientId, Id, Input, Instant, Int64, OrganisationId


class PolledAppointment(Input, frozen=True, kw_only=True):
    """One appointment of a client in a snapshot of the agenda, as in `appointments`; whose it is stands around it."""

    appointment: Annotated[Id, about("The appointment, by the source's own id.", "77@2026-12-02")]
    status: Annotated[
        AppointmentStatus,
        about("As in `appointments`.", "booked"),
    ] = "booked"
    start: Annotated[Instant, about("When it starts.", "2026-12-02T13:15:00+01:00")]
    end: Annotated[Instant, about("When it ends; not before its start.", "2026-12-02T14:15:00+01:00")]
    arrival: ArrivalTime = None
    location: Annotated[Location | None, about("Where it is; null: not said.", {"name": "De Linde"})] = None
    series: Series = None
    present: Annotated[bool, about("Whether the client is expected; false tells the client nothing of it.", True)] = True
    tell: Tell = UNSET
    notify: Annotated[Notify | None, about("As in `appointments`.", "reminder")] = None
    kind: Annotated[KindOfAppointment | None, about("As in `appointments`.", "phone")] = None
    label: Label = None
    practitioner: Practitioner = None
    instructions: Instructions = None
    link: Link = None
    replaces: Annotated[
        Id | Annotated[list[Id], msgspec.Meta(max_length=10)] | None,
        about("The appointments of snapshots in whose place it was made, the likeliest first.", "76@2026-12-02"),
    ] = None


class AgendaSnapshot(Input, frozen=True, kw_only=True):
    """`agenda-snapshots`, key `organisation/client`: what a source that can only be polled has of a client, from when until when.

    What is missing is doubted first, and cancelled when a later snapshot misses it too, or at once where `gone` names it.
    """

    organisation: OrganisationId
    client: ClientId
    from_: Annotated[Instant, about("It has all that start then or later …", "2026-12-01T00:00:00+01:00")] = msgspec.field(
        name="from"
    )
    to: Annotated[Instant, about("… and before then.", "2027-03-01T00:00:00+01:00")]
    revision: Annotated[Int64, about("Higher for each snapshot of the client; one that is not higher is ignored.", 1764230400000)]
    appointments: Annotated[
        list[PolledAppointment],
        about("All of them, each as it is.", [
            {"appointment": "77@2026-12-02", "start": "2026-12-02T13:15:00+01:00", "end": "2026-12-02T14:15:00+01:00"}
        ]),
    ]  # fmt: skip
    gone: Annotated[list[Id], about("Those of which the source knows that they are cancelled.", ["76@2026-12-02"])] = []
