"""`python -m tests.mutations [WORD…]`: spoil the code in one place at a time, and see that the test named for it fails.

Each row of `rows.py` is tried in a copy of the repository as it lies here, so nothing of yours is touched. Words choose rows: of
their sentence, their file or their test. Exit code 1 where one lives, or no longer applies.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.mutations.mutation import Mutation
from tests.mutations.rows import ROWS

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120
"""Seconds. What takes longer than this to fail is no quick test."""


def main(words: list[str]) -> int:
    chosen = [row for row in ROWS if all(word.lower() in " ".join(row).lower() for word in words)]
    lived = 0
    with copies() as copy:
        for row in chosen:
            began = time.monotonic()
            fate = tried(row, copy)
            lived += fate != "killed"
            print(f"{fate:8} {time.monotonic() - began:4.0f} s  {row.what}  ({row.test})", flush=True)
    print(f"{len(chosen)} mutations, {lived} of them not killed")
    return 1 if lived else 0


class copies(tempfile.TemporaryDirectory[str]):  # noqa: N801  # reads as a word where it is used
    """A copy of all files that Git knows or would take in, for as long as it is needed."""

    def __enter__(self) -> Path:  # type: ignore[override]
        copy = Path(super().__enter__())
        for name in files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
        return copy


def files() -> Iterator[str]:
    """The files of the repository as it lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield name


def tried(row: Mutation, copy: Path) -> str:
    """What became of a mutation: `killed`, `LIVES`, or `STALE` where its place in the code is no longer as the row says."""
    path = copy / row.file
    text = path.read_text()
    if text.count(row.old) != 1:
        return "STALE"
    path.write_text(text.replace(row.old, row.new))
    try:
        run = subprocess.run(
            [sys.executable, *command(row)], cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "LIVES"
    finally:
        path.write_text(text)
    return "killed" if run.returncode == 1 else "LIVES"


def command(row: Mutation) -> list[str]:
    """What runs its test: of pytest, or a module of its own."""
    if row.test.startswith("-m "):
        return row.test.split()
    return ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", row.test]


def is_there(test: str) -> bool:
    """Whether what runs a mutation's test is there, as far as its text says."""
    if test.startswith("-m "):
        return (ROOT / test.split()[1].replace(".", "/")).is_dir()
    file, *names = test.partition("[")[0].split("::")
    return all(re.search(rf"^\s*(?:async )?(?:def|class) {name}\b", (ROOT / file).read_text(), re.MULTILINE) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
