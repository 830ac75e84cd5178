"""The embedded broker: it keeps what it was given, says in one line why it cannot start, and is never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.broker import jars as broker_jars
from agents.broker.broker import BrokerError, EmbeddedKafka
from agents.broker.log import reason

pytestmark = pytest.mark.broker

RUNS_A_BROKER = """
import sys
from agents.broker.broker import EmbeddedKafka
broker = EmbeddedKafka(sys.argv[1], None).start()
print(broker.pid, flush=True)
broker.wait()
"""


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value)


async def consume(bootstrap: str, topic: str) -> bytes | None:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
        return bytes(record.value)


def exists(pid: int) -> bool:
    """Whether the process runs: one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 10) -> bool:
    limit = time.monotonic() + seconds
    while exists(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    return not exists(pid)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another Python program that runs a broker in `tmp_path / "data"`, and the broker's own process."""
    command = [sys.executable, "-c", RUNS_A_BROKER, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


async def test_takes_and_gives_records(kafka: EmbeddedKafka, fresh: Callable[[str], str]) -> None:
    await produce(kafka.bootstrap, fresh("words"), b"a word")

    assert await consume(kafka.bootstrap, fresh("words")) == b"a word"


async def test_a_restart_on_the_same_folder_keeps_the_records(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, naïve = 日本"
    with EmbeddedKafka(folder, None) as broker:
        await produce(broker.bootstrap, "words", b"kept")
    with EmbeddedKafka(folder, None) as broker:
        kept = await consume(broker.bootstrap, "words")

    assert kept == b"kept"


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerError) as caught:
            EmbeddedKafka(tmp_path, port).start()

    assert str(caught.value) == f"port {port} is in use on 127.0.0.1: stop what listens there or choose another port"


def test_a_folder_in_use_is_one_line_and_a_taken_port_may_fall_back(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "a", None) as first:
        port = int(first.bootstrap.rpartition(":")[2])
        with pytest.raises(BrokerError, match=r"^the data folder .* is in use by another broker \(process \d+\): stop it or .*$"):
            EmbeddedKafka(tmp_path / "a", None).start()
        with EmbeddedKafka(tmp_path / "b", port, fallback=True) as second:
            assert second.bootstrap != first.bootstrap


def test_a_broker_that_dies_at_its_start_is_one_line(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path, None, extra={"log.segment.bytes": "many"})

    with pytest.raises(BrokerError) as caught:
        broker.start()

    assert "\n" not in str(caught.value)
    assert "Invalid value many for configuration log.segment.bytes" in str(caught.value)
    assert str(tmp_path / "broker.log") in str(caught.value)
    assert not broker.alive


def test_a_parent_killed_takes_the_broker_with_it_and_the_folder_is_free_again(
    program: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, java = program
    process.kill()

    assert gone(java)
    with EmbeddedKafka(tmp_path / "data", None) as broker:
        assert broker.alive


def test_a_watcher_killed_takes_the_broker_with_it(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path, None) as broker:
        java = broker.pid
        assert java is not None
        watcher = int(Path(f"/proc/{java}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(watcher, signal.SIGKILL)

        assert gone(java)
        assert broker.wait(5)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_in_order_when_asked(sign: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agents", "broker", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first.startswith("Kafka is at 127.0.0.1:")
        process.send_signal(sign)

        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    log = (tmp_path / "log" / ".kafka_cleanshutdown").exists()
    assert log, "Kafka notes a shutdown in order"


def test_a_kill_is_survived(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path, None).start()
    address = broker.bootstrap
    broker.kill()
    assert not broker.alive
    with broker:
        assert broker.alive
        assert broker.bootstrap == address


def test_no_network_for_the_jars_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(BrokerError) as caught:
        broker_jars.class_path(cache=tmp_path)

    assert str(caught.value).startswith(f"Kafka {broker_jars.VERSION}'s jars could not be fetched from Maven Central: check")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [f".kafka-{broker_jars.VERSION}.lock"]


def test_a_cut_jar_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(b"1234")
    (tmp_path / broker_jars.LIST).write_text("a.jar\t4\n")
    assert broker_jars._listed(tmp_path) == [tmp_path / "a.jar"]
    (tmp_path / "a.jar").write_bytes(b"12")

    assert broker_jars._listed(tmp_path) == []


def test_the_reason_is_the_last_cause_of_the_last_run(tmp_path: Path) -> None:
    log = tmp_path / "broker.log"
    log.write_text("java.io.IOException: old\n==== start ====\nERROR x\njava.lang.RuntimeException: outer\n\tat a.b(C.java)\n")

    assert reason(log) == "java.lang.RuntimeException: outer"


def test_two_first_uses_of_one_cache_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fetch(version: str, folder: Path) -> None:
        fetched.append(version)
        time.sleep(0.3)
        (folder / "a.jar").write_bytes(b"1234")
        (folder / broker_jars.LIST).write_text("a.jar\t4\n")

    monkeypatch.setattr(broker_jars, "_fetch", fetch)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: broker_jars.class_path("1", tmp_path), range(2)))

    assert results == [[tmp_path / "kafka-1" / "a.jar"]] * 2
    assert fetched == ["1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".kafka-1.lock", "kafka-1"]
