"""Status reports of the API that replaces MessageBird's classic one: POSTed events, signed as standardwebhooks.com says.

One address is told to the provider for the whole account; of what it sends there, the `sms.*` events of messages of ours count.
`standardwebhooks` could verify them, but for its own clock, and a signature without a comma is a ValueError to it.
The SDK could read them too (`webhooks.unwrap`, which the tests hold this against), but importing it costs the web service seconds
and memory, and it refuses an event with a field that it does not know although the signature is good.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from schemas.deliveries import DeliveryReport
from schemas.wire import BadRecordError, check

from ..tokens import Tokens
from .messagebird_webhook import UsedSignatures, code_of, moment, opened, parts_of, price_of

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

TOLERANCE_SECONDS = 300
"""How far a signature's time may be from ours (the SDK's own)."""

STATUSES = {
    "sms.accepted": "buffered",
    "sms.sent": "sent",
    "sms.delivered": "delivered",
    "sms.expired": "expired",
    "sms.failed": "delivery_failed",
    "sms.undelivered": "delivery_failed",
    "sms.rejected": "delivery_failed",
}
"""The events that say something of a message, in the words of `DeliveryReport`."""

ERRORS = {
    "invalid_destination": 1,  # unknown subscriber
    "landline_unreachable": 11,  # no SMS in the subscription
    "unreachable": 27,  # absent subscriber
    "provider_unavailable": 34,  # system failure
    "recipient_opted_out": 103,  # answered STOP
}
"""Its error codes in the numbers of the classic API, by which `streams/sending/report_rules.py` goes. The others only fail."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], seen: UsedSignatures, now: datetime) -> str | None:
    """Return the name of this signature, if the provider made it, now and for the first time; None is a 401.

    A report that the provider sends again because it did not hear our 200 has a time of its own, so it is another one.
    Where the report then could not be written: `seen.forget(name)`.

    Args:
        headers: of the request, by any case.
        body: its bytes: the signature is over them.
        secrets: of the webhook's endpoint, decoded; any of them will do.
        seen: of this process.
        now: the clock.
    """
    id_, sent, signatures = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not id_ or not re.fullmatch(r"[0-9]{1,12}", sent) or abs(now.timestamp() - int(sent)) > TOLERANCE_SECONDS:
        return None
    signed = f"{id_}.{sent}.".encode() + body
    given = [part[3:].encode() for part in signatures.split() if part.startswith("v1,")]
    for secret in secrets:
        digest = hmac.new(secret, signed, hashlib.sha256).digest()
        if any(hmac.compare_digest(base64.b64encode(digest), one) for one in given):
            name = f"{id_}.{sent}"
            return name if seen.is_new(name, int(sent) + TOLERANCE_SECONDS + 1, now.timestamp()) else None
    return None


def parse(body: bytes, tokens: Tokens, now: datetime) -> DeliveryReport | None:
    """Return the report in an event; None where it is not about a message of ours, or says nothing that we know.

    Args:
        body: the event, JSON.
        tokens: those that sealed the reference.
        now: the moment of an event that names none.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    data = _member(event, "data")
    reference, count = _member(data, "metadata").get("reference"), _member(data, "segments").get("count")
    said = opened(reference, tokens) if isinstance(reference, str) else None
    status = STATUSES.get(str(event.get("type"))) if isinstance(event, dict) else None
    if said is None or status is None:
        return None
    error, cost = _member(data, "error").get("code"), _member(data, "cost")
    plain = {
        **said,
        "provider": data.get("sms_id"),
        "status": status,
        "error": ERRORS.get(str(error)),
        "reason": code_of(str(error)) if error is not None else None,
        "parts": parts_of(count),
        "price": price_of(cost.get("amount"), cost.get("currency_code")),
        "at": moment(str(event.get("timestamp")), now),
    }
    try:
        return check(DeliveryReport, {name: value for name, value in plain.items() if value is not None})
    except BadRecordError:
        return None


def unopened(body: bytes, tokens: Tokens) -> bool:
    """Tell whether an event names a reference that no key of ours sealed. An event without one is of somebody else's message."""
    try:
        reference = _member(_member(orjson.loads(body), "data"), "metadata").get("reference")
    except orjson.JSONDecodeError:
        return False
    return isinstance(reference, str) and opened(reference, tokens) is None


def _member(of: Any, name: str) -> dict[str, Any]:
    """Return a member that is an object, empty where there is none."""
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, dict) else {}
