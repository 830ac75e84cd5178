"""`afspraakbericht provider-answer`: what is done with a provider's answer, and by which rule (`agents/providers/`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

import orjson

from schemas.wire import BadRecordError, Input, read

from ..providers.messagebird_answers import messagebird_reason
from ..providers.smtp_answers import PHASES, smtp_rule


class SmtpAnswer(Input, frozen=True, kw_only=True):
    """A line about SMTP."""

    code: int
    enhanced: str | None = None
    text: str | None = None
    phase: str | None = None


class MessageBirdAnswer(Input, frozen=True, kw_only=True):
    """A line about MessageBird; `status` null: no answer came."""

    status: int | None
    body: Any = None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("provider", choices=("smtp", "messagebird"))
    parser.add_argument("code", nargs="?", help="the SMTP reply code or the HTTP status; `none` where no answer came")
    parser.add_argument("text", nargs="?", default="", help="the reply's text, or the body of the HTTP answer")
    parser.add_argument("--enhanced", metavar="5.1.1", help="the enhanced status code, where the text does not begin with it")
    parser.add_argument("--phase", choices=PHASES, default="rcpt", help="what the SMTP server answered (default: rcpt)")
    parser.add_argument(
        "--json",
        action="store_true",
        help='read answers from stdin, one a line: {"code", "enhanced", "text", "phase"} or {"status", "body"}',
    )


def run(args: argparse.Namespace) -> int:
    """Classify one answer, or each line of stdin; return 2 where one could not be read."""
    if args.json:
        return _lines(args.provider, sys.stdin.buffer)
    try:
        code = None if args.code == "none" and args.provider == "messagebird" else int(args.code or "")
    except ValueError:
        print("give the answer's code as a whole number, or --json and answers on stdin", file=sys.stderr)
        return 2
    if args.provider == "smtp":
        rule = smtp_rule(code or 0, args.enhanced, args.text, args.phase)
        print(f"{rule.answer}: {rule.because}")
    else:
        reason = messagebird_reason(code, args.text)
        print(f"{reason.answer}: {reason.because}")
    return 0


def _lines(provider: str, lines: Iterable[bytes]) -> int:
    bad = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = _class(provider, line)
        except BadRecordError as error:
            print(f"line {number}: {error}", file=sys.stderr)
            bad = True
        else:
            print(orjson.dumps({"class": answer}).decode(), flush=True)
    return 2 if bad else 0


def _class(provider: str, line: bytes) -> str:
    if provider == "smtp":
        said = read(SmtpAnswer, line)
        return smtp_rule(said.code, said.enhanced, said.text or "", said.phase or "").answer
    answer = read(MessageBirdAnswer, line)
    return messagebird_reason(answer.status, answer.body).answer
