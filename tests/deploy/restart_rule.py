"""What systemd does when a service of ours ends, by the service's own file (systemd.service(5), version 252).

There is no systemd in a test: so its rule is read from the unit and followed here, with the unit's own waits.
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

CLEAN_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE}
SECONDS = {"": 1.0, "s": 1.0, "ms": 0.001, "min": 60.0}


@dataclass(frozen=True)
class Rule:
    """When it is started again. Seconds; `burst` starts within `interval` and it is left alone for good, 0: never."""

    when: str = "no"
    wait: float = 0.1
    prevent: frozenset[int] = frozenset()
    interval: float = 10.0
    burst: int = 5

    @classmethod
    def of(cls, unit: Path) -> Rule:
        """Read the rule of a unit file."""
        found = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
        return cls(
            found.get("Restart", "no"),
            _seconds(found.get("RestartSec", "100ms")),
            frozenset(map(int, found.get("RestartPreventExitStatus", "").split())),
            _seconds(found.get("StartLimitIntervalSec", "10s")),
            int(found.get("StartLimitBurst", "5")),
        )

    def restarts(self, code: int, starts: list[float]) -> bool:
        """Say whether it is started again after this exit code (of a signal: negative), with these starts so far."""
        if code in self.prevent or self.when not in ("on-failure", "always"):
            return False
        if self.when == "on-failure" and (code == 0 or -code in CLEAN_SIGNALS):
            return False
        return not self.interval or sum(start > starts[-1] - self.interval for start in starts) < self.burst


def _seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", text.strip()).groups()  # type: ignore[union-attr]
    return float(number) * SECONDS[unit]


@dataclass
class Supervised:
    """A service as systemd keeps it: `run` starts it and returns the exit code when it has ended."""

    rule: Rule
    run: Callable[[], Awaitable[int]]
    codes: list[int] = field(default_factory=list)

    async def keep(self) -> None:
        """Start it, and again as the rule says. Returns where systemd would leave it alone."""
        starts = [time.monotonic()]
        while True:
            self.codes.append(await self.run())
            if not self.rule.restarts(self.codes[-1], starts):
                return
            await asyncio.sleep(self.rule.wait)
            starts.append(time.monotonic())
