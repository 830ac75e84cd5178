"""Export a range of the log, a chunk at a time: while one is written, in a thread, the next one is read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from ..engine.transport.ranges import Ranges
from ..terminal import progress, silent
from .filters import Chooser
from .formats import Form
from .output import ExportFile

ROWS, BYTES = 32_768, 8 << 20
"""A chunk is full with so many records, or so many bytes of them: it is a row group of Parquet, and there are two in memory."""


class Export:
    """One export. `total`: how many records there are, to show how far it is; None: that is not shown."""

    def __init__(self, ranges: Ranges, chooser: Chooser, form: Form, target: ExportFile, total: int | None = None) -> None:
        self.ranges, self.chooser, self.form, self.target = ranges, chooser, form, target
        self.progress: Any = (progress if total is not None else silent)(total, "record")
        self.chunk: list[bytes] = []
        self.size = self.count = 0
        self.writing: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Export to the end, and return how many records were written. With `follow` each batch is written as it comes."""
        follow = self.ranges.follow
        with self.progress as more:
            try:
                async with aclosing(self.ranges.batches()) as stream:
                    async for tp, records in stream:
                        self._take(self.chooser.choose(tp, records))
                        more(len(records))
                        if follow or len(self.chunk) >= ROWS or self.size >= BYTES:
                            await self._write()
                await self._write()
            finally:
                await self._written()
        await asyncio.to_thread(self.form.close)
        return self.count

    def _take(self, values: list[bytes]) -> None:
        self.chunk += values
        self.size += sum(map(len, values))

    async def _write(self) -> None:
        """Hand the chunk to the thread, when it is done with the one before."""
        await self._written()
        if self.chunk:
            self.count += len(self.chunk)
            self.writing = asyncio.create_task(self._thread(self.chunk))
            self.chunk, self.size = [], 0
            if self.ranges.follow:
                await self._written()

    async def _thread(self, chunk: list[bytes]) -> None:
        await asyncio.to_thread(self.form.write, chunk)
        if self.ranges.follow:
            self.target.flush()

    async def _written(self) -> None:
        writing, self.writing = self.writing, None
        if writing is not None:
            await writing
