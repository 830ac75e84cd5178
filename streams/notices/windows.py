"""The end of a window: what was gathered for a recipient is decided.

What came while an organisation's notifications were off is decided by that, in a window of its own, and in quiet hours too. So an
organisation is loaded, and switched on without a flood before its windows have closed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.inputs import Organisation
from schemas.keys import recipient_of
from schemas.state import Agenda, Window

from .agenda import pruned
from .client_turn import ClientTurn
from .clients import Clients
from .closing import close, hold_back, not_these
from .flights import message_of
from .holds import not_to_be_said
from .listing import listed, unlist
from .messages import emit_message


class Windows(Clients):
    """The windows of the recipients of one partition."""

    def _close(self, client: ClientTurn, agenda: Agenda, due: datetime, *, urgent: bool = False) -> Agenda:
        """End the window now; it was to end at `due`. `urgent`: in a hold, what is of days that are near may go."""
        if agenda.window is not None:
            due -= timedelta(seconds=agenda.window.late)
        organisation, eligibility = client.organisation, client.eligibility
        if organisation is not None and is_off(agenda):
            organisation = replace(organisation, quiet_hours=None)
            eligibility = eligibility._replace(closed_gate=eligibility.closed_gate or "organisation_off")
        agenda = pruned(agenda, client.zone, client.now)
        if client.holds and not urgent and (held := hold_back(client.whose, agenda, organisation, client.now)) is not None:
            return listed(client, replace(agenda, window=None, held_until=None), held)
        old, hushed = agenda, not_to_be_said(agenda, client.settings)
        agenda, messages, held = close(
            client.whose, agenda, organisation, eligibility, client.now, not_these(hushed),
            hold=client.holds, elsewhere=client.elsewhere,
        )  # fmt: skip
        for one in messages:
            emit_message(client, "direct", message_of(agenda, one), one, eligibility, due)
        if held is not None:
            return listed(client, agenda, held)
        unlist(client, old)
        return agenda

    def _settled(self, client: ClientTurn) -> Agenda:
        """Return the client's agenda; where notifications are on, and were not, what came meanwhile has been decided."""
        agenda = client.agenda
        if client.organisation is None or not client.organisation.notifications or not _was_off(agenda):
            return agenda
        for turn in (client, *[client.of(recipient_of(id_)) for id_ in agenda.people]):
            if is_off(view := turn.agenda) and not view.flight:
                self.keep(turn, self._close(turn, view, client.now))
        return client.agenda


def is_off(agenda: Agenda) -> bool:
    """Tell whether all that waits for a recipient came while notifications were off."""
    return agenda.window is not None and agenda.window.off and agenda.held_until is None


def _was_off(agenda: Agenda) -> bool:
    windows = (agenda.window, *[own.window for own in agenda.people.values()])
    return any(window is not None and window.off for window in windows)


def marked(old: Agenda, agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return an agenda after a change, with those windows marked that it opened while notifications are off.

    One that could not be ended, for a message flies, and has something of now, is marked no more.
    """
    off = organisation is not None and not organisation.notifications
    if agenda.window is not None and agenda.window is not old.window:
        agenda = replace(agenda, window=_with_mark(old.window, agenda.window, off=off))
    people = {
        id_: replace(own, window=_with_mark(before, own.window, off=off))
        for id_, own in agenda.people.items()
        if own.window is not None and own.window is not (before := old.people[id_].window if id_ in old.people else None)
    }
    return replace(agenda, people={**agenda.people, **people}) if people else agenda


def _with_mark(old: Window | None, window: Window, *, off: bool) -> Window:
    marks = off and (old is None or old.off)
    return replace(window, off=marks) if window.off != marks else window
