"""The end of a window: what was gathered for a recipient is decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.state import Agenda

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
        agenda = pruned(agenda, client.zone, client.now)
        if client.holds and not urgent and (held := hold_back(client.whose, agenda, client.organisation, client.now)) is not None:
            return listed(client, replace(agenda, window=None, held_until=None), held)
        old, hushed = agenda, not_to_be_said(agenda, client.settings)
        agenda, messages, held = close(
            client.whose, agenda, client.organisation, client.eligibility, client.now, not_these(hushed),
            hold=client.holds, elsewhere=client.elsewhere,
        )  # fmt: skip
        for one in messages:
            emit_message(client, "direct", message_of(agenda, one), one, client.eligibility, due)
        if held is not None:
            return listed(client, agenda, held)
        unlist(client, old)
        return agenda
