"""The part of notices that takes in third parties' messages, and decides them."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.deliveries import TOO_MANY
from schemas.inputs import Request
from schemas.notices import message_id
from schemas.state import Agenda, Pending

from ..processing.caps import Capped, capped_request, capped_waiting, set_aside_capped
from ..processing.local_time import EPOCH, KEPT
from ..processing.turn import Record
from .agenda import Decided, pruned, seconds_since
from .client_turn import ClientTurn
from .clients import Clients
from .flights import message_of
from .gates import Eligibility
from .holds import holds_party
from .messages import emit_message, request_notice
from .quiet_hours import quiet_until

NO_CHANNEL = Eligibility(None, None)
"""Of a message that is withheld whatever the gates say."""


class Requests(Clients):
    """Third parties' messages to the clients of a partition."""

    def _take_request(self, client: ClientTurn, record: Record, request: Request, written: int) -> None:
        """Let a third party's message wait for its moment; a known one is ignored, one too many is set aside."""
        agenda, now = client.agenda, client.now
        name = f"{request.party}/{request.request}"
        if name in agenda.seen or name in agenda.requests:
            return
        if capped_request(agenda) is not None:
            agenda = pruned(agenda, client.zone, now)
        if (cap := capped_request(agenda)) is not None:
            self._refuse_request(client, record, request, cap)
            return
        due = max(now, request.send_at) if request.send_at is not None else now
        agenda = replace(agenda, requests={**agenda.requests, name: Pending(request, due)})
        if due <= now:
            since = max(now - timedelta(seconds=seconds_since(written, now)), request.send_at or EPOCH)
            agenda = self._decide_request(client, agenda, name, since)
        if name in agenda.requests and (cap := capped_waiting(agenda)) is not None:
            self._refuse_request(client, record, request, cap)
            return
        self.keep(client, agenda)

    def _refuse_request(self, client: ClientTurn, record: Record, request: Request, cap: Capped) -> None:
        """Set aside a request that is one too many; whoever asks what became of it is told by the log."""
        one = Decided(request_notice(request), TOO_MANY, client.now)
        emit_message(client, "request", message_id([one.notice.id]), [one], NO_CHANNEL, client.now)
        set_aside_capped(client.decision, record, cap)

    def _decide_request(self, client: ClientTurn, agenda: Agenda, name: str, since: datetime) -> Agenda:
        """Decide a request, unless quiet hours hold it. `since`: from when on it could have been decided."""
        request, now = agenda.requests[name].request, client.now
        if holds_party(client.settings, request.party):
            return agenda
        late = request.expires_at is not None and now > request.expires_at
        if not late and (until := quiet_until(client.organisation, now)) is not None:
            return replace(agenda, requests={**agenda.requests, name: Pending(request, until)})
        one = [Decided(request_notice(request), "expired" if late else client.eligibility.closed_gate, now)]
        emit_message(client, "request", message_of(agenda, one), one, client.eligibility, since, request)
        return replace(
            agenda,
            requests={other: pending for other, pending in agenda.requests.items() if other != name},
            seen={**agenda.seen, name: max(now, request.expires_at or now) + KEPT},
        )
