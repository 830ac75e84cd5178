"""Services of `make two-weeks` get from our unit files what systemd gives them, and are kept as it keeps them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.broker.harness import ROOT

from .units import Machine, Unit


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path, {"SSL_CERT_FILE": "/ca.pem"})
    made.install(ROOT)
    return made


def test_a_worker_has_its_own_settings_secrets_and_folder(machine: Machine) -> None:
    (machine.etc / "env").write_text("# a comment\nAFSPRAAKBERICHT_BOOTSTRAP=a:1,b:1\nAFSPRAAKBERICHT_LOG_FORMAT=console\n")
    (machine.etc / "env.7").write_text("AFSPRAAKBERICHT_METRICS_PORT=1234\n")
    found = Unit(machine, "afspraakbericht@7").environment()
    run = machine.folder / "run" / "afspraakbericht@7"

    assert found["AFSPRAAKBERICHT_INSTANCE"] == "drill-7"
    assert found["AFSPRAAKBERICHT_DATA"] == str(machine.folder / "var" / "7")
    assert found["AFSPRAAKBERICHT_KAFKA_PASSWORD_FILE"] == str(run / "kafka_password")
    assert (found["AFSPRAAKBERICHT_KAFKA_USER"], found["AFSPRAAKBERICHT_METRICS_PORT"]) == ("worker", "1234")
    assert found["AFSPRAAKBERICHT_LOG_FORMAT"] == "console", "what a file says wins, as with systemd"
    assert found["SSL_CERT_FILE"] == "/ca.pem"


def test_without_the_file_that_must_be_there_it_does_not_start(machine: Machine) -> None:
    with pytest.raises(FileNotFoundError):
        Unit(machine, "afspraakbericht@7").environment()


async def test_it_is_started_again_after_a_kill_and_ends_when_it_is_stopped(machine: Machine, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deploy" / "systemd").mkdir(parents=True)
    lines = (
        "[Service]", "ExecStart=/bin/sh -c 'echo \"$$NAME\" >> /var/lib/afspraakbericht/said; exec sleep 600'",
        "Environment=NAME=%i", "LoadCredential=key:/etc/afspraakbericht/key", "Restart=on-failure", "RestartSec=10ms",
        "StartLimitIntervalSec=0",
    )  # fmt: skip
    (tree / "deploy" / "systemd" / "thing@.service").write_text("\n".join(lines))
    machine.install(tree)
    (machine.etc / "key").write_text("secret")
    unit, said = Unit(machine, "thing@3"), machine.folder / "var" / "said"

    async def times(count: int) -> None:
        async with asyncio.timeout(60):
            while not said.exists() or said.read_text().count("3\n") < count:
                await asyncio.sleep(0.02)

    unit.start()
    await times(1)
    assert (machine.folder / "run" / "thing@3" / "key").read_text() == "secret"
    unit.kill()
    await times(2)
    assert not unit.is_left_alone
    assert await unit.stop() == -15
    assert unit.codes == [-9]
