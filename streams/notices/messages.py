"""Decided notices as what leaves the node: a delivery for a sender, or a record of why there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from msgspec import UNSET

from schemas.deliveries import ERASED, NO_REST, Delivery, LoggedItem, LoggedNotice, LogRecord, Reason, Status
from schemas.inputs import Channel, Organisation, Request
from schemas.keys import CLIENT, RecipientKey
from schemas.languages import Language
from schemas.notices import Notice, request_id
from schemas.state import Flying
from schemas.topics import DELIVERIES
from schemas.wire import encode

from ..processing.log_records import emit_record, start_of, template_of
from ..processing.turn import Decision, Output
from .agenda import Decided
from .gates import Eligibility


class Told(Protocol):
    """Whom messages are for, and the decision that is being made."""

    decision: Decision
    partition: int
    now: datetime
    whose: RecipientKey
    organisation: Organisation | None

    @property
    def language(self) -> Language | None:
        """Return in which language a message is worded."""


def emit_message(
    turn: Told, reason: Reason, message: str, decided: list[Decided], eligibility: Eligibility, due: datetime,
    request: Request | None = None,
) -> None:  # fmt: skip
    """Emit one message, of notices that go out or are withheld alike: each ends in the delivery log, by its sender or here.

    `message`: its id. `due`: when it would have been decided, had nothing taken any time.
    """
    notices, withheld, whose = tuple([one.notice for one in decided]), decided[0].withheld, turn.whose
    for notice in notices:
        turn.decision.count("decided", notice.kind, withheld or "passed")
    if withheld is None and eligibility.channel is not None:
        _hand_out(turn, Delivery(
            message=message, **turn.whose._asdict(),
            channel=eligibility.channel, reason=reason, decided=turn.now, due=due, notices=notices, request=request,
            language=turn.language,
            useful_until=request.expires_at if request is not None else _useful_until(notices),
        ))  # fmt: skip
        return
    status: Status = "expired" if withheld == "expired" else "suppressed"
    record = LogRecord(
        message=message, organisation=whose.organisation, client=whose.client, channel=eligibility.channel, reason=reason,
        status=status, detail=withheld if status == "suppressed" else None, at=turn.now, notices=logged(notices, whose.recipient),
        template=template_of(turn.organisation, eligibility.channel, notices, turn.language, whose.recipient),
        start=start_of(notices) if withheld != ERASED else None, recipient=whose.recipient or UNSET,
    )  # fmt: skip
    emit_record(turn.decision, turn.partition, record)


def emit_again(turn: Told, message: str, flying: Flying) -> None:
    """Emit the delivery of a message that flies once more: its sender answers what became of it."""
    _hand_out(turn, Delivery(
        message=message, **turn.whose._asdict(),
        channel=flying.channel, reason="direct", decided=flying.since, language=turn.language, notices=flying.notices,
        useful_until=_useful_until(flying.notices),
    ))  # fmt: skip


def emit_given_up(
    turn: Told, message: str, reason: Reason, channel: Channel | None, notices: tuple[Notice, ...]
) -> None:  # fmt: skip
    """Log the end of a message that came back once too often: it counts as said, so that this does not go on for ever."""
    turn.decision.count("no_rest")
    record = LogRecord(
        message=message, organisation=turn.whose.organisation, client=turn.whose.client, channel=channel, reason=reason,
        status="failed", detail=NO_REST, at=turn.now, notices=logged(notices, turn.whose.recipient), start=start_of(notices),
        recipient=turn.whose.recipient or UNSET,
    )  # fmt: skip
    emit_record(turn.decision, turn.partition, record)


def _hand_out(turn: Told, delivery: Delivery) -> None:
    turn.decision.emit(Output(DELIVERIES[delivery.channel].name, turn.whose.of_topics.encode(), encode(delivery), turn.partition))


def _useful_until(notices: tuple[Notice, ...]) -> datetime:
    return max([view.start for notice in notices for view in (notice.was, notice.now) if view is not None])


def request_notice(request: Request) -> Notice:
    """Return a third party's message as a notice."""
    return Notice(id=request_id(request.organisation, request.client, request.party, request.request), kind="request")


def logged(notices: tuple[Notice, ...], recipient: str = CLIENT) -> tuple[LoggedNotice, ...]:
    """Return notices as the delivery log names them; of those to others than the client with what each tells."""
    return tuple(
        LoggedNotice(
            id=one.id, kind=one.kind, appointment=one.appointment, others=one.others, items=_items(one) if recipient else ()
        )
        for one in notices
    )


def _items(notice: Notice) -> tuple[LoggedItem, ...]:
    """Return what a notice tells of its first appointment, of which it has the times."""
    view = notice.now or notice.was
    if view is None or notice.appointment is None:
        return ()
    return (LoggedItem(appointment=notice.appointment, start=view.start, end=view.end, place=view.location),)
