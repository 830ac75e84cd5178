"""Places that an organisation has none said (`say.location`): its appointments then are as those without a place."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import View
from schemas.inputs import Organisation
from schemas.state import Agenda


class Placed(NamedTuple):
    """An appointment as it is for its client, and its place where that is not said."""

    view: View
    unsaid: str | None


def says_places(organisation: Organisation | None) -> bool:
    """Tell whether messages name places."""
    return organisation is None or organisation.says_places


def placed(view: View, unsaid: str | None, *, says: bool) -> Placed:
    """Return an appointment with its place where that is said, else without it; `unsaid`: the one that it had."""
    if says:
        return Placed(replace(view, location=unsaid) if unsaid is not None and view.location is None else view, None)
    return Placed(replace(view, location=None), view.location) if view.location is not None else Placed(view, unsaid)


def by_places(agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return the agenda with places, or without, as the organisation's settings now are."""
    says = says_places(organisation)
    changed = {}
    for id_, entry in agenda.appointments.items():
        if (entry.unsaid_place if says else entry.actual.location) is not None:
            view, unsaid = placed(entry.actual, entry.unsaid_place, says=says)
            changed[id_] = replace(entry, actual=view, unsaid_place=unsaid)
    return replace(agenda, appointments={**agenda.appointments, **changed}) if changed else agenda
