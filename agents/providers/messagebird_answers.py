"""Class what MessageBird's answer means for the message: by its error codes first, then by the HTTP status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

MessageBirdClass = Literal["sent", "retry", "permanent", "account_stop", "unknown"]


class Verdict(NamedTuple):
    """The class of an answer of MessageBird, and why."""

    answer: MessageBirdClass
    because: str


CODES: dict[int, Verdict] = {
    # MessageBird's error codes (its REST API documentation, "Errors"). They say more than the HTTP status.
    2: Verdict("account_stop", "the access key is refused"),
    25: Verdict("account_stop", "not enough balance"),
    20: Verdict("account_stop", "there is no such resource: our endpoint is wrong"),  # of a POST it cannot be the message
    98: Verdict("account_stop", "there is no such API: our endpoint is wrong"),
    9: Verdict("permanent", "a parameter is missing, or no recipient is correct"),
    10: Verdict("permanent", "a parameter is wrong"),
    21: Verdict("permanent", "a bad request"),
    99: Verdict("retry", "an internal error"),
}


STATUSES: dict[int, Verdict] = {
    400: Verdict("permanent", "a bad request"),
    401: Verdict("account_stop", "the access key is refused"),
    402: Verdict("account_stop", "the account must be paid for"),
    403: Verdict("account_stop", "the account may not do this"),
    404: Verdict("account_stop", "there is no such endpoint: our address of the API is wrong"),
    405: Verdict("account_stop", "the endpoint takes no POST: our address of the API is wrong"),
    407: Verdict("account_stop", "our proxy wants a login"),
    408: Verdict("retry", "the request did not arrive whole in time (RFC 9110 15.5.9)"),
    410: Verdict("account_stop", "the API was withdrawn"),
    422: Verdict("permanent", "the parameters are refused"),
    425: Verdict("retry", "sent too early (RFC 8470)"),
    429: Verdict("retry", "more requests than the provider takes; this one was not processed"),
}


CLASSES: dict[int, Verdict] = {
    3: Verdict("account_stop", "a redirect, which is not followed: our address of the API is wrong"),
    4: Verdict("permanent", "refused"),
    5: Verdict("retry", "the provider is out of order"),
}


_ORDER: tuple[MessageBirdClass, ...] = ("account_stop", "permanent", "retry")


_NOT_SENT = Verdict("retry", "no connection: nothing was sent")


_NOBODY_KNOWS = Verdict("unknown", "no answer after the request was sent: it may have been taken")


_ACCEPTED = Verdict("sent", "the provider took it and gave it an id")


_TAKEN_AND_FAILED = Verdict("permanent", "the provider took it, and it has failed already")


_UNREADABLE = Verdict("unknown", "a success without an id: it may have been taken")


def messagebird_reason(status: int | None, body: Any) -> Verdict:
    """Return the row that decides about an answer of MessageBird. Arguments as of `messagebird`."""
    plain = _plain(body)
    if status is None:
        return _NOT_SENT if isinstance(plain, Mapping) and plain.get("error") == "connect" else _NOBODY_KNOWS
    named = [CODES[code] for code in messagebird_codes(plain) if code in CODES]
    if named:  # account-wide codes first, so that no message is dropped for what is ours
        return min(named, key=lambda reason: _ORDER.index(reason.answer))
    if status // 100 == 2:
        taken = isinstance(plain, Mapping) and isinstance(plain.get("id"), str) and plain["id"] and "errors" not in plain
        if taken and _failed_already(plain):
            return _TAKEN_AND_FAILED
        return _ACCEPTED if taken else _UNREADABLE
    return STATUSES.get(status) or CLASSES.get(status // 100, _UNREADABLE)


def _failed_already(plain: Mapping[str, Any]) -> bool:
    """Tell whether every recipient in a success has failed: the provider took the message only to refuse it."""
    recipients = plain.get("recipients")
    items = recipients.get("items") if isinstance(recipients, Mapping) else None
    statuses = [item.get("status") for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return bool(statuses) and all(status in ("delivery_failed", "expired") for status in statuses)


def messagebird(status: int | None, body: Any) -> MessageBirdClass:
    """Return the class of an answer to POST /messages.

    Args:
        status: the HTTP status; None where there was none.
        body: decoded JSON, or the body as text, or None; without a status `{"error": "connect"}` says that nothing was sent.
    """
    return messagebird_reason(status, body).answer


def messagebird_codes(body: Any) -> tuple[int, ...]:
    """Return the provider's own error codes in a body, in their order."""
    return tuple(int(error["code"]) for error in _errors(body) if re.fullmatch(r"\d{1,6}", str(error.get("code"))))


def messagebird_blames_recipient(body: Any) -> bool:
    """Tell whether the errors in a body are about the recipient, not about the rest of the request."""
    said = ((str(error.get("parameter")), str(error.get("description"))) for error in _errors(body))
    return any(parameter.startswith("recipient") or "recipients found" in text for parameter, text in said)


def messagebird_blames_originator(body: Any) -> bool:
    """Tell whether the errors in a body are about the sender's name or number alone."""
    parameters = [str(error.get("parameter")) for error in _errors(body)]
    return bool(parameters) and all(parameter == "originator" for parameter in parameters)


def _errors(body: Any) -> Iterable[Mapping[str, Any]]:
    plain = _plain(body)
    errors = plain.get("errors") if isinstance(plain, Mapping) else None
    return [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []


def _plain(body: Any) -> Any:
    if not isinstance(body, (str, bytes)):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # HTML, an empty body, or nonsense
        return None
