"""`afspraakbericht sms TEXT`: what a text costs as SMS, and which of its characters make it so."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson

from renderers.gsm7 import LIMITS, Measure, costly, measure, to_gsm7
from renderers.samples import samples
from renderers.sms import texts
from schemas.inputs import Organisation
from schemas.languages import DEFAULT
from schemas.wire import BadRecordError, check
from streams.sending.outcomes import cost_of

from ..terminal import counted
from .replay import settings_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("text", nargs="?", help="the text; without it --json")
    replacing = parser.add_mutually_exclusive_group()
    replacing.add_argument("--keep", action="store_true", help="measure the text as it is: replace nothing")
    replacing.add_argument("--replace", action="store_true", help="replace every character outside GSM-7, ë by e too")
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="an organisation's settings: what each kind of message costs with its templates",
    )
    parser.add_argument("--json", action="store_true", help="one JSON string a line on stdin, one JSON object a line out")


def run(args: argparse.Namespace) -> int:
    """Measure the text, with `--json` those on stdin, with `--settings` samples.

    Exit code 2: no text, a line that is no JSON string, or settings that cannot be used.
    """
    if args.settings is not None:
        return _with_templates(args.settings)
    prepare = _preparation(args)
    if args.json and args.text is None:
        return _stream(prepare)
    if args.json or args.text is None:
        print("give a text, or --json with texts on stdin", file=sys.stderr)
        return 2
    try:
        args.text.encode()
    except UnicodeEncodeError:
        print("the text is not UTF-8", file=sys.stderr)
        return 2
    _explain(args.text, prepare(args.text))
    return 0


def _preparation(args: argparse.Namespace) -> Callable[[str], str]:
    """Return what is done to a text before it is measured; by default what is done to every SMS."""
    if args.keep:
        return str
    return lambda text: to_gsm7(text, keep_rest=not args.replace)


def _stream(prepare: Callable[[str], str]) -> int:
    code = 0
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            text, problem = None, f"not JSON: {error.msg}"
        else:
            problem = "not a JSON string"
        if isinstance(text, str):
            print(orjson.dumps(measure(prepare(text))._asdict()).decode())
        else:
            print(f"line {number}: {problem}", file=sys.stderr)
            code = 2
    return code


def _with_templates(file: Path) -> int:
    try:
        read = settings_of(file)
    except (OSError, BadRecordError) as error:
        print(error, file=sys.stderr)
        return 2
    now = datetime.now(UTC)
    for value in read.values():
        organisation = check(Organisation, orjson.loads(value))
        used = organisation.languages or [DEFAULT]
        told = {
            f"{name} ({language})" if len(used) > 1 else name: delivery
            for language in used
            for name, delivery in samples(organisation, "sms", now, language).items()
        }
        for name, delivery in told.items():
            words = texts(delivery, organisation, now)
            cost = cost_of(words.parts, organisation.sms)
            price = f", {cost.amount} {cost.currency}" if cost is not None else ""
            print(f"{organisation.organisation}, {name}: {_summary(measure(words.text))}{price}: {words.text}")
    return 0


def _explain(text: str, prepared: str) -> None:
    measured = measure(prepared)
    single, each = LIMITS[measured.encoding]
    room = f"of {single}" if measured.parts == 1 else f"in parts of {each}"
    print(f"{_summary(measured)} {room}")
    if prepared != text:
        print(f"sent as: {prepared}")
    for character, times, why in costly(prepared):
        name = unicodedata.name(character, "CONTROL CHARACTER")
        print(f"  {_shown(character)} U+{ord(character):04X} {name}, {counted(times, 'time')}: {why}")
    if measured.encoding == "UCS-2":
        plain = to_gsm7(prepared, keep_rest=False)
        print(f"with --replace: {_summary(measure(plain))}: {plain}")


def _summary(measured: Measure) -> str:
    return f"{measured.encoding}, {counted(measured.parts, 'part')}, {counted(measured.units, 'unit')}"


def _shown(character: str) -> str:
    return character if character.isprintable() else " "
