"""Decided notices as what leaves the node: a delivery for a sender, or a record of why there is none."""

from __future__ import annotations

from datetime import datetime

from schemas.deliveries import Delivery, LoggedNotice, LogRecord, Reason, Status
from schemas.inputs import Request
from schemas.notices import Notice, message_id, request_id
from schemas.topics import DELIVERIES_EMAIL, DELIVERIES_SMS
from schemas.wire import encode

from .agenda import Decided
from .audit import emit_record, template_of
from .gates import Passage, Standing
from .turn import Decision, Output

DELIVERIES = {"sms": DELIVERIES_SMS.name, "email": DELIVERIES_EMAIL.name}


def emit_message(
    decision: Decision, partition: int, organisation: str, client: str, reason: Reason, decided: list[Decided], way: Passage,
    now: datetime, due: datetime, standing: Standing, request: Request | None = None,
) -> None:  # fmt: skip
    """One message, of notices of one fate: every decided notice ends in the delivery log, by its sender or here.

    `due`: when it would have been decided, had nothing taken any time.
    """
    key = f"{organisation}/{client}".encode()
    notices = tuple([one.notice for one in decided])
    message, fate = message_id([notice.id for notice in notices]), decided[0].fate
    for notice in notices:
        decision.count("decided", notice.kind, fate or "passed")
    if fate is None and way.channel is not None:
        views = [view for notice in notices for view in (notice.was, notice.now) if view is not None]
        delivery = Delivery(
            message=message, organisation=organisation, client=client, channel=way.channel, reason=reason, decided=now,
            due=due, notices=notices, request=request,
            useful_until=request.expires_at if request is not None else max([view.start for view in views]),
        )  # fmt: skip
        decision.emit(Output(DELIVERIES[way.channel], key, encode(delivery), partition))
        return
    status: Status = "expired" if fate == "expired" else "suppressed"
    record = LogRecord(
        message=message, organisation=organisation, client=client, channel=way.channel, reason=reason, status=status,
        detail=fate if status == "suppressed" else None, at=now, notices=logged(notices),
        template=template_of(standing.organisation, way.channel),
    )  # fmt: skip
    emit_record(decision, partition, record)


def request_notice(organisation: str, client: str, request: Request) -> Notice:
    """A third party's message as a notice."""
    return Notice(id=request_id(organisation, client, request.party, request.request), kind="request")


def logged(notices: tuple[Notice, ...]) -> tuple[LoggedNotice, ...]:
    """Notices as the delivery log names them."""
    return tuple(LoggedNotice(id=one.id, kind=one.kind, appointment=one.appointment, others=one.others) for one in notices)
