"""Workers that keep their state on disk, on a real Kafka."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from .test_engine import Workers, create, expected_outputs, expected_rows, produce, read, rows, some_words, until

pytest.importorskip("rocksdict")
pytestmark = pytest.mark.broker

LOADED = re.compile(r"loaded (\d+) records")


@pytest.fixture
def workers(kafka: Any, tmp_path: Path) -> Any:
    these = Workers(kafka.bootstrap, tmp_path)
    yield these
    for worker in these.running:
        worker.kill()
        worker.wait()


async def test_a_killed_worker_reads_only_what_came_since(kafka: Any, workers: Workers, fresh: Any, tmp_path: Path) -> None:
    name, folder = fresh("words"), tmp_path / "state"
    words = some_words(6000)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")

    async def taken_in(count: int) -> bool:
        return sum(map(int, (await rows(kafka.bootstrap, f"{name}-words-changelog")).values())) >= count

    loaded = []
    for start in (0, 2000, 4000):
        worker = workers.start("words", name, "-", "one", str(folder))
        await produce(kafka.bootstrap, f"{name}-in", words[start : start + 2000])
        await until(lambda start=start: taken_in(start + 2000), workers)  # type: ignore[misc]
        worker.kill()
        worker.wait()
        loaded.append(sum(int(found) for found in LOADED.findall(workers.log())))

    whole = len(await read(kafka.bootstrap, f"{name}-words-changelog"))
    shutil.rmtree(folder)
    worker = workers.start("words", name, "-", "one", str(folder))
    await until(lambda: LOADED.search(workers.log()), workers)

    assert await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)
    assert {(r.key, r.value) for r in await read(kafka.bootstrap, f"{name}-counts")} == expected_outputs(words)
    assert max(loaded[1:]) < 50  # fences, and what the kill cut off
    assert int(LOADED.findall(workers.log())[0]) > whole - 50
