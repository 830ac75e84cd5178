"""Workers that read other topics than the ones before them: nothing stays unread, and no group is mixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .test_engine import Workers, create, expected_rows, produce, rows, some_words, until, workers

__all__ = ["workers"]

pytestmark = pytest.mark.broker


async def prepare(bootstrap: str, name: str) -> list[tuple[bytes, bytes]]:
    """The topics of `name`, with words in the one that is always read; gives them."""
    await create(bootstrap, f"{name}-in", f"{name}-more", f"{name}-counts", f"{name}-words-changelog")
    words = some_words(1000)
    await produce(bootstrap, f"{name}-in", words)
    return words


def counted(bootstrap: str, name: str, words: list[tuple[bytes, bytes]]) -> Callable[[], Any]:
    async def complete() -> bool:
        return await rows(bootstrap, f"{name}-words-changelog") == expected_rows(words)

    return complete


@pytest.mark.parametrize("names", [("one",), ("one", "two")], ids=["one worker", "two workers"])
async def test_stopped_workers_are_replaced_at_once_by_such_that_read_a_new_topic(
    kafka: Any, workers: Workers, fresh: Callable[[str], str], names: tuple[str, ...]
) -> None:
    """Kafka gives a member with a fixed name what it had before, and nobody would read the new topic."""
    name = fresh("replaced")
    words = await prepare(kafka.bootstrap, name)
    before = [workers.start("words", name, "-", instance) for instance in names]
    await until(counted(kafka.bootstrap, name, words), workers)
    await until(lambda: all(f'"partitions":{4 // len(names)}' in workers.log(i) for i in range(len(names))), workers)
    for worker in before:
        worker.kill()
        worker.wait()

    more = some_words(1000, seed=2)
    await produce(kafka.bootstrap, f"{name}-more", more)
    after = [workers.start("words-of-two", name, "-", instance) for instance in names]

    await until(counted(kafka.bootstrap, name, words + more), workers)
    assert "waiting for members" in workers.log()
    for worker in after:
        worker.terminate()
        assert worker.wait(30) == 0


async def test_a_worker_that_reads_another_topic_does_not_join_those_that_run(
    kafka: Any, workers: Workers, fresh: Callable[[str], str]
) -> None:
    name = fresh("mixed")
    words = await prepare(kafka.bootstrap, name)
    running = workers.start("words", name)
    await until(counted(kafka.bootstrap, name, words), workers)

    newer = workers.start("words-of-two", name)

    assert newer.wait(60) == 75
    last = workers.log().splitlines()[-1]
    assert (
        f"cannot start: group {name} has 1 that do not read {name}-more: workers that read other topics still run; "
        "stop them all, then start this one"
    ) in last
    more = some_words(1000, seed=2)
    await produce(kafka.bootstrap, f"{name}-in", more)
    await until(counted(kafka.bootstrap, name, words + more), workers)
    assert workers.log(0).count("took ") == 1, "nothing was taken from the one that runs"
    running.terminate()
    assert running.wait(30) == 0
