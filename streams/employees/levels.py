"""Of which changes an employee hears (`streams/README.md`, "Employees"), and the other gates."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from schemas.deliveries import NOT_SOON, OWN
from schemas.employees import KnownEmployee, Level
from schemas.inputs import Consent, Organisation
from schemas.state import OptOuts

from ..notices.closing import Unsaid
from ..notices.gates import ClientFacts
from ..notices.matching import Change, Scene
from .digest import soon_days


def facts_of(known: KnownEmployee | None, organisation: str, settings: Organisation | None) -> ClientFacts:
    """Return what the gates look at of an employee; of whom nothing is known, that one wants nothing."""
    known = known or KnownEmployee()
    wish = Consent(
        organisation=organisation, client="", notifications=known.notifications != "none", channels=list(known.channels),
        language=known.language,
    )  # fmt: skip
    return ClientFacts(wish, known.contact(organisation), OptOuts(known.off), for_employees(settings), off="employee_off")


def for_employees(settings: Organisation | None) -> Organisation | None:
    """Return an organisation's settings as they are for its employees: it is told apart whether these get messages."""
    return replace(settings, notifications=settings.tells_employees) if settings is not None else None


def unsaid(level: Level, others: Collection[str]) -> Unsaid | None:
    """Return what is left out for an employee. `others`: the appointments that somebody else revised since they were told."""
    if level == "soon":
        return _not_soon
    if level == "others":
        return lambda change, scene: None if _is_by_others(change, scene, others) else OWN
    return None


def _not_soon(change: Change, scene: Scene) -> str | None:
    return NOT_SOON if change.days.isdisjoint(soon_days(scene.zone, scene.now)) else None


def _is_by_others(change: Change, scene: Scene, others: Collection[str]) -> bool:
    """Tell whether somebody else revised any of what a change is of."""
    was, now = change.member.was, change.member.now
    item = scene.known.items.get(was) if was is not None else None
    ids = {change.member.id, *(item.ids if item is not None else ()), *(scene.want.get(now, ()) if now is not None else ())}
    return not ids.isdisjoint(others)
