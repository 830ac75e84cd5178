"""What the figures of every process share for Prometheus: a registry of its own, and what the process is made of."""

from __future__ import annotations

import os
import platform
import time
import zoneinfo
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

from ..revision import revision, version_of
from .health import Health

NAMESPACE = "afspraakbericht"


class Figures(Health):
    """Counters and gauges in a registry of their own: two apps in one process do not mix."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # one series more for each counter, that nobody asks for
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = self._make(Gauge, "build_info", "Always 1; what this process is made of", *_BUILD)
        build.labels(*(read() for read in _BUILD.values())).set(1)

    def _make(self, kind: type[Any], name: str, text: str, *labels: str, **more: Any) -> Any:
        made: MetricWrapperBase = kind(name, text, labels, namespace=NAMESPACE, registry=self.registry, **more)
        return made


def tzdata_version() -> str:
    """Return the version of the time-zone data in force: the system's, or else the package's. Two workers with different ones
    may remind at different hours.
    """
    for folder in zoneinfo.TZPATH:
        for name in ("tzdata.zi", "+VERSION"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    return file.readline().removeprefix("# version ").strip()
            except OSError:
                continue
        if os.path.isdir(os.path.join(folder, "Europe")):
            return "system"
    return version_of("tzdata")


_BUILD: dict[str, Callable[[], str]] = {
    "version": version_of,
    "revision": revision,
    "python": platform.python_version,
    "faust": lambda: version_of("faust-streaming"),
    "tzdata": tzdata_version,
}
