"""Every record of the delivery log, and the audit fact that goes with it: the one place where either is written.

The delivery log has texts and masked addresses, and is kept for a limited time; the audit log has the facts alone, and stays.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from schemas.deliveries import AuditRecord, LogRecord
from schemas.inputs import Channel, Organisation
from schemas.notices import WORDING
from schemas.topics import AUDIT_LOG, DELIVERY_LOG
from schemas.wire import to_json

from .turn import Decision, Output


def emit_record(decision: Decision, partition: int, record: LogRecord) -> None:
    """A record and its fact, in one decision: so there is never the one without the other."""
    client = f"{record.organisation}/{record.client}"
    decision.emit(Output(DELIVERY_LOG.name, client.encode(), to_json(record), partition))
    fact = AuditRecord(
        message=record.message, organisation=record.organisation, client=record.client, channel=record.channel,
        reason=record.reason, status=record.status, detail=record.detail, at=record.at,
        kinds=tuple(dict.fromkeys([notice.kind for notice in record.notices])), template=record.template,
        attempt=record.attempt,
    )  # fmt: skip
    key = f"{client}/{record.message}/{record.attempt}/{record.status}"
    decision.emit(Output(AUDIT_LOG.name, key.encode(), to_json(fact), partition))


def template_of(organisation: Organisation | None, channel: Channel | None) -> str | None:
    """The version of an organisation's template of a channel, our sentences included: equal versions word a notice alike."""
    if organisation is None or channel is None:
        return None
    if channel == "sms":
        return _version("sms", organisation.sms.before, organisation.sms.after)
    return _version("email", organisation.email.subject, organisation.email.before, organisation.email.after)


@lru_cache(maxsize=10_000)
def _version(*parts: str) -> str:
    return hashlib.sha256("\0".join((str(WORDING), *parts)).encode()).hexdigest()[:12]
