"""`make fuzz`: hostile events of every kind on a real broker, and an account of each. Exit code 1 where one is wrong."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from .play import main_account


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Hostile events, and what became of them.")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        account = main_account(Path(folder), args.events, args.seed)
    print(account.table())
    return 1 if account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
