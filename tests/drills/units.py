"""Services by their own unit files, as systemd runs them, without a systemd: environment, credentials, command, restart rule.

Where the files name /opt/afspraakbericht, /etc/afspraakbericht and /var/lib/afspraakbericht there are folders below one root.
The sandbox of the units is not followed here: `systemd-analyze` and tests/deploy look at that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.restart_rule import Rule, Supervised

STOP_SECONDS = 60.0
"""`TimeoutStopSec` of the workers' unit."""


@dataclass
class Machine:
    """The folders of one machine, and which version is installed. `given`: what any process of it has in its environment."""

    folder: Path
    given: dict[str, str] = field(default_factory=dict)
    tree: Path = Path()

    def __post_init__(self) -> None:
        for name in ("etc", "var", "run", "opt/bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def etc(self) -> Path:
        """In the place of /etc/afspraakbericht."""
        return self.folder / "etc"

    def install(self, tree: Path) -> None:
        """In the place of `pip install`: the program is that of a working tree from now on; what runs goes on as it is."""
        self.tree = tree
        program = self.folder / "opt" / "bin" / "afspraakbericht"
        written = program.with_suffix(".new")
        written.write_text(f'#!/bin/sh\ncd {tree} && PYTHONPATH={tree} exec {sys.executable} -m agents "$@"\n')
        written.chmod(0o755)
        written.rename(program)

    def here(self, text: str) -> str:
        """The same with our folders."""
        places = {"/opt/afspraakbericht": "opt", "/etc/afspraakbericht": "etc", "/var/lib/afspraakbericht": "var"}
        for place, name in places.items():
            text = text.replace(place, str(self.folder / name))
        return text

    def environment(self) -> dict[str, str]:
        """What a service has before its unit says more."""
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **self.given}


def settings_file(file: Path) -> dict[str, str]:
    """Read an EnvironmentFile."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


class Unit:
    """One service. `name`: `afspraakbericht@1`; its file is that of the version that is installed when it starts."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        self.instance = name.partition("@")[2]
        self.log = machine.folder / f"{name}.log"
        self.codes: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def file(self) -> Path:
        """The unit file."""
        base = self.name.partition("@")[0] + ("@" if self.instance else "")
        return self.machine.tree / "deploy" / "systemd" / f"{base}.service"

    def lines(self, what: str) -> list[str]:
        """All values of a directive."""
        found = [line.partition("=")[2] for line in self.file.read_text().splitlines() if line.startswith(f"{what}=")]
        credentials = str(self.machine.folder / "run" / self.name)
        return [
            self.machine.here(one.replace("%i", self.instance).replace("%H", "drill").replace("%d", credentials)) for one in found
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """As systemd.exec(5) has it: what files say wins."""
        values = self.machine.environment()
        for line in self.lines("Environment"):
            values |= dict(one.split("=", 1) for one in shlex.split(line))
        for name in self.lines("EnvironmentFile"):
            if (file := Path(name.removeprefix("-"))).exists() or not name.startswith("-"):
                values |= settings_file(file)
        return values

    def _credentials(self) -> None:
        folder = self.machine.folder / "run" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for line in self.lines("LoadCredential"):
            name, _, file = line.partition(":")
            shutil.copy(file, folder / name)

    async def _run(self) -> int:
        self._credentials()
        words = [word.replace("$$", "$") for word in shlex.split(self.lines("ExecStart")[0])]
        with self.log.open("ab") as out:  # not asyncio's: a start that is broken off there leaves a process that nobody knows
            self._process = subprocess.Popen(
                words, env=self.environment(), stdout=out, stderr=out, start_new_session=True, cwd=self.machine.folder
            )
        return await _ended(self._process)

    def start(self) -> None:
        """Start it, and keep it running as its file says."""
        supervised = Supervised(Rule.of(self.file), self._run, self.codes)
        self._keeping = asyncio.create_task(supervised.keep())

    async def stop(self) -> int:
        """As `systemctl stop`: SIGTERM, after a minute SIGKILL. Returns its exit code, 0 where it did not run."""
        keeping, self._keeping = self._keeping, None
        process = self._process
        if keeping is not None:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
        if process is None or process.poll() is not None:
            return 0
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await _ended(process)
        except TimeoutError:
            self.kill()
            return await _ended(process)

    def kill(self) -> None:
        """As a power cut would, to the process alone: it is started again by its rule."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def is_left_alone(self) -> bool:
        """Whether systemd would not start it any more."""
        return self._keeping is not None and self._keeping.done()


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end, without a thread that would outlive a wait that is broken off; returns its exit code."""
    while (code := process.poll()) is None:
        await asyncio.sleep(0.05)
    return code
