"""From a stretch of the log to a form, a chunk at a time: while one is written, in a thread, the next one is read."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tqdm import tqdm

from .choosing import Chooser
from .forms import Form
from .stretch import Reading
from .target import Target

ROWS, BYTES = 32_768, 8 << 20
"""A chunk is full with so many records, or so many bytes of them: it is a row group of Parquet, and there are two in memory."""


class Export:
    """One export. `shown`: a progress bar on stderr."""

    def __init__(self, reading: Reading, chooser: Chooser, form: Form, target: Target, *, shown: bool = False) -> None:
        self.reading, self.chooser, self.form, self.target = reading, chooser, form, target
        self.bar: Any = tqdm(total=reading.total, unit=" records", unit_scale=True, file=sys.stderr, disable=not shown)
        self.chunk: list[bytes] = []
        self.size = self.count = 0
        self.writing: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """To the end; gives how many records were written. With `follow` each batch is written as it comes."""
        follow = self.reading.stretch.follow
        with self.bar:
            try:
                async for partition, records in self.reading.batches():
                    self._take(self.chooser.choose(partition, records))
                    self.bar.update(len(records))
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
            if self.reading.stretch.follow:
                await self._written()

    async def _thread(self, chunk: list[bytes]) -> None:
        await asyncio.to_thread(self.form.write, chunk)
        if self.reading.stretch.follow:
            self.target.flush()

    async def _written(self) -> None:
        writing, self.writing = self.writing, None
        if writing is not None:
            await writing
