"""What an organisation's settings say of appointments by their label, where the appointment does not say it itself."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import replace

from schemas.appointments import Notify
from schemas.events import Details, Hushed
from schemas.inputs import Organisation
from schemas.state import Agenda, AgendaEntry
from schemas.texts import Labels


def labels_of(organisation: Organisation | None) -> Labels:
    """Return what is other by label."""
    return (organisation.labels or {}) if organisation is not None else {}


def hushed_by(own: Notify | None, details: Details | None, labels: Labels) -> Hushed | None:
    """Return what alone may tell of an appointment first: its own word stands before its label's. None: any message."""
    label = labels.get(details.label) if own is None and details is not None and details.label is not None else None
    word = label.notify if label is not None and label.notify is not UNSET else own
    return None if word == "all" else word


def by_labels(agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return the agenda in which appointments that do not say it themselves are told of as their labels now say."""
    if all(entry.details is None for entry in agenda.appointments.values()):
        return agenda
    labels = labels_of(organisation)
    changed = {
        id_: replace(entry, notify=hushed)
        for id_, entry in agenda.appointments.items()
        if entry.details is not None and entry.details.label is not None
        if (hushed := hushed_by(entry.own_notify, entry.details, labels)) != entry.notify
    }
    return replace(agenda, appointments={**agenda.appointments, **changed}) if changed else agenda


def label_in(entries: Iterable[AgendaEntry | None]) -> str | None:
    """Return the label that all of these are of; None where they are of several, or one is of none."""
    labels = {entry.details.label if entry is not None and entry.details is not None else None for entry in entries}
    return labels.pop() if len(labels) == 1 else None
