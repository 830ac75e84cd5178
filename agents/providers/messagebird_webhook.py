"""MessageBird's status reports as they come in: a GET with the report in its query string, signed (PROVIDERS: docs.bird.com).

For the web service, which answers 200 to what is signed and 401 to all else, and writes `DELIVERY_REPORTS` keyed
`organisation/client` (`key`). Nothing here does I/O; the clock that a signature is checked against is the SDK's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from messagebird.request_validator import RequestValidator

from schemas.deliveries import Cost, DeliveryReport
from schemas.keys import RecipientKey
from schemas.wire import BadRecordError, check, encode
from streams.processing.record_checks import instant

from ..settings.settings import Settings
from ..tokens import Tokens

HEADER = "MessageBird-Signature-JWT"

MOST_PARTS = 255
"""Of an SMS: the number of a part has one byte (3GPP TS 23.040, 9.2.3.24.1)."""

_REASON = re.compile(r"[A-Za-z0-9 _()-]{1,60}")
_LAST = timedelta(days=1)
"""A moment further ahead than this is no moment of a report."""


def reference_tokens(settings: Settings) -> Tokens:
    """Return what seals the references of SMS and opens them again: the same in a worker and in the web service.

    The first of their own keys seals, without one the first unsubscribe key, as all did before; all of both open. Without any the
    provider's own key is as good a secret as any.
    """
    keys = tuple(dict.fromkeys((*settings.reference_keys, *settings.unsubscribe_keys)))
    return Tokens(keys or (settings.messagebird_key or settings.bird_key or "-",), "reference")


def parse(query: str, tokens: Tokens, now: datetime) -> DeliveryReport | None:
    """Return the report in a raw query string; None where it is not about a message of ours, or says nothing that we know.

    Args:
        query: as it came, percent-encoded: parsed once, so that the `+` of a time's offset stays one.
        tokens: those that sealed the reference.
        now: the moment of a report that names none.
    """
    fields = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=100))
    said = opened(fields.get("reference", ""), tokens)
    if said is None:
        return None
    plain = {
        **said,
        "provider": fields.get("id") or None,
        "status": fields.get("status"),
        "error": _whole(fields.get("statusErrorCode")),
        "reason": code_of(fields.get("statusReason")),
        "parts": parts_of(_whole(fields.get("messagePartCount"))),
        "price": price_of(fields.get("price[amount]"), fields.get("price[currency]")),
        "at": moment(fields.get("statusDatetime"), now),
    }
    try:
        return check(DeliveryReport, {name: value for name, value in plain.items() if value is not None})
    except BadRecordError:
        return None  # a status of which we have never heard


def opened(reference: str, tokens: Tokens) -> dict[str, Any] | None:
    """Return whose message a reference names, which attempt and which piece; None where it is none of ours."""
    said = tokens.open(reference) if reference else None
    if said is None or len(said) not in (5, 6) or not (said[-2].isdecimal() and said[-1].isdecimal()):
        return None
    organisation, client, *recipient, message, attempt, piece = said
    whose = {"recipient": recipient[0]} if recipient else {}
    return {
        "organisation": organisation, "client": client, **whose, "message": message, "attempt": int(attempt), "piece": int(piece),
    }  # fmt: skip


def unopened(query: str, tokens: Tokens) -> bool:
    """Tell whether a report names a reference that no key of ours sealed. A report without one is of somebody else's message."""
    reference = dict(parse_qsl(query, max_num_fields=100)).get("reference", "")
    return bool(reference) and opened(reference, tokens) is None


def record(report: DeliveryReport) -> tuple[bytes, bytes]:
    """Return key and value of the record."""
    whose = RecipientKey(report.organisation, report.client, report.recipient)
    return whose.of_topics.encode(), encode(report)


class UsedSignatures:
    """The ids (`jti`) of signatures that were used, as long as they are good. A signature is good for one request."""

    MOST = 100_000

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def is_new(self, jti: str, until: float, now: float) -> bool:
        """Tell whether this id was not used before; it is from now on."""
        if self._until.get(jti, -math.inf) >= now:
            return False
        if len(self._until) >= self.MOST:  # first those that are over; a flood is cut down to what fits
            self._until = {used: end for used, end in self._until.items() if end >= now}
            while len(self._until) >= self.MOST:
                del self._until[next(iter(self._until))]
        self._until[jti] = until
        return True

    def forget(self, jti: str) -> None:
        """Let it be used again: nothing came of it."""
        self._until.pop(jti, None)


def verify(
    signature: str | None, base: str, path_qs: str, keys: Sequence[str], seen: UsedSignatures, now: datetime, body: bytes = b""
) -> str | None:
    """Return the signature's id, if the request came from the provider, now and for the first time; None is a 401.

    Where its report then could not be written: `seen.forget(id)`, so that the same request may come again.

    Args:
        signature: the header `HEADER`.
        base: scheme and host as the provider knows them, configured: behind a proxy the request names others. Any path in it
            is not looked at.
        path_qs: path and query of the request, raw: the signature is over its bytes.
        keys: signing keys of the provider's account (not its access keys), any of them will do.
        seen: of this process.
        now: the clock.
        body: of the request; a report has none.
    """
    if not signature:
        return None
    scheme, _, rest = base.partition("://")
    url = f"{scheme}://{rest.split('/', 1)[0]}{path_qs}"
    for key in keys:
        try:
            claims = RequestValidator(key).validate_signature(signature, url, body)
            jti, until = claims["jti"], float(claims["exp"])
        except Exception:  # noqa: BLE001, S112 - a bad token raises KeyError, TypeError and what PyJWT has, too
            continue
        good = isinstance(jti, str) and bool(jti) and seen.is_new(jti, until + 2, now.timestamp())  # leeway of the SDK: 1 s
        return jti if good else None
    return None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else None


def code_of(text: str | None) -> str | None:
    """Return the reason's code, from a short list of the provider's; anything longer is free text and not kept."""
    return text if text and _REASON.fullmatch(text) else None


def parts_of(said: object) -> int | None:
    """Return how many SMS parts a provider bills for a piece; None for what cannot be a number of parts."""
    return said if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= MOST_PARTS else None


def price_of(amount: object, currency: object) -> Cost | None:
    """Return what a provider bills; None for what is no price."""
    if not isinstance(amount, str) or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", amount):
        return None
    return Cost(amount, currency) if isinstance(currency, str) and re.fullmatch(r"[A-Z]{3}", currency) else None


def moment(text: str | None, now: datetime) -> datetime:
    """Return the moment in a report; `now` where it names none, or one that cannot be."""
    try:
        at = datetime.fromisoformat(text or "")
        at = instant(at.replace(tzinfo=at.tzinfo or UTC), "at")
    except ValueError:  # a BadRecordError is one
        return now
    return at if at <= now + _LAST else now
