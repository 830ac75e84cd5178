"""Reminders that are due, decided: each by itself, and those that go out in one message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from schemas.deliveries import SAME_ADDRESS
from schemas.inputs import Organisation
from schemas.reminded import Due
from schemas.state import Agenda

from .agenda import Decided
from .client_turn import ClientTurn
from .due_moments import remembered
from .flights import message_of
from .holds import not_before
from .messages import emit_message
from .notify import made_known
from .reminders import left_out, remind


def decide_reminders(
    client: ClientTurn, agenda: Agenda, organisation: Organisation, due: Iterable[Due], since: datetime
) -> Agenda:  # fmt: skip
    """Decide what is due since then, and emit it. The agenda remembers that, whatever becomes of it."""
    zone, now, going, elsewhere = organisation.time_zone, client.now, list[Decided](), client.elsewhere
    for one in due:
        found, went = remind(client.whose, agenda, organisation, one.day, since, now), None
        if found is not None:
            notice = found.notice
            withheld = found.withheld or client.eligibility.closed_gate
            if withheld is None and elsewhere and elsewhere.issuperset(notice.appointments):
                withheld = SAME_ADDRESS
            withheld = withheld or left_out(agenda, one, zone, notice.appointments, now)
            decided = Decided(notice, withheld, notice.now.start if notice.now is not None else since)
            client.decision.count("reminders", str(one.place), withheld or "passed")
            if withheld is None:
                going.append(decided)
                agenda, went = made_known(agenda, notice, zone, now), now
            else:
                _emit(client, agenda, [decided], since)
        agenda = remembered(agenda, one, went)
    if going:
        _emit(client, agenda, going, since)
    return agenda


def _emit(client: ClientTurn, agenda: Agenda, decided: list[Decided], since: datetime) -> None:
    due = not_before(client.settings, since)
    emit_message(client, "reminder", message_of(agenda, decided), decided, client.eligibility, due)
