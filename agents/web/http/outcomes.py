"""OperationOutcome: tell a FHIR client why its request is refused, with the place and never a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import orjson
from aiohttp import web

from .problems import TITLES, ProblemError

FHIR_JSON = "application/fhir+json"

CODES = {
    400: "structure", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 408: "timeout", 413: "too-long",
    415: "not-supported", 422: "invalid", 429: "throttled", 503: "transient",
}  # fmt: skip
"""A status as FHIR's code of an issue."""

TITLE_415 = "The body must be application/fhir+json"

Severity = Literal["error", "warning", "information"]


def issue(severity: Severity, code: str, text: str, place: str | None = None) -> dict[str, Any]:
    """Return one issue; `place` as FHIRPath writes it."""
    return {"severity": severity, "code": code, "diagnostics": text, **({"expression": [place]} if place is not None else {})}


def outcome(status: int, issues: Iterable[dict[str, Any]], headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer with these issues."""
    body = {"resourceType": "OperationOutcome", "issue": list(issues)}
    return web.Response(status=status, body=orjson.dumps(body), content_type=FHIR_JSON, headers=headers)


def of_problem(problem: ProblemError) -> web.Response:
    """Return a problem as an OperationOutcome."""
    title = TITLE_415 if problem.status == 415 else TITLES.get(problem.status, "The request failed")
    text = problem.detail or title
    return outcome(problem.status, [issue("error", CODES.get(problem.status, "exception"), text, problem.field)], problem.headers)
