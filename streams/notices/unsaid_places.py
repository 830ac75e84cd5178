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


def says_places_to_others(organisation: Organisation | None) -> bool:
    """Tell whether messages to those who act for a client name places; where nothing is known they do not."""
    return organisation is not None and organisation.says_places_to_others


def placed(view: View, unsaid: str | None, *, says: bool) -> Placed:
    """Return an appointment with its place where that is said, else without it; `unsaid`: the one that it had."""
    if says:
        return Placed(replace(view, location=unsaid) if unsaid is not None and view.location is None else view, None)
    return Placed(replace(view, location=None), view.location) if view.location is not None else Placed(view, unsaid)


def by_places(agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return the agenda with places, or without, as the organisation's settings now are."""
    says = says_places(organisation)
    entries = agenda.appointments
    if says:
        other = [id_ for id_, entry in entries.items() if entry.unsaid_place is not None]
    else:
        other = [id_ for id_, entry in entries.items() if entry.actual.location is not None]
    if not other:
        return agenda
    changed = {}
    for id_ in other:
        view, unsaid = placed(entries[id_].actual, entries[id_].unsaid_place, says=says)
        changed[id_] = replace(entries[id_], actual=view, unsaid_place=unsaid)
    return replace(agenda, appointments={**entries, **changed})
