"""Read a snapshot of a client's agenda, part by part: one appointment that cannot be used leaves the others standing.

What cannot be used counts as there, so that a fault never cancels anything. Where not even its id can be read the snapshot
misses nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from schemas.agenda_snapshots import AgendaSnapshot, PolledAppointment
from schemas.events import View
from schemas.state import Polled
from schemas.wire import BadRecordError, Id, check, utc

from ..processing.caps import MOST_APPOINTMENTS
from ..processing.record_checks import instant
from .checks import OFF, chain_of, details_of, outcome_of, own_notify, times_of
from .details import with_usable_details
from .partial import placed
from .representatives import tell_of, without_bad_tell
from .tidying import tidied_appointment


class AgendaPart(NamedTuple):
    """A snapshot as far as it can be used.

    Attributes:
        appointments: what can be used of it, by the source's ids; `there`: all that it has, what cannot be used too.
        gone: what it says is cancelled.
        whole: it names all that it has: what is not there is missing.
    """

    organisation: str
    client: str
    begin: datetime
    end: datetime
    revision: int
    appointments: dict[str, Polled]
    there: frozenset[str]
    gone: frozenset[str]
    whole: bool

    def misses(self, known: Polled) -> bool:
        """Tell whether it would have an appointment, were it there."""
        return self.whole and self.begin <= known.start < self.end


def snapshot_part(plain: Any) -> tuple[AgendaPart, list[str]]:
    """Read a snapshot, and say what of it cannot be used. Raises BadRecordError where what stands around it is wrong."""
    if not isinstance(plain, dict):
        raise BadRecordError("Expected `object`")
    listed, named = _list(plain, "appointments", None), _list(plain, "gone", [])
    around = check(AgendaSnapshot, {**plain, "appointments": [], "gone": []})
    begin, end = instant(around.from_, "from"), instant(around.to, "to")
    if end <= begin:
        raise BadRecordError("it is not after `from` - at `$.to`")
    if len(listed) > MOST_APPOINTMENTS:
        raise BadRecordError(f"more than {MOST_APPOINTMENTS} appointments - at `$.appointments`")
    faults: list[str] = []
    found: dict[str, Polled | None] = {}
    whole = True
    for number, one in enumerate(listed):
        id_ = _id_of(one)
        whole = whole and id_ is not None
        try:
            one, unusable = with_usable_details(one)
            faults += [placed(fault, f"appointments[{number}]") for fault in unusable]
            if (unclear := without_bad_tell(one)) is not None:
                faults.append(f"{unclear} - at `$.appointments[{number}].tell`")
            polled = _polled(one)
            if id_ is None or found.get(id_, polled) != polled:
                raise BadRecordError("it is listed twice, in two ways - at `$.appointment`")
        except BadRecordError as error:
            polled = None
            faults.append(placed(str(error), f"appointments[{number}]"))
        if id_ is not None:
            found[id_] = polled
    gone: set[str] = set()
    for number, one in enumerate(named):
        try:
            id_ = check(Id, one)
            if id_ in found:
                raise BadRecordError("it is among the appointments, too")
            gone.add(id_)
        except BadRecordError as error:
            faults.append(placed(str(error), f"gone[{number}]"))
    usable = {id_: polled for id_, polled in found.items() if polled is not None}
    part = AgendaPart(
        around.organisation, around.client, begin, end, around.revision, usable, frozenset(found), frozenset(gone), whole
    )
    return part, faults


def _list(plain: dict[str, Any], name: str, default: list[Any] | None) -> list[Any]:
    found = plain.get(name, default)
    if found is None:
        raise BadRecordError(
            f"Object missing required field `{name}`" if name not in plain else f"Expected `array` - at `$.{name}`"
        )
    if not isinstance(found, list):
        raise BadRecordError(f"Expected `array` - at `$.{name}`")
    return found


def _id_of(plain: Any) -> str | None:
    """Return the id of an appointment, None where it cannot be read."""
    try:
        id_: str = check(Id, plain.get("appointment") if isinstance(plain, dict) else None)
    except BadRecordError:
        return None
    return id_


def _polled(plain: Any) -> Polled:
    """Return an appointment of a snapshot as its row has it. Raises BadRecordError."""
    one = check(PolledAppointment, tidied_appointment(plain))
    times = times_of(one.start, one.end, one.arrival)
    booked = one.status not in OFF
    outcome = outcome_of(one.status) if one.present else None
    place = one.location.name if one.location is not None else None
    remote, details = one.kind if one.kind != "on_site" else None, details_of(one)
    return Polled(
        booked=booked, present=one.present, outcome=outcome, replaces=chain_of(one.replaces),
        view=View(times.start, times.end, place, one.series, remote, times.arrival),
        notify=own_notify(one.notify, details), details=details, starts=utc(one.start) if times.arrival else None,
        tell=tell_of(one.tell),
    )  # fmt: skip
