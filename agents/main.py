"""The console script `afspraakbericht`: find the subcommand's module, and run it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from types import ModuleType

from .exits import INTERRUPTED
from .manual import EXIT_CODES, Manual, Parser, examples, listed, unknown
from .revision import revision, version_of
from .visible import Visible

PRIVATE = 0o077
"""Files and folders that we make are for our user alone: they hold texts, ids and keys."""

GROUPS: dict[str, dict[str, str]] = {
    "Run, until it is stopped": {
        "worker": "a Faust worker: intake, notices and senders",
        "web": "the web service: unsubscribe pages, webhooks, the API for third parties and the overview",
        "mllp": "take HL7 v2 messages in over MLLP",
    },
    "Look": {
        "status": "is all well? What is late, and what waits for a person",
        "why": "what was decided for a client, and why",
        "log": "replay and export the delivery log",
        "costs": "what the SMS of a month cost, by organisation",
        "replay": "what the current rules would have sent, compared with the delivery log",
        "access": "who looked at a client, what a user saw, and the end of a user's sessions",
        "settings": "the settings in force, secrets masked, and where each came from",
    },
    "Operate": {
        "topics": "create the topics and check their partitions and settings",
        "rights": "what each user of Kafka may do, as a script that sets it",
        "api-key": "make a third party's key for an organisation",
        "hold": "hold an organisation's notices, end that, or see what waits",
        "dead-letters": "what could not be used: by reason, one by one, and given to the workers again",
        "erase": "make all that names a client unreadable, and prove it",
        "retention": "delete audit facts and texts that were kept long enough",
        "project": "bring the overview's projection of the delivery log up to date, or build it anew",
        "mend-row": "repair a row of a changelog that no worker can read",
        "completion": "a script by which bash or zsh completes our commands and options",
    },
    "Develop, and connect": {
        "demo": "broker, worker, SMTP server, SMS gateway and sample events, all on this machine",
        "broker": "a real Apache Kafka on this machine, without a Java installation",
        "fake-sms": "an SMS gateway that answers like MessageBird, and fails on demand",
        "fake-smtp": "an SMTP server that shows what arrives, and fails on demand",
        "simulate": "the whole graph in memory on simulated time, from a file of events",
        "feed": "write events from a file to Kafka",
        "translate": "a FHIR resource or an HL7 v2 message as our records",
        "schema": "the JSON Schema of a topic's records",
        "asyncapi": "all topics as an AsyncAPI document",
        "graph": "the topology as a Mermaid drawing",
        "sms": "encoding, parts and costly characters of a text",
        "provider-answer": "how a provider's answer is classified, and what follows",
    },
}

COMMANDS = {name: what for group in GROUPS.values() for name, what in group.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand in `argv`; return its exit code: 0 good, 2 bad input or settings, others in `exits.py`."""
    words = list(sys.argv[1:] if argv is None else argv)
    others = os.umask(PRIVATE)
    try:
        args = parse(words)
        with redirect_stdout(Visible(sys.stdout)):
            code = int(args.run(args))
        sys.stdout.flush()  # here, and not as Python ends: the reader of it may be gone
    except BrokenPipeError:  # the reader of our output went away: `afspraakbericht log | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nstopped" if sys.stderr.isatty() else "stopped", file=sys.stderr)  # a terminal has written ^C
        return INTERRUPTED
    finally:
        os.umask(others)
    return code


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; it ends there (SystemExit) where that says so, or cannot be read."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    if chosen is not None and chosen not in COMMANDS:
        parser([]).error(unknown("command", chosen, COMMANDS))
    whole = parser([chosen] if chosen is not None else [])
    if not words:
        whole.print_help(sys.stderr)
        sys.exit(2)
    args, rest = whole.parse_known_args(words)
    sub: Parser = vars(args).pop("parser")
    if rest:
        what = "option" if rest[0].startswith("-") else "argument"
        sub.error(unknown(what, rest[0].partition("=")[0], sub.options()))
    return args


def parser(chosen: Collection[str]) -> Parser:
    """Return the parser, with the arguments of these commands: to know those of one is to import it."""
    whole = Parser(
        prog="afspraakbericht", formatter_class=Manual, epilog=listed({"exit codes": EXIT_CODES}),
        description=f"Tells clients about their appointments.\n\n{listed(GROUPS)}",
    )  # fmt: skip
    whole.add_argument("--version", action="version", version=f"%(prog)s {version_of()}, revision {revision()}")
    subparsers = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, help="one of those above")
    for name in chosen:
        what = COMMANDS[name]
        description = what[0].upper() + what[1:] + ("" if what.endswith("?") else ".")
        sub = subparsers.add_parser(
            name, help=what, description=description, epilog=examples(name), formatter_class=Manual
        )  # fmt: skip
        module = module_of(name)
        module.arguments(sub)
        sub.set_defaults(run=module.run, parser=sub)
    return whole


def module_of(name: str) -> ModuleType:
    """Import a command's module."""
    return import_module(f"agents.commands.{name.replace('-', '_')}")


if __name__ == "__main__":
    sys.exit(main())
