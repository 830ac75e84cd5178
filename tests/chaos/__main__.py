"""`make chaos`: three brokers, three workers and more, faults of every kind one after another, and one table.

Exit code 1 where anything was lost, wrong, or sent twice without the log's saying so. SIGTERM ends the faults, and all so far is
counted. `--keep` leaves logs and records behind.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from . import faults
from .play import run, script


def main() -> int:
    names = {kind.__name__: kind for kind in faults.KINDS}
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults of every kind, and what became of it.")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=30.0, help="appointment events a second")
    parser.add_argument("--only", nargs="*", choices=names, default=[], help="these kinds, in this order, once each")
    parser.add_argument("--keep", type=Path, help="a folder for everything; default: a temporary one that is deleted")
    args = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = args.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [names[name] for name in args.only] or script(args.faults, args.seed)
    try:
        outcome = asyncio.run(run(folder, kinds, args.seed, workers=args.workers, rate=args.rate))
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(outcome.table())
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
