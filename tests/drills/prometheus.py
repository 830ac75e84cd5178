"""The real Prometheus over workers on this machine, with the rules of deploy/alerts.yaml in quick motion."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

from agents.broker.probe import free_ports

ALERTS = Path(__file__).parent.parent.parent / "deploy" / "alerts.yaml"
FACTOR, RANGES, LONGEST = 30, 10, 90
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def quick(rules: str, longest: int = LONGEST) -> str:
    """The rules in quick motion, so that a drill takes minutes: each `for` and each bound in seconds is divided by 30, each range
    and offset that is looked back on by 10, a minute and a half at most. What they look at, and how much is too much, stays.

    `longest`: seconds, for a machine so busy that what must happen within a range takes longer; all ranges grow alike.
    """

    def shorter(found: re.Match[str]) -> str:
        ranged = found[1] != "for: "
        seconds = int(found[2]) * SECONDS[found[3]] / (RANGES * LONGEST / longest if ranged else FACTOR)
        return f"{found[1]}{max(1, min(longest if ranged else LONGEST, round(seconds)))}s{found[4]}"

    rules = re.sub(r"(\[)(\d+)([smhd])(\])", shorter, rules)
    rules = re.sub(r"(offset )(\d+)([smhd])(\b)", shorter, rules)
    rules = re.sub(r"(for: )(\d+)([smhd])(\n)", shorter, rules)
    rules = re.sub(r" interval: \d+m\n", " interval: 1s\n", rules)
    return re.sub(r"(_seconds(?:\{[^}]*\})?\)) > (\d+)", lambda found: f"{found[1]} > {int(found[2]) // FACTOR}", rules)


class Prometheus:
    """A server that scrapes every second; a context manager. `targets` may change while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self.process: subprocess.Popen[bytes] | None = None
        self.longest = LONGEST

    def target(self, *ports: int) -> None:
        """Scrape these ports of this machine from now on."""
        text = json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}])
        written = self.folder / "targets.tmp"
        written.write_text(text)
        written.rename(self.folder / "targets.json")

    def look_back(self, seconds: float = LONGEST) -> None:
        """Have rules look back on so long at most, from now on."""
        if (longest := max(LONGEST, round(seconds))) == self.longest:
            return
        self.longest = longest
        (self.folder / "alerts.yaml").write_text(quick(ALERTS.read_text(), longest))
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def __enter__(self) -> Self:
        found = shutil.which("prometheus")
        assert found is not None, "no prometheus: install the Debian package"
        self.folder.mkdir(parents=True)
        (self.folder / "alerts.yaml").write_text(quick(ALERTS.read_text()))
        (self.folder / "prometheus.yaml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yaml]\n"
            "scrape_configs:\n"
            "  - job_name: afspraakbericht\n    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]\n"
        )
        self.target()
        words = [found, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--query.lookback-delta=5s"]
        with (self.folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*words, f"--web.listen-address=127.0.0.1:{self.port}"], cwd=self.folder, stdout=log, stderr=log
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def _asked(self, path: str) -> dict[str, Any]:
        """The data of an answer; none where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=10) as answer:
                data: dict[str, Any] = json.load(answer)["data"]
                return data
        except (urllib.error.URLError, OSError):
            return {}

    def _firing(self) -> set[str]:
        return {one["labels"]["alertname"] for one in self._asked("alerts").get("alerts", ()) if one["state"] == "firing"}

    async def value(self, metric: str, port: int) -> str | None:
        """What it has last scraped of a metric at a port."""
        query = urllib.parse.quote(f'{metric}{{instance="127.0.0.1:{port}"}}')
        found = (await asyncio.to_thread(self._asked, f"query?query={query}")).get("result")
        return str(found[0]["value"][1]) if found else None

    async def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        return await asyncio.to_thread(self._firing)

    async def until(self, names: set[str], fire: bool, deadline: float = 900.0) -> float:
        """Wait until all of these have fired once since now, or until none does; gives the seconds it took."""
        began, left = time.monotonic(), set(names)
        while left:
            now = await self.firing()
            left = left - now if fire else left & now
            if time.monotonic() - began > deadline:
                told = f"{sorted(left)} {'do not fire' if fire else 'still fire'}; firing now: {sorted(now)}"
                raise AssertionError(f"after {deadline:.0f} s {told}")
            await asyncio.sleep(0.5)
        return time.monotonic() - began
