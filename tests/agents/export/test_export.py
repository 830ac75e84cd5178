"""An export as a whole, on a stretch in memory: chunks, the progress bar, and a form that fails."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from agents.export.export import ROWS, Export
from agents.export.filters import Chooser, Wanted
from agents.export.output import ExportFile

COUNT = ROWS * 2 + 500


class Ranges:
    """Batches of 1000 records."""

    follow = False

    async def batches(self) -> AsyncIterator[tuple[int, list[Any]]]:
        for begin in range(0, COUNT, 1000):
            numbers = range(begin, min(begin + 1000, COUNT))
            yield begin % 3, [SimpleNamespace(offset=n, value=orjson.dumps({"number": n})) for n in numbers]


class Kept:
    def __init__(self, fail_at: int = -1) -> None:
        self.chunks: list[int] = []
        self.values: list[bytes] = []
        self.closed = False
        self.fail_at = fail_at

    def write(self, values: Any) -> None:
        if len(self.chunks) == self.fail_at:
            raise OSError("no space left")
        self.chunks.append(len(values))
        self.values += values

    def close(self) -> None:
        self.closed = True


def export(form: Kept, *, shown: bool = False) -> Export:
    def refuse(error: Exception) -> None:
        raise error

    ranges: Any = Ranges()
    return Export(ranges, Chooser(Wanted(every=True), refuse), form, ExportFile(None), COUNT if shown else None)


async def test_all_comes_in_order_in_bounded_chunks(capsys: pytest.CaptureFixture[str]) -> None:
    form = Kept()
    assert await export(form).run() == COUNT

    assert [orjson.loads(value)["number"] for value in form.values] == list(range(COUNT))
    assert max(form.chunks) < ROWS + 1000
    assert len(form.chunks) == 3
    assert form.closed
    assert capsys.readouterr().err == ""  # no bar but on a terminal


@pytest.mark.parametrize(("soon", "terminal", "shown"), [(0.0, True, True), (3600.0, True, False), (0.0, False, False)])
async def test_a_terminal_sees_how_far_it_is_once_it_takes_long(
    soon: float, terminal: bool, shown: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.terminal.SOON", soon)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    await export(Kept(), shown=True).run()
    out, err = capsys.readouterr()
    assert ("records/s" in err, out) == (shown, "")
    assert shown or err == ""
    assert err[err.rfind("\r") + 1 :].strip() == "", "it is gone when all is read"


async def test_a_form_that_fails_ends_it_and_is_not_closed() -> None:
    form = Kept(fail_at=1)
    with pytest.raises(OSError, match="no space left"):
        await export(form).run()
    assert len(form.chunks) == 1
    assert not form.closed
