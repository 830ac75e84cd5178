"""Notices of what is said of one client: their ids, and what they speak of in words and in instants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.events import View
from schemas.keys import RecipientKey
from schemas.known import Item, Member, Words
from schemas.notices import Kind, Notice, change_id

from .agenda import Decided
from .gathering import Statement
from .labels import label_in
from .matching import Change, Scene
from .words import start_of, view_of, words_of

SAME = "same"
"""`detail` of what changed in the books and not in words: others stand for it, or it stands where something is known."""


OUTCOME = "outcome"
"""`detail` of what changed before anybody was told, once it is known what became of it: the client came, or did not."""


class Writer(NamedTuple):
    """Makes notices of what is said to one recipient."""

    key: RecipientKey
    scene: Scene

    def decided(self, said: Statement, withheld: str | None) -> Decided:
        """Return a notice with its fate."""
        notice = self.notice(said)
        starts = [view.start for view in (notice.was, notice.now) if view is not None]
        return Decided(notice, withheld, min(starts))

    def notice(self, said: Statement) -> Notice:
        """Return the notice of what one sentence says."""
        first, kind, entries = said.changes[0].member, said.kind, self.scene.agenda.appointments
        return Notice(
            id=self._id(first, kind), kind=kind, day=min(said.changes[0].days), appointment=first.id,
            others=tuple([member.id for member in said.members[1:]]), was=self._was(first), now=self._now(first),
            members=said.members, label=label_in(entries.get(member.id) for member in said.members),
            weeks=said.rhythm.weeks if said.rhythm is not None else None,
            off=said.rhythm.off if said.rhythm is not None else (),
        )  # fmt: skip

    def silent(self, kind: Kind, ids: list[str], before: Mapping[str, Words], so: Mapping[str, Words], why: str) -> Decided:
        """Return the notice of what changed and needs no word."""
        words = so.get(ids[0]) or before[ids[0]]
        revision = self.scene.agenda.appointments[ids[0]].revision
        notice = Notice(
            id=change_id(self.key.organisation, self.key.told, ids[0], kind, revision, why), kind=kind, day=words.day,
            appointment=ids[0], others=tuple(ids[1:]),
        )  # fmt: skip
        return Decided(notice, why, start_of(words, self.scene.zone))

    def item(self, change: Change) -> Item:
        """Return what a change that is covered makes known."""
        return Item(words=change.first, ids=(change.member.id,), series=change.member.series, since=self.scene.now)

    def _id(self, member: Member, kind: str) -> str:
        """By appointment, kind and revision; where these were used already, or are of nothing that is so, by more."""
        entry = self.scene.agenda.appointments.get(member.id)
        item = self.scene.known.items.get(member.was) if member.was is not None else None
        more: tuple[str, ...] = ()
        if item is not None and member.was is not None and member.id not in item.ids:
            more = (item.notice or "", *member.was.order, member.was.until)
        elif entry is not None and entry.notice is not None and entry.noticed == entry.revision:
            more = (entry.notice,)
        revision = entry.revision if entry is not None else 0
        return change_id(self.key.organisation, self.key.told, member.id, kind, revision, *more)

    def _was(self, member: Member) -> View | None:
        """Return it as it was known, to the second where that is what it was told as."""
        if member.was is None:
            return None
        entry = self.scene.agenda.appointments.get(member.id)
        if entry is not None and entry.told is not None and words_of(entry.told, self.scene.zone).slot == member.was.slot:
            return View(entry.told.start, entry.told.end, member.was.place, member.series, member.was.kind)
        return view_of(member.was, self.scene.zone, member.series)

    def _now(self, member: Member) -> View | None:
        if member.now is None:
            return None
        actual = self.scene.agenda.appointments[member.id].actual
        return View(actual.start, actual.end, member.now.place, actual.series, member.now.kind, actual.arrival)
