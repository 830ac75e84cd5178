"""`afspraakbericht api-key PARTY ORGANISATION`: a key for a third party. It is shown once; the file keeps its hash."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from schemas.wire import BadRecordError, Id, check

from ..web.api import keys as parties


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("party", metavar="PARTY", help="the third party's id, as its requests will carry it")
    parser.add_argument("organisation", metavar="ORGANISATION", help="the organisation for whose clients it may ask")
    parser.add_argument(
        "--fhir", action="store_true", help="for the organisation's own appointments at /fhir, and for nothing else"
    )
    parser.add_argument("--file", metavar="KEYS.toml", type=Path, help="add it to this file; without: print the lines for it")


def run(args: Namespace) -> int:
    """Print the key on stdout; return 2 for an id that cannot be or a file that cannot be written."""
    try:
        for word in (args.party, args.organisation):
            check(Id, word)
        key, lines = parties.make(args.party, args.organisation, "fhir" if args.fhir else "requests")
        if args.file is not None:
            with args.file.open("a") as file:
                file.write(lines if file.tell() == 0 else f"\n{lines}")
    except BadRecordError:
        print("an id has 1 to 200 characters, no / and no control characters", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{args.file}: {error.strerror}", file=sys.stderr)
        return 2
    print(key)
    if args.file is None:
        print(f"\nFor the file of AFSPRAAKBERICHT_API_KEYS:\n\n{lines}", file=sys.stderr, end="")
    return 0
