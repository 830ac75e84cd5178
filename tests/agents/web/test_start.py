"""How the web service says that it cannot start, and whether a supervisor tries again (deploy/RUNBOOK.md "Exit codes")."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from agents.exits import NOT_YET, REFUSED
from tests.broker.harness import command, environ

NOWHERE = "127.0.0.1:9"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def start(folder: Path, **settings: object) -> tuple[int, str]:
    done = command("web", **{"bootstrap": NOWHERE, "data": folder, "web_port": 0, **settings})
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines(keepends=True)
    assert '"event":"starting the web service"' in first
    return done.returncode, "".join(rest)


def test_neither_kafka_nor_the_database_has_to_be_there(tmp_path: Path) -> None:
    """Unsubscribing needs no database, and a page without Kafka says so itself."""
    pytest.importorskip("psycopg")
    away = "postgresql+psycopg://web:geheim@127.0.0.1:9/overview"
    given = environ(bootstrap=NOWHERE, data=tmp_path, web_port=0, web_database=away, web_publish_seconds=1)
    words = [sys.executable, "-m", "agents", "web"]
    with subprocess.Popen(words, env=given, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        served = next(line for line in process.stderr if '"serving"' in line)
        with urllib.request.urlopen(orjson.loads(served)["url"] + "/live", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert (process.returncode, "Traceback" in rest, "geheim" in rest) == (0, False, False)


def test_a_port_that_another_process_still_has_is_waited_for(tmp_path: Path, taken: int) -> None:
    code, told = start(tmp_path, web_port=taken)
    last = told.splitlines()[-1]
    assert (code, last.split(": ")[0], last.split(": ")[-1]) == (
        NOT_YET, f"cannot listen on 127.0.0.1 port {taken}", "Address already in use",
    )  # fmt: skip


def test_a_database_that_nobody_can_have_meant_is_refused(tmp_path: Path) -> None:
    code, told = start(tmp_path, web_database="overview.db")
    assert (code, told) == (REFUSED, "AFSPRAAKBERICHT_WEB_DATABASE is no database's URL\n")
