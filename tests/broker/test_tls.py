"""Three brokers that speak TLS and want a login: a worker on them, and what is refused in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import orjson
import pytest

from agents.broker.broker import EmbeddedKafka
from agents.broker.cluster import EmbeddedCluster
from agents.broker.java import new_id
from agents.broker.probe import free_ports
from agents.broker.properties import Quorum
from agents.exits import NOT_YET, REFUSED
from agents.fakes.sms import FakeSms
from agents.kafka.reader import read_topic
from agents.kafka.security import client_settings
from agents.kafka.writer import Feeder
from agents.settings.settings import Settings

from .certificates import Authority
from .harness import Worker, client, command, environ, settings, visit

pytestmark = pytest.mark.broker

HOST = "127.0.0.1"
PASSWORD = "a password of the test"


class KafkaWithUser(EmbeddedKafka):
    """SCRAM's passwords are kept by the brokers, from their first start on."""

    def _new_folder(self, command: list[str], cluster_id: str, log: IO[bytes]) -> None:
        user = f'SCRAM-SHA-512=[name="worker",password="{PASSWORD}"]'
        self._format([*command, "--add-scram", user], log)


class Secured:
    """Three nodes. Beside the plain listener by which they speak to one another and the test waits for them, each has one for
    clients: TLS, then SASL; a second one wants a client's certificate in the place of a login.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "certificates")
        plain, controllers, sasl, mutual = (free_ports(12)[at : at + 3] for at in (0, 3, 6, 9))
        quorum = Quorum(new_id(), tuple(controllers))
        identity = self.authority.sign("broker", host=HOST)
        self.cluster = EmbeddedCluster(folder / "kafka")
        self.cluster.nodes = [
            KafkaWithUser(
                folder / "kafka" / str(node), plain[node - 1], heap="256m", quorum=quorum, node=node,
                extra=self._listeners(identity, plain[node - 1], controllers[node - 1], sasl[node - 1], mutual[node - 1]),
            )
            for node in (1, 2, 3)
        ]  # fmt: skip
        self.sasl = ",".join(f"{HOST}:{port}" for port in sasl)
        self.mutual = ",".join(f"{HOST}:{port}" for port in mutual)

    def _listeners(self, identity: Path, plain: int, controller: int, sasl: int, mutual: int) -> dict[str, str]:
        named = {"PLAINTEXT": plain, "LOGIN": sasl, "MUTUAL": mutual}
        open_to = ",".join(f"{name}://{HOST}:{port}" for name, port in named.items())
        module = "org.apache.kafka.common.security"
        return {
            "listeners": f"{open_to},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": open_to,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(identity),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.login.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.login.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
            "listener.name.login.plain.sasl.jaas.config": (f'{module}.plain.PlainLoginModule required user_worker="{PASSWORD}";'),
        }

    def login(self, **changes: Any) -> dict[str, Any]:
        """The settings of who logs in."""
        return {
            "bootstrap": self.sasl, "kafka_security": "sasl_ssl", "kafka_ca": self.authority.ca, "kafka_user": "worker",
            "kafka_password": PASSWORD, "partitions": 2, "replication": 3, **changes,
        }  # fmt: skip

    def certified(self, **changes: Any) -> dict[str, Any]:
        """The settings of who shows a certificate."""
        return {
            "bootstrap": self.mutual, "kafka_security": "ssl", "kafka_ca": self.authority.ca,
            "kafka_certificate": self.authority.folder / "worker.pem", "partitions": 2, "replication": 3, **changes,
        }  # fmt: skip


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    brokers = Secured(tmp_path_factory.mktemp("tls"))
    brokers.authority.sign("worker")
    with brokers.cluster:
        done = command("topics", **brokers.login())
        assert done.returncode == 0, done.stderr
        yield brokers


def loaded(given: dict[str, Any]) -> Settings:
    return Settings.from_env({f"AFSPRAAKBERICHT_{name.upper()}": str(value) for name, value in given.items()})


async def test_a_worker_on_three_brokers_with_tls_and_scram(secured: Secured, tmp_path: Path) -> None:
    given = secured.login(application="afspraakbericht", data=tmp_path / "data", messagebird_key="a-key", log_format="json")
    async with FakeSms(key="a-key") as gateway:
        worker = Worker(tmp_path / "worker.log", environ(**given, messagebird_url=gateway.url))
        try:
            security = client_settings(loaded(secured.login()))
            async with Feeder(secured.sasl, security) as feeder:
                start = datetime.now(UTC) + timedelta(days=3)
                await feeder.feed([settings("o"), *client("o", "anna", "sms"), visit("o", "a", 1, start, "anna")])
            async with asyncio.timeout(120):
                while not gateway.received.messages:
                    assert worker.running, worker.output
                    await asyncio.sleep(0.2)
                entries: list[Any] = []
                while not entries:
                    read = read_topic(secured.sasl, "delivery-log", security=security)
                    entries = [orjson.loads(record.value) async for record in read]
            assert [entry["status"] for entry in entries] == ["sent"]
            assert await worker.stop() == 0
        finally:
            if worker.running:
                worker.kill()
    assert PASSWORD not in worker.output


@pytest.mark.parametrize("how", ["scram", "plain", "certificate"])
def test_the_ways_to_say_who_we_are(secured: Secured, how: str) -> None:
    given = {
        "scram": secured.login(),
        "plain": secured.login(kafka_mechanism="plain"),
        "certificate": secured.certified(),
    }[how]
    done = command("topics", "--check", **given)

    assert (done.returncode, done.stderr) == (0, "")


def refusals(secured: Secured, folder: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """What is wrong, and what is said of it."""
    others = Authority(folder, "others")
    broken = folder / "broken.pem"
    broken.write_text("no certificate")
    first = secured.sasl.split(",")[0]
    return {
        "an authority that did not sign the brokers": (
            secured.login(kafka_ca=others.ca),
            f"Kafka at {first}: its certificate is refused: unable to get local issuer certificate; "
            "look at AFSPRAAKBERICHT_KAFKA_CA and the broker's name",
        ),
        "a name that the certificate does not have": (
            secured.login(bootstrap=first.replace(HOST, "localhost")),
            f"Kafka at {first.replace(HOST, 'localhost')}: its certificate is refused: Hostname mismatch, certificate is not "
            "valid for 'localhost'.; look at AFSPRAAKBERICHT_KAFKA_CA and the broker's name",
        ),
        "a wrong password": (
            secured.login(kafka_password="wrong"),
            f"Kafka at {first}: the login of worker is refused; look at AFSPRAAKBERICHT_KAFKA_PASSWORD",
        ),
        "a way to log in that is not offered": (
            secured.login(kafka_mechanism="scram-sha-256"),
            f"Kafka at {first}: it has no login by scram-sha-256; look at AFSPRAAKBERICHT_KAFKA_MECHANISM",
        ),
        "a certificate that is over": (
            secured.certified(kafka_certificate=secured.authority.sign("late", days=-1)),
            f"Kafka at {secured.mutual.split(',')[0]}: it refuses our certificate (certificate unknown); "
            "look at AFSPRAAKBERICHT_KAFKA_CERTIFICATE",
        ),
        "no certificate where one is wanted": (
            secured.login(bootstrap=secured.mutual, kafka_security="ssl"),
            f"Kafka at {secured.mutual.split(',')[0]}: it refuses our certificate (certificate required); "
            "look at AFSPRAAKBERICHT_KAFKA_CERTIFICATE",
        ),
        "a file that is no certificate": (
            secured.login(kafka_ca=broken),
            f"AFSPRAAKBERICHT_KAFKA_CA is {broken}: no certificate or crl found",
        ),
        "a file that is not there": (
            secured.certified(kafka_certificate="/nowhere.pem"),
            "AFSPRAAKBERICHT_KAFKA_CERTIFICATE is /nowhere.pem with key in the same file: No such file or directory",
        ),
        "a client's certificate of another authority": (
            secured.certified(kafka_certificate=others.sign("stranger")),
            f"Kafka at {secured.mutual.split(',')[0]}: it refuses our certificate (certificate unknown); "
            "look at AFSPRAAKBERICHT_KAFKA_CERTIFICATE",
        ),
        "TLS where there is none": (
            secured.login(bootstrap=secured.cluster.nodes[0].bootstrap),
            f"Kafka at {secured.cluster.nodes[0].bootstrap}: it does not speak TLS with us; "
            "look at its port and AFSPRAAKBERICHT_KAFKA_SECURITY",
        ),
    }


@pytest.mark.parametrize("what", [
    "an authority that did not sign the brokers", "a name that the certificate does not have", "a wrong password",
    "a way to log in that is not offered", "a certificate that is over", "no certificate where one is wanted",
    "a file that is no certificate", "a file that is not there", "a client's certificate of another authority",
    "TLS where there is none",
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(secured: Secured, tmp_path: Path, what: str) -> None:
    given, said = refusals(secured, tmp_path)[what]
    done = command("topics", "--check", **given)

    code = REFUSED if what.startswith("a file") else NOT_YET  # the brokers' side may be mended while we wait
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"{said}\n")


def test_a_worker_does_not_start_on_brokers_that_it_cannot_trust(secured: Secured, tmp_path: Path) -> None:
    given, said = refusals(secured, tmp_path)["an authority that did not sign the brokers"]
    done = command("worker", **given, data=tmp_path / "data", messagebird_key="a-key")

    assert done.returncode == NOT_YET
    assert done.stderr.endswith(f"{said}\n")
