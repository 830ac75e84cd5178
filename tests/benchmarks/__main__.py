"""`make bench`: every figure of the README on this machine, as a table; the same as JSON with `--json FILE`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from agents.broker import EmbeddedKafka

from . import pipeline


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--events", type=int, default=200_000, help="appointment events through the full pipeline")
    parser.add_argument("--clients", type=int, default=1_000_000, help="clients of the reminder figures")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder), port=None) as kafka:
        figures["pipeline"] = pipeline.measure(kafka.bootstrap, args.events)
    command = [sys.executable, "-m", "tests.benchmarks.reminders", str(args.clients), str(args.clients // 10)]
    figures["reminders"] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name, values in figures.items():
        print(name)
        for what, value in values.items():
            print(f"  {what.replace('_', ' '):32} {value:>14,}")
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
