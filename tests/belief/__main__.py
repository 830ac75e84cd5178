"""`python -m tests.belief`: random histories of one client, and whether what the client believes in the end is what is so.

One line as a result; exit code 1 where a history is wrong. `--found FILE` writes those down, made short, the shortest first.
`--show SEED` writes one to standard output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.belief.histories import EXTRAS, made
from tests.belief.oracle import History, judge
from tests.belief.runs import Count, run
from tests.belief.shrinking import report, shrunk

MOST_FOUND = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.belief", description="What the client believes is what is so.")
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first history; the others follow")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--extras", nargs="*", choices=sorted(EXTRAS), default=[], help="what makes histories harder")
    parser.add_argument("--at-once", action="store_true", help="each message goes out as soon as it is decided")
    parser.add_argument("--first", action="store_true", help="end where some are wrong")
    parser.add_argument("--found", type=Path, help="a file for the wrong ones")
    parser.add_argument("--show", type=int, metavar="SEED", help="one history, made short if it is wrong")
    args = parser.parse_args()
    extras = frozenset(args.extras)
    if args.show is not None:
        print(_told(made(args.show, extras, at_once=args.at_once)))
        return 0
    total = Count()
    for total in run(args.seed, args.histories, args.jobs, extras, at_once=args.at_once):
        if sys.stderr.isatty():
            print(f"\r{total.histories} histories, {len(total.wrong)} wrong", end="", file=sys.stderr)
        if args.first and total.wrong:
            break
    print(total.line())
    if args.found is not None and total.wrong:
        found = (made(seed, extras, at_once=args.at_once) for seed in sorted(total.wrong)[:MOST_FOUND])
        told = sorted(map(_told, found), key=len)
        args.found.write_text("\n".join([total.line(), "", *told]))
    return 1 if total.wrong else 0


def _told(found: History) -> str:
    if judge(found).faults:
        found = shrunk(found)
    verdict = judge(found)
    return report(found, verdict._replace(faults=verdict.faults or ["nothing wrong"]))


if __name__ == "__main__":
    sys.exit(main())
