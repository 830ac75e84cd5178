"""Processes of ours as forks of one that has all of it imported: as real as those that the shell begins, and up with less CPU.

Each has a session, an environment, a working directory and a log of its own; a signal or a power cut ends it as it ends those.
The broker tests begin hundreds. What begins them otherwise, a shell or a unit, has tests of its own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path

import agents.commands

COMMANDS = [one.name for one in pkgutil.iter_modules(agents.commands.__path__, "agents.commands.")]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["agents.worker.app", "agents.web.app", *COMMANDS])


class Forked:
    """A process with what is used of `subprocess.Popen`."""

    def __init__(
        self, words: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path, errors: Path | None = None
    ) -> None:  # fmt: skip
        """Begin `python -m WORDS`; what it prints goes into the log, and errors there too if they have no file of their own."""
        with contextlib.chdir(folder):
            forkserver.ensure_running()  # it finds our modules from there
        log.touch()  # there before the process is
        self._words = words
        self._process = CONTEXT.Process(target=_run, args=(tuple(words), dict(environ), folder, log, errors or log), daemon=True)
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
            raise subprocess.TimeoutExpired(list(self._words), timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(words: Sequence[str], environ: Mapping[str, str], folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run `python -m WORDS` to its end. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as name:
        out, errors = Path(name) / "out", Path(name) / "errors"
        process = Forked(words, environ, folder, out, errors)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(list(words), code, out.read_text(), errors.read_text())


def _run(words: tuple[str, ...], environ: dict[str, str], folder: Path, log: Path, errors: Path) -> None:
    """Become `python -m WORDS`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    for number, file in ((1, log), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
