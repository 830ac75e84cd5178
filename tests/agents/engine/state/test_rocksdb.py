"""A partition on disk: what survives its worker, and what is thrown away."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

pytest.importorskip("rocksdict")

from agents.engine.readiness import NotReadyError
from agents.engine.state.changelog import EPOCH_HEADER, UnfitError, encode_epoch
from agents.engine.state.outbox import FENCE_KEY, OUTBOX_KEY, encode_offset, offset_key
from agents.engine.state.rocksdb import MOST_AGE, POSITION_KEY, DiskPartition, RocksDbBackend


class Logged(NamedTuple):
    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def again(disk: RocksDbBackend, part: DiskPartition) -> DiskPartition:
    part.close()
    return disk.open("node", 0)


@pytest.fixture
def disk(tmp_path: Path) -> RocksDbBackend:
    return RocksDbBackend(tmp_path / "state")


def test_rows_and_the_place_in_the_changelog_are_there_after_a_restart(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    assert part.start(3, 10) == 3
    part.read([Logged(3, FENCE_KEY, b"1"), Logged(4, b"a", b"1"), Logged(5, offset_key("in"), encode_offset(7))])
    part.end = 8
    part.apply({b"b": b"2", b"a": None, OUTBOX_KEY: b"out"})

    found = again(disk, part)

    assert dict(found.rows) == {b"b": b"2"}
    assert (found.offset("in"), found.outbox, found.epoch) == (7, b"out", encode_epoch(3))
    assert found.start(0, 20) == 7


def test_what_the_engine_forgot_is_forgotten_on_disk_too(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(0, OUTBOX_KEY, b"out"), Logged(1, b"a", b"1")])
    part.read([Logged(2, OUTBOX_KEY, None)])

    assert again(disk, part).outbox is None


def test_the_tail_is_read_on_from_the_last_record_and_late_writers_are_met(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(0, FENCE_KEY, b"1"), Logged(1, b"a", b"1")])
    part = again(disk, part)

    part.read(
        [
            Logged(1, b"a", b"not taken in twice"),
            Logged(2, FENCE_KEY, b"1"),
            Logged(3, b"a", b"late", ((EPOCH_HEADER, encode_epoch(0)),)),
            Logged(4, b"b", b"2", ((EPOCH_HEADER, encode_epoch(2)),)),
        ]
    )

    assert dict(part.rows) == {b"a": b"1", b"b": b"2"}
    assert part.stale == {b"a"}


def test_while_late_writes_wait_for_their_repair_the_copy_is_not_used_again(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(0, FENCE_KEY, b"1"), Logged(1, b"a", b"1")])
    part.stale, part.end = {b"a"}, 4
    part.apply({b"b": b"2"})

    assert again(disk, part).position is None


@pytest.mark.parametrize(("beginning", "end"), [(5, 20), (0, 1)], ids=["expired", "cut off"])
def test_a_changelog_that_does_not_reach_the_copy_is_refused(disk: RocksDbBackend, beginning: int, end: int) -> None:
    part = disk.open("node", 0)
    part.read([Logged(1, b"a", b"1")])

    with pytest.raises(UnfitError):
        part.start(beginning, end)
    part.close()
    assert dict(disk.discard("node", 0).rows) == {}


def test_a_changelog_that_was_made_anew_is_noticed(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(1, b"a", b"1")])

    with pytest.raises(UnfitError):
        part.read([Logged(1, b"other", b"1")])


@pytest.mark.parametrize(
    ("kept", "now", "used"),
    [
        pytest.param(b"1", b"1", True, id="the same changelog"),
        pytest.param(b"1", b"2", False, id="of a mirror: the record there may well have the same key"),
        pytest.param(None, b"2", True, id="a copy of before knows none"),
        pytest.param(b"1", None, True, id="a broker that tells no ids"),
    ],
)
def test_a_copy_is_used_with_the_changelog_that_it_is_of(
    disk: RocksDbBackend, kept: bytes | None, now: bytes | None, used: bool
) -> None:
    part = disk.open("node", 0)
    part.changelog = kept
    part.read([Logged(1, OUTBOX_KEY, b"1")])
    part = again(disk, part)
    part.changelog = now

    if used:
        assert part.start(0, 20) == 1
    else:
        with pytest.raises(UnfitError, match="of another changelog of that name"):
            part.start(0, 20)


def test_a_copy_whose_place_is_of_before_is_read(disk: RocksDbBackend) -> None:
    """Four fields, without the changelog's id."""
    part = disk.open("node", 0)
    part.read([Logged(1, b"a", b"1")])
    part.db.put(POSITION_KEY, msgspec.msgpack.encode([2, encode_epoch(0), b"a", time.time()]))

    found = again(disk, part)

    assert found.position is not None
    assert (found.position.end, found.position.changelog, found.start(0, 20)) == (2, None, 1)


