"""Write to standard output, or to a file that gets its name only when it is whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class ExportFile:
    """`with ExportFile(path) as out: out.write(…)`. Without a path: standard output.

    The file is written under another name beside it and renamed at the end; it is deleted if the export breaks off.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.written = 0
        self.closed = False
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part") if path is not None else None
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._file = sys.stdout.buffer if self._part is None else self._part.open("xb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is None or self._part is None or self.path is None:
            if kind is None:
                self.flush()
            return
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self._part, self.path)
        finally:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    # What pyarrow asks of a file: it cannot ask a pipe where it is.

    def write(self, data: bytes | memoryview) -> int:
        """Write it all."""
        count = len(data)
        if self._file is not None:  # else it broke off, and what a library still has to say goes nowhere
            self._file.write(data)
        self.written += count
        return count

    def flush(self) -> None:
        """Flush to whoever reads along."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Do nothing: `__exit__` knows whether the file is whole."""
        self.flush()

    def tell(self) -> int:
        """Return how much was written."""
        return self.written

    def writable(self) -> bool:
        """Tell that it is."""
        return True

    def readable(self) -> bool:
        """Tell that it is not."""
        return False

    def seekable(self) -> bool:
        """Tell that it is not."""
        return False
