"""A thousand messages over MLLP while the listener and Kafka are killed: each is acknowledged once, and none is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from agents.broker.probe import free_ports

from .harness import Stand, Worker, environ

pytestmark = pytest.mark.broker

MESSAGES = 1000
KILLS = {300: "listener", 600: "kafka"}


def message(number: int) -> bytes:
    lines = [rf"MSH|^~\&|PLAN|ZORG|||20260302090000||SIU^S12|m-{number}|P|2.5", f"SCH||a-{number}", "PID|||anna"]
    return "\r".join(lines).encode()


class Sender:
    """As a planner's interface engine sends: one message at a time, again, on a new connection, until it is acknowledged."""

    def __init__(self, port: int) -> None:
        self.port, self.acknowledged = port, list[str]()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, value: bytes) -> None:
        async with asyncio.timeout(120):
            while not await self._sent(value):
                await asyncio.sleep(0.1)

    async def _sent(self, value: bytes) -> bool:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self._streams
            writer.write(b"\x0b" + value + b"\x1c\r")
            answer = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
        except (OSError, EOFError, TimeoutError):
            if self._streams is not None:
                self._streams[1].close()
            self._streams = None
            return False
        _, said = answer.decode().split("\rMSA|")
        code, control = said.strip("\r\x1c").split("|")
        assert code == "AA"
        self.acknowledged.append(control)
        return True


async def test_each_message_is_acknowledged_once_and_none_is_lost(tmp_path: Path) -> None:
    producers = tmp_path / "producers.json"
    producers.write_bytes(orjson.dumps([{"organisation": "zorg"}]))
    (port,) = free_ports(1)
    async with Stand(tmp_path, own=True) as stand:
        settings = environ(
            bootstrap=stand.kafka.bootstrap, producers=producers, mllp_port=port, mllp_organisation="zorg", log_format="json"
        )

        def listen(number: int) -> Worker:
            stand.workers.append(Worker(tmp_path / f"listener-{number}.log", settings, name="mllp"))
            return stand.workers[-1]

        listener, sender = listen(1), Sender(port)
        for number in range(MESSAGES):
            if KILLS.get(number) == "listener":
                sending = asyncio.create_task(sender.send(message(number)))
                listener.kill()
                listener = listen(2)
                await sending
                continue
            if KILLS.get(number) == "kafka":
                sending = asyncio.create_task(sender.send(message(number)))
                await asyncio.to_thread(stand.kafka.kill)
                await asyncio.to_thread(stand.kafka.start)
                await sending
                continue
            await sender.send(message(number))
        assert sender.acknowledged == [f"m-{number}" for number in range(MESSAGES)]
        kept = {record.value for record in await stand.records("hl7v2")}
        assert kept == {message(number) for number in range(MESSAGES)}
        assert await listener.stop() == 0
