"""Every record of the delivery log, and the audit fact that goes with it: the one place where either is written.

The delivery log has texts and masked addresses, and is kept for a limited time; the audit log has the facts alone, and stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from schemas.channels import CHANNELS
from schemas.deliveries import AuditRecord, Delivery, LogRecord
from schemas.inputs import Channel, Organisation
from schemas.keys import CLIENT, PERSON
from schemas.languages import Language
from schemas.notices import WORDING, Notice
from schemas.templates import texts_around
from schemas.topics import AUDIT_LOG, DELIVERY_LOG
from schemas.wire import to_json, utc

from .turn import Decision, Output


def emit_record(decision: Decision, partition: int, record: LogRecord) -> None:
    """Emit a record and its fact in one decision, so that there is never the one without the other."""
    client = record.whose.of_topics
    decision.emit(Output(DELIVERY_LOG.name, client.encode(), to_json(record), partition, DELIVERY_LOG.headers))
    fact = AuditRecord(
        message=record.message, organisation=record.organisation, client=record.client, channel=record.channel,
        reason=record.reason, status=record.status, detail=record.detail, at=record.at,
        kinds=tuple(dict.fromkeys([notice.kind for notice in record.notices])), template=record.template,
        attempt=record.attempt, recipient=record.recipient,
    )  # fmt: skip
    key = f"{client}/{record.message}/{record.attempt}/{record.status}"
    decision.emit(Output(AUDIT_LOG.name, key.encode(), to_json(fact), partition, AUDIT_LOG.headers))


class Times(NamedTuple):
    """The moments of a message that its records have, where they are known."""

    decided: datetime | None = None
    due: datetime | None = None
    start: datetime | None = None


NO_TIMES = Times()
"""Of what is known after its delivery is gone: the record `sent` has them."""


def times_of(delivery: Delivery, *, erased: bool = False) -> Times:
    """Return the moments of a delivery, in UTC. Of an erased client no record says when an appointment was."""
    start = start_of(delivery.notices) if not erased else None
    return Times(delivery.decided and utc(delivery.decided), delivery.due and utc(delivery.due), start)


def start_of(notices: Iterable[Notice]) -> datetime | None:
    """Return when the first appointment begins that notices speak of, in UTC."""
    views = [view for notice in notices if (view := notice.now or notice.was) is not None]
    return min([utc(view.start) for view in views], default=None)


def template_of(
    organisation: Organisation | None, channel: Channel | None, notices: Iterable[Notice], language: Language | None = None,
    recipient: str = CLIENT,
) -> str | None:  # fmt: skip
    """Return the version of the templates of a message and of our sentences: equal ones word a notice alike."""
    if organisation is None or channel is None:
        return None
    texts = texts_around(organisation, channel, notices, language, recipient)
    parts = [getattr(texts, part) for part in CHANNELS[channel].template]
    return _version(
        channel, *parts, *([language] if language is not None else []), *([recipient[: len(PERSON)]] if recipient else [])
    )


def template_for(organisation: Organisation | None, delivery: Delivery) -> str | None:
    """Return the version of the words of a delivery."""
    return template_of(organisation, delivery.channel, delivery.notices, delivery.language, delivery.recipient)


@lru_cache(maxsize=10_000)
def _version(*parts: str) -> str:
    return hashlib.sha256("\0".join((str(WORDING), *parts)).encode()).hexdigest()[:12]
