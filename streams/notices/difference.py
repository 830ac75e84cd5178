"""What of each appointment a client does not know yet: for whoever asks why nothing was said, and for the records of silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from schemas.known import Words
from schemas.notices import Kind
from schemas.state import Agenda

from .known import known_of
from .matching import Scene, scene_of
from .words import kind_between, words_of


def differences(scene: Scene, before: Mapping[str, Words]) -> dict[str, Kind]:
    """Return by appointment what it is other than it was known as, whoever else is there. `before`: by id, as it was known."""
    now = {id_: words for words, ids in scene.want.items() for id_ in ids}
    found: dict[str, Kind] = {}
    for id_, entry in scene.agenda.appointments.items():
        words = now.get(id_)
        if words is None and entry.booked and not entry.present:
            words = words_of(entry.actual, scene.zone)
        was = before.get(id_)
        if was != words and (kind := kind_between(was, words)) is not None:
            found[id_] = kind
    return found


def untold(agenda: Agenda, zone: str, now: datetime) -> dict[str, Kind]:
    """Return by appointment what has to be told of it, or would have to were the client present."""
    known = known_of(agenda, zone, now)
    scene = scene_of(agenda, known, zone, now)
    before, joined = known.item_of, scene.known.item_of
    so = {id_: words for words, ids in scene.want.items() for id_ in ids}
    found = differences(scene, before)
    return {
        id_: kind
        for id_, kind in found.items()
        if not (so.get(id_) in scene.known.items or (id_ not in joined and before.get(id_) in scene.want))
    }
