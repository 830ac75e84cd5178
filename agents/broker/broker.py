"""Run a real Apache Kafka on this machine, for `make run` and the tests: KRaft, on the JRE of a wheel, loopback only."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from . import java
from . import log as broker_log
from . import watch as broker_watch
from .jars import VERSION, BrokerError, class_path
from .probe import free_ports, is_taken, members
from .properties import HOST, LOGS, Quorum, as_file, properties

__all__ = ["DEFAULT_PORT", "BrokerError", "EmbeddedKafka"]

DEFAULT_PORT = 9092
CONFIG = "server.properties"
GRACE_SECONDS = 20.0
"""How long a stop may take until the broker is killed; it normally takes one or two seconds."""


class EmbeddedKafka:
    """One Kafka node in a process of its own, which ends with ours, however ours ends.

    The folder `data` holds all of it: `log/` (the records), `server.properties` and `broker.log`. A port that is
    named must be free; `port=None` takes a free one, `fallback=True` does so if the named one is taken. `extra` are
    Kafka's own properties and win over ours; `options` are Java's. With a `quorum` the node is one of several, see
    `EmbeddedCluster`. A stop that takes more than `grace` seconds is a kill.

    Use it as a context manager, or call `start()` and `stop()`. Safe in a program with threads and event loops; the calls
    block, so a coroutine calls them with `asyncio.to_thread`.
    """

    def __init__(
        self,
        data: Path | str = Path("data/kafka"),
        port: int | None = DEFAULT_PORT,
        *,
        fallback: bool = False,
        extra: Mapping[str, str] | None = None,
        heap: str = "384m",
        jars: Path | None = None,
        version: str = VERSION,
        start_seconds: float = 60.0,
        quorum: Quorum | None = None,
        node: int = 1,
        options: Sequence[str] | None = None,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.data = Path(data).expanduser().resolve()
        self.log = self.data / "broker.log"
        self.version = version
        self._wanted, self._fallback = port, fallback
        self._extra = dict(extra or {})
        self._heap, self._jars, self._start_seconds = heap, jars, start_seconds
        self._quorum, self._node = quorum, node
        self._options, self._grace = options, grace
        self._port: int | None = None
        self._java: int | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:port`; known once started."""
        if self._port is None:
            raise BrokerError("the broker has no address before it is started")
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """Java's process id while it runs."""
        return self._java if self.alive else None

    @property
    def alive(self) -> bool:
        """Tell whether the broker's process runs."""
        return self._watcher is not None and self._watcher.poll() is None

    def start(self) -> Self:
        """Start it and return when it answers; BrokerError with one readable line if it cannot."""
        if self.alive:
            return self
        for attempt in range(3):
            self.spawn()
            try:
                self.wait_ready()
            except BrokerError:
                self.kill()
                # A free port can be taken by another program between our look and Kafka's bind.
                if self._port == self._wanted or attempt == 2 or not broker_log.says_address_in_use(self.log):
                    raise
                self._port = None
            except BaseException:  # Ctrl-C during the start
                self.kill()
                raise
            else:
                return self
        raise AssertionError("not reached")

    def spawn(self) -> None:
        """Start the process without waiting until it answers: the nodes of a cluster need one another for that."""
        program, jars = java.program(), class_path(self.version, self._jars)
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            lock = (self.data / ".lock").open("a+")
        except OSError as error:
            raise BrokerError(f"the data folder {self.data} cannot be used: {error.strerror}; choose another") from error
        with lock:
            self._hold(lock)
            self._port = self._choose_port()
            quorum = self._quorum or Quorum(java.new_id(), tuple(free_ports(1)))
            values = properties(quorum, self._node, self._port, self._extra)
            (self.data / CONFIG).write_text(as_file(values))
            options = self._options or java.with_classes(java.kept_classes(self.version, self._jars))
            base, path = [str(program), *java.flags(self._heap)], ["-cp", os.pathsep.join(map(str, jars))]
            broker_log.rotate(self.log)
            with self.log.open("ab") as log:
                if not (self.data / LOGS / "meta.properties").exists():
                    tool = [*base, *path, "kafka.tools.StorageTool", "format", "-t", quorum.cluster_id, "-c", CONFIG]
                    self._new_folder(tool, quorum.cluster_id, log)
                self._launch([*base, *options, *path, "kafka.Kafka", CONFIG], log, lock)

    def wait_ready(self, nodes: int = 1) -> None:
        """Return when the broker's own metadata name a controller and that many brokers."""
        limit = time.monotonic() + self._start_seconds
        port = int(self.bootstrap.rpartition(":")[2])
        while members(HOST, port) < nodes:
            if not self.alive:
                raise BrokerError(f"Kafka ended while starting: {broker_log.reason(self.log)}; details in {self.log}")
            if time.monotonic() > limit:
                raise BrokerError(f"Kafka did not answer within {self._start_seconds:.0f} s; see {self.log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it in order; returns when the process is gone. Does nothing to a broker that does not run."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            if watcher.stdin is not None:
                watcher.stdin.close()  # the watcher takes this for the sign
            watcher.wait(self._grace + 10)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL; returns when the process is gone."""
        self.signal(signal.SIGKILL)
        self.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Java, SIGSTOP for one: for tests of what a broker can do to us."""
        if self.alive and self._java is not None:
            os.kill(self._java, number)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the process ends by itself or the time is over; tells whether it ended."""
        if self._watcher is None:
            return True
        try:
            self._watcher.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _hold(self, lock: IO[str]) -> None:
        """Lock the data folder. A broker that is just stopping, its parent killed, gets a few seconds to finish.

        Not by `filelock`: the watcher inherits this open file and holds the lock when we are gone, and it says who holds it.
        """
        limit = time.monotonic() + 3
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < limit:
                    time.sleep(0.1)
                    continue
                lock.seek(0)
                holder = lock.read().strip() or "an unknown process"
                message = f"the data folder {self.data} is in use by another broker ({holder}): stop it or choose another folder"
                raise BrokerError(message) from None
            lock.seek(0)
            lock.truncate()
            lock.write(f"process {os.getpid()}")
            lock.flush()
            return

    def _choose_port(self) -> int:
        if self._wanted is None:
            return self._port or free_ports(1)[0]  # a restart keeps its port: clients remember it
        if not is_taken(HOST, self._wanted):
            return self._wanted
        if self._fallback:
            return free_ports(1)[0]
        raise BrokerError(f"port {self._wanted} is in use on {HOST}: stop what listens there or choose another port")

    def _new_folder(self, command: list[str], cluster_id: str, log: IO[bytes]) -> None:
        """Make the folder of the records: of the one that was kept, or by Kafka's tool, whose work is kept."""
        logs, kept = self.data / LOGS, java.kept_folder(self.version, self._jars)
        if kept.exists() and not logs.exists():
            java.copy_folder(kept, logs, cluster_id, self._node)
        else:
            self._format(command, log)
            java.keep_folder(logs, kept)

    def _format(self, command: list[str], log: IO[bytes]) -> None:
        done = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=java.environment(), cwd=self.data, check=False
        )
        if done.returncode:
            raise BrokerError(f"Kafka could not set up {self.data}: {broker_log.reason(self.log)}; details in {self.log}")

    def _launch(self, command: list[str], log: IO[bytes], lock: IO[str]) -> None:
        """Start Java below the watcher, in a session of its own: Ctrl-C is for us, and we stop the broker last."""
        watch = [sys.executable, "-I", "-S", broker_watch.__file__, str(os.getpid()), str(self._grace)]
        watcher = subprocess.Popen(  # noqa: S603
            [*watch, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=java.environment(),
            cwd=self.data,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
        self._watcher, self._java = watcher, None
        if watcher.stdout is not None:
            with watcher.stdout as told:
                self._java = int(told.readline() or 0) or None
