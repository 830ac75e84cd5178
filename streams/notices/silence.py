"""What changed and is not said, with a record of why: the client is absent, `notify` says so, or nothing changed in words."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.deliveries import NOTIFY
from schemas.known import Member, Words
from schemas.notices import Kind

from .agenda import Decided
from .difference import differences
from .gathering import Statement
from .matching import Change, is_absent
from .words import kind_between, words_of
from .writer import OUTCOME, SAME, Writer


def is_free(said: Statement, soon: set[str] | None) -> bool:
    """Tell whether quiet hours do not hold it. `soon`: the days that they leave free, None where it is not quiet."""
    return soon is None or not soon.isdisjoint(said.changes[0].days)


def absent(
    writer: Writer, before: Mapping[str, Words], soon: set[str] | None
) -> tuple[list[Decided], bool]:  # fmt: skip
    """Return what would be told, were the client present, once for each revision; and whether quiet hours hold some of it.

    Or were it not for the appointment's `notify`.
    """
    scene, found, held = writer.scene, list[Decided](), False
    for id_, entry in scene.agenda.appointments.items():
        if entry.present or entry.silent == entry.revision:
            continue
        why = NOTIFY if id_ in scene.quiet else "absent"
        if why == NOTIFY and entry.outcome is not None:
            continue
        was, now = before.get(id_), words_of(entry.actual, scene.zone) if entry.booked else None
        kind = kind_between(was, now)
        if kind is None:
            continue
        said = Statement((Change(kind, Member(id_, was, now, entry.actual.series)),))
        if not is_free(said, soon):
            held = True
            continue
        found.append(writer.decided(said, "expired" if scene.is_past(said.changes[0].member) else why))
    return found, held


def same(writer: Writer, before: Mapping[str, Words], decided: list[Decided]) -> list[Decided]:
    """Return what changed and needs no word, a notice of each kind.

    It is where something is known, or others where it was, if only for an absent client; or it is known what became of it.
    """
    scene = writer.scene
    found = differences(scene, before)
    so = {id_: words for words, ids in scene.want.items() for id_ in ids}
    members = [member for one in decided for member in one.notice.members]
    for one in members:  # a cancellation of what it was told as before that says nothing of what it is
        if one.was == before.get(one.id) or one.now == so.get(one.id):
            found.pop(one.id, None)
    if not found:
        return []
    now, was = {member.now for member in members}, {member.was for member in members}
    spoken_of = {member.id for member in members}
    by_kind: dict[tuple[Kind, str], list[str]] = {}
    for id_, kind in sorted(found.items()):
        entry, words, old = scene.agenda.appointments[id_], so.get(id_), before.get(id_)
        is_there = words is None or words in scene.known.items or words in now
        item = scene.known.items.get(old) if old is not None else None
        is_gone = item is None or old in scene.want or old in was or is_absent(item, scene.agenda.appointments)
        is_gone = is_gone or (item is not None and not item.heard and not spoken_of.isdisjoint(item.ids))
        if (
            entry.present and is_there and (is_gone or entry.outcome is not None)
        ):  # an outcome is known at once, in quiet hours too
            by_kind.setdefault((kind, SAME if entry.outcome is None else OUTCOME), []).append(id_)
    return [writer.silent(kind, ids, before, so, why) for (kind, why), ids in by_kind.items()]
