"""The delivery log to Parquet: a million records in a real Kafka, written by the command in a process of its own.

export.py BOOTSTRAP [RECORDS] [FORMAT]     on a broker without our topics; prints the figures as JSON

The time is that of the whole process, its start included; memory is the most that it ever had.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Event, Feeder
from tests.agents.export.records import log_records
from tests.broker.harness import ROOT, environ

PARTITIONS = 8
HANDFUL = 20_000
TIMEOUT = 300.0


async def fill(bootstrap: str, count: int) -> int:
    """So many records in the delivery log, as senders write them; gives their bytes."""
    await ensure(bootstrap, PARTITIONS, 1, "afspraakbericht", stores())
    size = 0
    async with Feeder(bootstrap) as feeder:
        handful: list[Event] = []
        for key, value in log_records(count):
            handful.append(Event("delivery-log", key, value))
            size += len(value)
            if len(handful) == HANDFUL:
                await feeder.feed(handful)
                handful = []
        await feeder.feed(handful)
    return size


def measure(bootstrap: str, count: int, form: str = "parquet") -> dict[str, float]:
    """Fill the log, then export it."""
    size = asyncio.run(fill(bootstrap, count))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"log.{form}"
        command = [sys.executable, "-m", "agents", "log", "--format", form, "--output", str(out)]
        began = time.monotonic()
        process = subprocess.Popen(command, env=environ(bootstrap=bootstrap), cwd=ROOT, stderr=subprocess.PIPE)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
        finally:
            process.returncode = process.returncode or 0  # it was waited for above
        if status or process.stderr is None:
            raise RuntimeError("the export failed")
        process.stderr.close()
        rows = _rows(out, form)
        if rows != count:
            raise RuntimeError(f"{rows} rows of {count}")
        return {
            "records": count,
            "bytes_a_record": round(size / count),
            "seconds": round(seconds, 2),
            "records_per_second": round(count / seconds),
            "cpu_us_a_record": round((usage.ru_utime + usage.ru_stime) / count * 1e6, 2),
            "peak_mb": round(usage.ru_maxrss / 1024),
            "file_mb": round(out.stat().st_size / 1e6, 1),
        }


def _rows(path: Path, form: str) -> int:
    """How many rows a file has."""
    if form == "parquet":
        from pyarrow.parquet import ParquetFile

        return int(ParquetFile(path).metadata.num_rows)
    with path.open("rb") as lines:
        return sum(1 for _ in lines) - (form == "csv")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int((sys.argv[2:3] or ["1000000"])[0]), (sys.argv[3:4] or ["parquet"])[0])))
