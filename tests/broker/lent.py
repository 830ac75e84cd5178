"""One broker for the stands of a process, one after another: to start one and to warm it up takes more CPU time than most tests.

Between two stands all topics are deleted, and with them the offsets that groups have committed. The groups stay.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from agents.broker.broker import EmbeddedKafka

_brokers: dict[str, EmbeddedKafka] = {}
_lent: set[str] = set()


def shared(version: str) -> EmbeddedKafka:
    """The broker of this process; it is started when it is first asked for, and stopped when the process ends."""
    if version not in _brokers:
        folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        _brokers[version] = EmbeddedKafka(folder, port=None, version=version)
        atexit.register(_end, _brokers[version])
    return _brokers[version].start()


def _end(broker: EmbeddedKafka) -> None:
    broker.stop()
    shutil.rmtree(broker.data, ignore_errors=True)


class LentKafka:
    """That broker, from `start()` to `stop()` for one stand alone. Not while another one has it: two would share topics."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._found: set[str] | None = None

    def start(self) -> None:
        assert self._version not in _lent, "another stand has the broker: give one of them its `own`"
        broker = shared(self._version)
        self.bootstrap, self.log = broker.bootstrap, broker.log
        self._found = asyncio.run(topics(self.bootstrap))
        _lent.add(self._version)

    def stop(self) -> None:
        if self._found is not None:
            asyncio.run(delete_topics(self.bootstrap, besides=self._found))
            self._found = None
            _lent.remove(self._version)


async def topics(bootstrap: str) -> set[str]:
    """The names of all topics but Kafka's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return {name for name in await admin.list_topics() if not name.startswith("__")}
    finally:
        await admin.close()


async def delete_topics(bootstrap: str, besides: set[str]) -> None:
    """Delete all topics but Kafka's own and these; returns when the broker knows none of them any more."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=60_000)
    await admin.start()
    try:
        while left := {name for name in await admin.list_topics() if not name.startswith("__")} - besides:
            await admin.delete_topics(list(left), timeout_ms=60_000)
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
