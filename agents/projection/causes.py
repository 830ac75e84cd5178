"""Class what became of a message for pages: an outcome to filter by, and the cause of what did not arrive. Pure.

The log's `detail` is for engineers: a provider's codes stand in it. A cause is one of few words, each with a sentence for office
staff (`agents/web/overview/dutch.py`; a test holds that none is missing).
"""

from __future__ import annotations

from schemas.deliveries import LogRecord
from streams.sending.report_rules import NO_SMS, PASSING, STOPPED

UNDELIVERED = "undelivered"
"""Outcome of what the provider took, and then reported as failed: it was sent and paid, and did not arrive."""

OF_DETAILS = frozenset({
    "absent", "tell", "client_off", "ended", "contact_unconfirmed", "organisation_off", "too_many", "no_words", "no_rest",
    "rerouted", "same", "same_address", "employee_off", "own", "not_soon",
    "outcome", "notify", "not_said", "just_told", "just_reminded", "series", "gave_up", "erased",
})  # fmt: skip
"""Details that are causes by themselves."""

REPORTED = ("number_takes_none", "stopped", "unreachable", "not_delivered")
REFUSED = ("refused_sms", "refused_email")
PLAIN = ("retrying", "unknown", "superseded", "expired", "failed", "suppressed")
"""Of a status without a detail that says more."""

CAUSES = (*sorted(OF_DETAILS), *REPORTED, *REFUSED, *PLAIN)


def outcome_of(record: LogRecord) -> str:
    """Return the outcome that a record means: its status, but for what was sent and then did not arrive."""
    return UNDELIVERED if record.status == "failed" and _report(record) is not None else record.status


def cause_of(record: LogRecord) -> str | None:
    """Return why a message did not arrive, or not yet; None of one that was sent."""
    if record.status in ("sent", "delivered"):
        return None
    first = (record.detail or "").partition(";")[0]
    if first in OF_DETAILS:
        return first
    if record.status == "failed":
        if (report := _report(record)) is not None:
            return _reported(report)
        if first:
            return "refused_email" if record.channel == "email" else "refused_sms"
    return record.status


def _report(record: LogRecord) -> str | None:
    """Return the status of a provider's report, `delivery_failed/1`, where one is why."""
    words, _, rest = (record.detail or "").partition(": ")
    return rest.partition(";")[0] if words == "report" else None


def _reported(report: str) -> str:
    status, _, error = report.partition("/")
    code = int(error) if error.isascii() and error.isdigit() else None
    if code in NO_SMS:
        return "number_takes_none"
    if code == STOPPED:
        return "stopped"
    return "unreachable" if code in PASSING or status == "expired" else "not_delivered"
