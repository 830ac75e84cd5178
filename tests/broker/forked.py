"""Processes of ours as forks of one that has all of it imported: as real as those that the shell begins, and up with less CPU.

Each has a session, an environment, a working directory and a log of its own; a signal or a power cut ends it as it ends those.
The broker tests begin hundreds. What begins them otherwise, a shell or a unit, has tests of its own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path

IMPORTED = ["agents.worker.app", "agents.web.app", "agents.commands.worker", "agents.commands.web"]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(IMPORTED)


class Forked:
    """A process with what is used of `subprocess.Popen`."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> None:
        """Begin `python -m WORDS`; what it prints goes into the log."""
        with contextlib.chdir(folder):
            forkserver.ensure_running()  # it finds our modules from there
        self._process = CONTEXT.Process(target=_run, args=(tuple(words), dict(environ), folder, log), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(words: tuple[str, ...], environ: dict[str, str], folder: Path, log: Path) -> None:
    """Become `python -m WORDS`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
