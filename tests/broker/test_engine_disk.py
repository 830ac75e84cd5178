"""Workers that keep their state on disk, on a real Kafka."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exits import STOPPED

from .test_engine import N, Workers, create, expected_outputs, expected_rows, produce, read, rows, some_words, until

pytest.importorskip("rocksdict")

from agents.engine.state.rocksdb import POSITION_KEY, RocksDbBackend

pytestmark = pytest.mark.broker

LOADED = re.compile(r'"event":"took partitions".*"records":(\d+)')


@pytest.fixture
def workers(kafka: Any, tmp_path: Path) -> Any:
    these = Workers(kafka.bootstrap, tmp_path)
    yield these
    for worker in these.running:
        worker.kill()
        worker.wait()


async def test_a_copy_of_another_changelog_is_thrown_away_and_the_next_start_loads_it_anew(
    kafka: Any, workers: Workers, fresh: Any, tmp_path: Path
) -> None:
    """A changelog that was made anew, and has come past where the copy ends: its records are not those that the copy is of."""
    name, folder = fresh("words"), tmp_path / "state"
    words = some_words(500)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    await produce(kafka.bootstrap, f"{name}-in", words)
    worker = workers.start("words", name, "-", "one", str(folder))

    async def counted() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)

    await until(counted, workers)
    worker.kill()
    worker.wait()
    for partition in range(N):
        copy = RocksDbBackend(folder).open("words", partition)
        assert copy.position is not None
        copy.db.put(POSITION_KEY, msgspec.msgpack.encode(msgspec.structs.replace(copy.position, key=b"another")))
        copy.close()

    for _ in range(N + 1):  # it stops at the first that does not fit, and says so
        worker = workers.start("words", name, "-", "one", str(folder))
        await until(lambda worker=worker: worker.poll() is not None or LOADED.search(workers.log()))  # type: ignore[misc]
        if worker.poll() is None:
            break
        assert worker.returncode == STOPPED
        assert "it is thrown away, and loaded anew at the next start" in workers.log()
    words += [(b"word1", b"more")]
    await produce(kafka.bootstrap, f"{name}-in", words[-1:])
    await until(counted, workers)


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
    assert max(loaded[1:]) < 500  # fences, and what the kill cut off: the last turn or two of thousands of records
    assert int(LOADED.findall(workers.log())[0]) > whole - 50
