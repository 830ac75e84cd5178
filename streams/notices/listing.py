"""What waits in a hold, as others hear of it: the topic `held`, and the question whether what is near may go."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.events import ClientEvent
from schemas.held import HeldRecord
from schemas.holds import HoldRow, Urgent
from schemas.state import Agenda, SettingsRow
from schemas.topics import CLIENT_EVENTS, HELD
from schemas.wire import encode

from ..processing.turn import Output
from .client_turn import ClientTurn
from .holds import Held

HOLDS = ("began", "ended", "silenced", "changed")
"""What becomes of an organisation's hold, for the metrics."""

ANSWERS = ("granted", "refused")
"""To the question whether messages of days that are near may go in a hold."""


def what_became(old: HoldRow | None, new: HoldRow) -> str:
    """Name what a record of `holds` did."""
    was_on = old is not None and old.notices
    if new.notices and not was_on:
        return "began"
    if was_on and not new.notices:
        return "silenced" if old is not None and new.silent != old.silent else "ended"
    return "changed"


def is_meant(settings: SettingsRow | None, answer: Urgent) -> bool:
    """Tell whether an answer is of the hold that is on."""
    hold = settings.hold if settings is not None else None
    return hold is not None and hold.notices and hold.at == answer.at


def listed(turn: ClientTurn, agenda: Agenda, held: Held) -> Agenda:
    """Return the agenda with what waits. Say what of that would go out; of days that are near, ask whether it may."""
    eligibility, hold = turn.eligibility, turn.settings.hold if turn.settings is not None else None
    waiting = held.waiting
    if eligibility.closed_gate is not None or eligibility.channel is None or not held.messages:
        agenda = replace(agenda, waiting=waiting)
        unlist(turn, agenda)
        return replace(agenda, waiting=replace(waiting, listed=False))
    record = HeldRecord(
        organisation=turn.key.organisation, client=turn.key.client, at=turn.now, channel=eligibility.channel,
        messages=tuple(held.messages), near=held.near, until=held.until, recipient=turn.recipient,
    )  # fmt: skip
    turn.decision.emit(Output(HELD.name, turn.whose.encoded, encode(record), turn.partition, HELD.headers))
    asks = held.near > 0 and not waiting.asked and not waiting.refused
    if asks and hold is not None and hold.at is not None:
        question = ClientEvent(
            organisation=turn.key.organisation,
            urgent=Urgent(client=turn.key.client, at=hold.at, messages=held.near, recipient=turn.recipient),
        )
        turn.decision.emit(Output(CLIENT_EVENTS.name, turn.key.organisation.encode(), encode(question)))
    return replace(agenda, waiting=replace(waiting, listed=True, asked=waiting.asked or asks))


def unlist(turn: ClientTurn, agenda: Agenda) -> None:
    """Say that nothing of a client waits any more, where something did."""
    if agenda.waiting is not None and agenda.waiting.listed:
        turn.decision.emit(Output(HELD.name, turn.whose.encoded, None, turn.partition))
