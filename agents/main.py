"""The console script `afspraakbericht`: find the subcommand's module, and run it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module

from .revision import revision, version_of
from .visible import Visible

PRIVATE = 0o077
"""Files and folders that we make are for our user alone: they hold texts, ids and keys."""

COMMANDS = {
    "worker": "a Faust worker: intake, notices and senders",
    "web": "the web service: unsubscribe pages, webhooks, the API for third parties and the overview",
    "mllp": "take HL7 v2 messages in over MLLP",
    "project": "bring the overview's projection of the delivery log up to date, or build it anew",
    "api-key": "make a third party's key for an organisation",
    "topics": "create the topics and check their partitions and settings",
    "status": "is all well? What is late, and what waits for a person",
    "rights": "what each user of Kafka may do, as a script that sets it",
    "broker": "a real Apache Kafka on this machine, without a Java installation",
    "demo": "broker, worker, SMTP server, SMS gateway and sample events, all on this machine",
    "translate": "a FHIR resource or an HL7 v2 message as our records",
    "simulate": "the whole graph in memory on simulated time, from a file of events",
    "feed": "write events from a file to Kafka",
    "schema": "the JSON Schema of an input topic's records",
    "graph": "the topology as a Mermaid drawing",
    "log": "replay and export the delivery log",
    "costs": "what the SMS of a month cost, by organisation",
    "why": "what was decided for a client, and why",
    "access": "who looked at a client, what a user saw, and the end of a user's sessions",
    "hold": "hold an organisation's notices, end that, or see what waits",
    "dead-letters": "what could not be used: by reason, one by one, and given to the workers again",
    "replay": "what the current rules would have sent, compared with the delivery log",
    "erase": "make all that names a client unreadable, and prove it",
    "retention": "delete audit facts and texts that were kept long enough",
    "asyncapi": "all topics as an AsyncAPI document",
    "sms": "encoding, parts and costly characters of a text",
    "provider-answer": "how a provider's answer is classified, and what follows",
    "fake-sms": "an SMS gateway that answers like MessageBird, and fails on demand",
    "fake-smtp": "an SMTP server that shows what arrives, and fails on demand",
    "mend-row": "repair a row of a changelog that no worker can read",
    "settings": "the settings in force, secrets masked, and where each came from",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand in `argv`; return its exit code: 0 good, 2 bad input or settings, others in `exits.py`."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="afspraakbericht", description="Tells clients about their appointments.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version_of()}, revision {revision()}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, help_ in COMMANDS.items():
        sub = subparsers.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
        if name == chosen:
            module = import_module(f"agents.commands.{name.replace('-', '_')}")
            module.arguments(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(words)
    others = os.umask(PRIVATE)
    try:
        with redirect_stdout(Visible(sys.stdout)):
            return int(args.run(args))
    except BrokenPipeError:  # the reader of our output went away: `afspraakbericht log | head`
        sys.stderr.close()
        return 0
    finally:
        os.umask(others)


if __name__ == "__main__":
    sys.exit(main())
