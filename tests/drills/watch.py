"""Prometheus and Alertmanager by their files in deploy/, in quick motion: which alerts fire, reach Alertmanager, and end."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from agents.broker.probe import free_ports

from .prometheus import ALERTS, quick

DEPLOY = ALERTS.parent
SCRAPE_SECONDS = 2


class Watch:
    """Both servers. `firing`: the alerts that fire now; `told`: those that Alertmanager has been told of so far."""

    def __init__(self, folder: Path, relay: int, certificates: Path) -> None:
        self.folder, self.relay, self.certificates = folder, relay, certificates
        self.port, self.manager_port = free_ports(2)
        self.workers: list[int] = []
        self.web = 0
        self.firing: set[str] = set()
        self.told: set[str] = set()
        self._processes: list[subprocess.Popen[bytes]] = []

    def _configuration(self) -> str:
        """deploy/prometheus/prometheus.yaml with our addresses; no MLLP listener is installed."""
        text = (DEPLOY / "prometheus" / "prometheus.yaml").read_text()
        text = text[: text.index("  - job_name: afspraakbericht-mllp")]
        changes = {
            "worker-1:9464, worker-2:9464, worker-3:9464": ", ".join(f"127.0.0.1:{port}" for port in self.workers),
            "web:9464": f"127.0.0.1:{self.web}",
            "alertmanager:9093": f"127.0.0.1:{self.manager_port}",
            "scrape_interval: 15s, evaluation_interval: 15s": f"scrape_interval: {SCRAPE_SECONDS}s, evaluation_interval: 2s",
        }
        return replaced(text, changes)

    def start(self, users: tuple[str, str]) -> None:
        """Start both. `users`: name and password of Alertmanager's user at the mail relay."""
        self.folder.mkdir(parents=True)
        (self.folder / "alerts.yaml").write_text(quick(ALERTS.read_text()))
        (self.folder / "prometheus.yaml").write_text(self._configuration())
        (self.folder / "password").write_text(users[1])
        text = (DEPLOY / "prometheus" / "alertmanager.yaml").read_text()
        changes = {
            "smtp.example.org:587": f"localhost:{self.relay}", "smtp_auth_username: alarm": f"smtp_auth_username: {users[0]}",
            "/run/secrets/alertmanager_smtp_password": str(self.folder / "password"), "group_wait: 30s": "group_wait: 1s",
            "group_interval: 5m": "group_interval: 10s",
        }  # fmt: skip
        (self.folder / "alertmanager.yaml").write_text(replaced(text, changes))
        manager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
        prometheus = shutil.which("prometheus")
        assert prometheus is not None, "no prometheus: install the Debian package"
        assert manager is not None, "no Alertmanager: install the Debian package prometheus-alertmanager"
        self._spawn(
            manager, "--config.file=alertmanager.yaml", "--storage.path=manager", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{self.manager_port}",
        )  # fmt: skip
        self._spawn(
            prometheus, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--query.lookback-delta=6s",
            f"--web.listen-address=127.0.0.1:{self.port}",
        )  # fmt: skip

    def _spawn(self, *words: str) -> None:
        environment = {"SSL_CERT_FILE": str(self.certificates), "GOMAXPROCS": "1", "PATH": "/usr/bin:/bin"}
        with (self.folder / f"{Path(words[0]).name}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log, env=environment))

    def target(self, workers: list[int], web: int) -> None:
        """Scrape these ports from now on."""
        self.workers, self.web = workers, web
        if self._processes:
            (self.folder / "prometheus.yaml").write_text(self._configuration())
            self._processes[1].send_signal(signal.SIGHUP)

    async def run(self) -> None:
        """Look at both, for ever."""
        while True:
            self.firing = await asyncio.to_thread(self._firing)
            self.told |= {
                one["labels"]["alertname"] for one in await asyncio.to_thread(asked, self.manager_port, "/api/v2/alerts")
            }
            await asyncio.sleep(1.0)

    def _firing(self) -> set[str]:
        found = asked(self.port, "/api/v1/alerts")
        alerts = found["data"]["alerts"] if found else ()
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def stop(self) -> None:
        """End both."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)


def replaced(text: str, changes: dict[str, str]) -> str:
    """Put our own in the place of what a file of deploy/ names; each must be there."""
    for old, new in changes.items():
        assert re.search(re.escape(old), text), old
        text = text.replace(old, new)
    return text


def asked(port: int, path: str) -> Any:
    """What a server of this machine answers, from JSON; an empty list where it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return []