def test_a_copy_older_than_deletions_are_kept_is_not_used(disk: RocksDbBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    part = disk.open("node", 0)
    part.read([Logged(1, b"a", b"1")])
    later = time.time() + MOST_AGE + 1
    monkeypatch.setattr("time.time", lambda: later)

    assert dict(again(disk, part).rows) == {}


def test_a_copy_that_cannot_be_read_is_made_anew(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(1, b"a", b"1")])
    part.close()
    (disk.path("node", 0) / "CURRENT").write_text("nonsense\n")

    assert dict(disk.open("node", 0).rows) == {}


def test_rows_of_a_prefix_are_found_in_order_and_the_engines_own_are_none(disk: RocksDbBackend) -> None:
    part = disk.open("node", 0)
    part.read([Logged(n, key, b"v") for n, key in enumerate((b"b/2", b"a/1", b"b/1", b"c", offset_key("in")))])

    assert [key for key, _ in part.rows.scan(b"b/")] == [b"b/1", b"b/2"]  # type: ignore[attr-defined]
    assert list(part.rows) == [b"a/1", b"b/1", b"b/2", b"c"]
    assert (len(part.rows), part.rows.get(b"none"), b"c" in part.rows) == (4, None, True)
    with pytest.raises(TypeError):
        part.rows[b"c"] = b"not by hand"


def test_two_workers_cannot_share_a_folder(disk: RocksDbBackend) -> None:
    with pytest.raises(NotReadyError, match="another worker"):
        RocksDbBackend(disk.folder)


WRITER = """
import sys
from pathlib import Path
from agents.engine.state.rocksdb import RocksDbBackend
part = RocksDbBackend(Path(sys.argv[1])).open("node", 0)
for n in range(10**9):
    part.end = n + 1
    part.apply({b"count": b"%d" % n, b"row %d" % n: b"v"})
    if n == 500:
        print("written", flush=True)
"""


def test_a_killed_worker_leaves_rows_that_are_as_far_as_their_place(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    part = RocksDbBackend(tmp_path).open("node", 0)

    assert part.position is not None
    assert part.position.end >= 501
    assert part.rows[b"count"] == b"%d" % (part.position.end - 1)
    assert len(part.rows) == part.position.end + 1


def found_in_files(disk: RocksDbBackend, mark: bytes) -> list[str]:
    return sorted({path.suffix for path in disk.folder.rglob("*") if path.is_file() and mark in path.read_bytes()})


def test_what_was_erased_is_in_no_file_any_more(disk: RocksDbBackend) -> None:
    """Marks that do not compress: a block that is compressed has them as they are."""
    marks = [secrets.token_hex(24).encode() for _ in range(3)]
    part = disk.open("node", 0)
    part.end = 10
    part.apply({b"agendas/o/a": marks[0], b"appointments/o/x": marks[1], b"agendas/o/b": marks[2]})
    part.db.flush()
    for number in range(20):
        part.apply({b"agendas/o/other-%d" % number: secrets.token_bytes(2000)})
    assert [bool(found_in_files(disk, mark)) for mark in marks] == [True, True, True]

    part.apply({b"agendas/o/a": None, b"appointments/o/x": b"without"})
    assert [bool(found_in_files(disk, mark)) for mark in marks] == [True, True, True], "it is only covered up"
    part.scrub({b"agendas/o/a", b"appointments/o/x"})

    assert [bool(found_in_files(disk, mark)) for mark in marks] == [False, False, True]
    assert again(disk, part).rows[b"appointments/o/x"] == b"without"


def test_a_key_that_was_erased_is_in_no_file_any_more_once_the_outbox_that_names_it_is_sent(disk: RocksDbBackend) -> None:
    """Keys stand in RocksDB's list of files too."""
    mark, part = secrets.token_hex(24).encode(), disk.open("node", 0)
    part.end = 10
    part.apply({b"agendas/o/" + mark: b"1", b"agendas/a": b"2", b"agendas/z": b"3"})
    part.db.flush()
    part.apply({b"agendas/o/" + mark: None, OUTBOX_KEY: b"to " + mark})
    part.scrub({b"agendas/o/" + mark})
    assert found_in_files(disk, mark) != []
    part.apply({OUTBOX_KEY: None})
    assert found_in_files(disk, mark) == []


def test_what_was_erased_just_after_it_was_written_is_in_no_file_any_more(disk: RocksDbBackend) -> None:
    mark, part = secrets.token_hex(24).encode(), disk.open("node", 0)
    part.end = 10
    part.apply({b"agendas/o/a": mark})
    part.apply({b"agendas/o/a": None})
    assert found_in_files(disk, mark) == [".log"]
    part.scrub({b"agendas/o/a"})
    assert found_in_files(disk, mark) == []
