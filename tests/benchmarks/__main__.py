"""`make bench`: every figure of the README on this machine, one after another on one broker, as a table; `--json FILE` too.

With a folder of peers (`--peers`, see `peers.py`) they run the reference job on the same broker in the same run, and the ratios
count. Every part is bounded in time; one that fails is named, and the others still run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from agents.broker.broker import EmbeddedKafka

from . import decisions, export, latency, peers, pipeline, translations

Figures = dict[str, Any]
PARTS = (
    "reference", "recovery", "restarts", "pipeline", "latency", "partitions", "decisions", "translate", "reminders", "export",
)  # fmt: skip
TIMEOUT = 300.0
"""Seconds after which a part's program is given up."""


def program(name: str, *words: object) -> str:
    """What a benchmark's program printed, in a process of its own."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *map(str, words)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT)
    if result.returncode:
        raise RuntimeError(result.stderr[-1000:])
    return result.stdout


def reference(bootstrap: str, args: argparse.Namespace) -> Figures:
    """The peers' jobs and ours on the same events, ours twice."""
    topic, figures = f"peers-{args.reference_events}", Figures()
    others: dict[str, float] = {}
    if args.peers is not None:
        others = peers.measure(args.peers, bootstrap, args.reference_events, args.peers_python, args.peers_seconds)
    else:
        program("reference_job", "produce", bootstrap, args.reference_events, topic)
    runs = [program("reference_job", "run", bootstrap, args.reference_events, topic, f"ours-{number}") for number in (1, 2)]
    rates = [_number(run, "ev/s") for run in runs]
    figures["ours_events_per_second"] = round(sum(rates) / len(rates))
    figures["ours_first_and_second_run"] = " / ".join(f"{rate:,.0f}" for rate in rates)
    figures |= {name: round(rate) for name, rate in others.items()}
    if best := max((rate for name, rate in others.items() if name in peers.COMPARED), default=0.0):
        figures["ours_over_the_best_peer"] = round(figures["ours_events_per_second"] / best, 2)
    return figures


def recovery(bootstrap: str, args: argparse.Namespace) -> Figures:
    """From the assignment to the first event handled, with the rows of the reference job: in memory, on an empty disk, and on one
    that has them."""
    topic, figures = f"peers-{args.reference_events}", Figures()
    program("reference_job", "produce", bootstrap, args.reference_events, topic)
    program("reference_job", "run", bootstrap, args.reference_events, topic, "again")
    with tempfile.TemporaryDirectory() as folder:
        for name, where in (("memory", ()), ("rocksdb", (folder,)), ("rocksdb_with_a_copy", (folder,))):
            found = program("reference_job", "recover", bootstrap, args.reference_events, topic, "again", *where)
            figures[f"{name}_records"] = round(_number(found.replace("n=", ""), ""))
            figures[f"{name}_seconds"] = _number(found, "s load")
            figures[f"{name}_processor_seconds"] = float(found.split("cpu=")[1].split()[0])
            figures[f"{name}_records_per_second"] = round(_number(found, "rec/s"))
    return figures


def restarted(bootstrap: str, args: argparse.Namespace) -> Figures:
    """Workers with fixed names that are killed, and restarted one after another, under load; rows in memory and on disk."""
    figures = Figures()
    for store in ("memory", "rocksdb"):
        found = json.loads(program("restarts", bootstrap, store))
        figures |= {f"{store}_{what}": value for what, value in found.items()}
        clean(bootstrap)
    return figures


def _number(text: str, unit: str) -> float:
    if (found := re.search(rf"(\d+(?:\.\d+)?) {unit}", text)) is None:
        raise RuntimeError(f"no figure in {text!r}")
    return float(found[1])


def delays(bootstrap: str, args: argparse.Namespace) -> Figures:
    """From event to call, without and with the provider's SDK."""
    figures = Figures()
    for name, measure in (("to_the_call", latency.to_the_call), ("to_the_provider", latency.measure)):
        found = asyncio.run(measure(bootstrap, args.rate))
        figures |= {f"{name}_{what}": value for what, value in found.items()}
        clean(bootstrap)
    return figures


def partitions(bootstrap: str, args: argparse.Namespace) -> Figures:
    """What an event costs as partitions grow."""
    figures = Figures()
    for count in (8, 16, 32, 64):
        figures[f"cpu_us_an_event_at_{count}"] = pipeline.measure(bootstrap, args.events, count)["cpu_us_an_event"]
        clean(bootstrap)
    return figures


def clean(bootstrap: str) -> None:
    """No topics, so that the next part begins anew."""
    asyncio.run(_clean(bootstrap))


async def _clean(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + 60
        while topics := [topic for topic in await admin.list_topics() if not topic.startswith("_")]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the broker does not delete {topics}")
            await admin.delete_topics(topics)
            await asyncio.sleep(1.0)
    finally:
        await admin.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--events", type=int, default=200_000, help="appointment events through the full pipeline")
    parser.add_argument("--reference-events", type=int, default=1_000_000, help="events of the reference job")
    parser.add_argument("--clients", type=int, default=1_000_000, help="clients of the reminder figures")
    parser.add_argument("--records", type=int, default=1_000_000, help="records of the delivery log that are exported")
    parser.add_argument("--rate", type=int, default=1000, help="events a second of the latency figures")
    found = peers.DEFAULT if (peers.DEFAULT / "run").exists() else None
    parser.add_argument("--peers", type=Path, default=found, help="folder of the peers' reference jobs")
    parser.add_argument("--peers-python", default="python3", help="the interpreter that has the peers' packages")
    parser.add_argument("--peers-seconds", type=float, default=900.0, help="after which the peers are given up")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that a topic just made has no leader yet
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder), port=None) as kafka:
        parts: dict[str, Callable[[], Figures]] = {
            "reference": lambda: reference(kafka.bootstrap, args),
            "recovery": lambda: recovery(kafka.bootstrap, args),
            "restarts": lambda: restarted(kafka.bootstrap, args),
            "pipeline": lambda: pipeline.measure(kafka.bootstrap, args.events),
            "latency": lambda: delays(kafka.bootstrap, args),
            "partitions": lambda: partitions(kafka.bootstrap, args),
            "decisions": lambda: decisions.measure(args.events // 2),
            "translate": lambda: translations.measure(args.events // 2),
            "export": lambda: export.measure(kafka.bootstrap, args.records),
            "reminders": lambda: json.loads(program("reminders", args.clients, args.clients // 10)),
        }
        for name in args.parts or PARTS:
            try:
                figures[name] = parts[name]()
            except Exception as error:  # noqa: BLE001 - the other figures are still wanted
                figures[name] = {"failed": f"{type(error).__name__}: {error}"}
            show(name, figures[name])
            clean(kafka.bootstrap)
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    if any("failed" in values for values in figures.values()):
        sys.exit(1)


def show(name: str, values: Figures) -> None:
    """One part's rows of the table."""
    print(name)
    for what, value in values.items():
        shown = f"{value:,}" if isinstance(value, int | float) else value
        print(f"  {what.replace('_', ' '):44} {shown:>18}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
