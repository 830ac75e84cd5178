"""A broker that asks who one is and what one may: each process does its whole work with its own rights, and nothing else."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from agents.broker.broker import EmbeddedKafka
from agents.broker.probe import free_ports
from agents.engine.transport.names import Consumer, Producer
from agents.fakes.sms import FakeSms
from agents.kafka.reader import read_topic, running
from agents.kafka.rights import ROLES, Role, grants
from agents.kafka.security import client_settings
from agents.kafka.writer import Feeder
from agents.settings.settings import Settings
from agents.web.sign_in import accounts
from schemas.topics import STORES, TOPICS, changelog

from .certificates import Authority
from .console import tool
from .harness import Worker, client, command, environ, settings, visit
from .test_holds import form
from .test_mllp import Sender, message

pytestmark = pytest.mark.broker

HOST = "127.0.0.1"
APPLICATION = "afspraakbericht"
PASSWORD = "a password of the test"
EVERY = [*(topic.name for topic in TOPICS), *(changelog(APPLICATION, store).name for store in STORES)]


class Guarded:
    """One broker. By its plain listener one may do all, as an administrator does; the other one wants TLS and a login."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "certificates")
        identity = self.authority.sign("broker", host=HOST)
        plain, login, controller = free_ports(3)
        users = " ".join(f'user_{role}="{PASSWORD}"' for role in ROLES)
        self.kafka = EmbeddedKafka(
            folder / "kafka", plain,
            extra={
                "listeners": f"PLAINTEXT://{HOST}:{plain},LOGIN://{HOST}:{login},CONTROLLER://{HOST}:{controller}",
                "advertised.listeners": f"PLAINTEXT://{HOST}:{plain},LOGIN://{HOST}:{login}",
                "controller.quorum.voters": f"1@{HOST}:{controller}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(identity),
                "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.login.plain.sasl.jaas.config": (
                    f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
                ),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
                "allow.everyone.if.no.acl.found": "false",
            },
        )  # fmt: skip
        self.login = f"{HOST}:{login}"

    def of(self, role: Role, **changes: Any) -> dict[str, Any]:
        """The settings of who has a role."""
        return {
            "bootstrap": self.login, "kafka_security": "sasl_ssl", "kafka_ca": self.authority.ca, "kafka_mechanism": "plain",
            "kafka_user": role, "kafka_password": PASSWORD, "partitions": 2, "replication": 1,
            "application": APPLICATION, **changes,
        }  # fmt: skip

    def security(self, role: Role) -> dict[str, Any]:
        """What a client of such a user gets."""
        values = {f"AFSPRAAKBERICHT_{name.upper()}": str(value) for name, value in self.of(role).items()}
        return client_settings(Settings.from_env(values))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The rights are set by the script, each line by Kafka's own tool; the topics are made by who may, and by nobody else."""
    broker = Guarded(tmp_path_factory.mktemp("rights"))
    with broker.kafka:
        printed = command("rights", bootstrap=broker.login, application=APPLICATION)
        assert printed.returncode == 0, printed.stderr
        lines = [line for line in printed.stdout.splitlines() if line.startswith("kafka-acls.sh ")]
        assert len(lines) >= len(ROLES)
        for line in lines:
            words = shlex.split(line.removeprefix('kafka-acls.sh "$@" '))
            tool("AclCommand", "--bootstrap-server", broker.kafka.bootstrap, *words)
        others = command("topics", **broker.of("operator"))
        assert others.returncode != 0
        done = command("topics", **broker.of("setup"))
        assert (done.returncode, done.stderr) == (0, "")
        yield broker


async def test_worker_web_and_commands_do_their_whole_work_with_their_own_rights(guarded: Guarded, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan", "o", PASSWORD, ("inzage", "beheer")))
    shared = {"log_format": "json", "unsubscribe_keys": "k" * 32}
    async with FakeSms(key="a-key") as gateway:
        given = guarded.of("worker", data=tmp_path / "data", messagebird_key="a-key", messagebird_url=gateway.url, **shared)
        worker = Worker(tmp_path / "worker.log", environ(**given))
        given = guarded.of("web", data=tmp_path / "web", web_port=port, accounts=file, session_keys="s" * 32, **shared)
        web = Worker(tmp_path / "web.log", environ(**given), name="web")
        try:
            async with Feeder(guarded.login, guarded.security("upstream")) as feeder:
                start = datetime.now(UTC) + timedelta(days=3)
                await feeder.feed([settings("o"), *client("o", "anna", "sms"), visit("o", "a", 1, start, "anna")])
            entries: list[Any] = []
            async with asyncio.timeout(120):
                while not entries:
                    assert worker.running, worker.output
                    await asyncio.sleep(0.2)
                    read = read_topic(guarded.login, "delivery-log", security=guarded.security("reader"))
                    entries = [orjson.loads(record.value) async for record in read]
            assert [entry["status"] for entry in entries] == ["sent"]
            assert "Er is een afspraak met u gemaakt" in await signed_in(f"http://{HOST}:{port}", web)
            shown = await asyncio.to_thread(lambda: command("why", "o/anna", **guarded.of("reader")))
            assert (shown.returncode, shown.stderr) == (0, "")
            looked = await asyncio.to_thread(lambda: command("access", "o/anna", **guarded.of("reader")))
            assert ("  client  shown  anna" in looked.stdout, "  why  shown  anna" in looked.stdout) == (True, True)
            for role, words in OTHERS:
                done = await asyncio.to_thread(command, *words, **guarded.of(role))
                assert (done.returncode, "uthorization" in done.stderr) == (0, False), done.stderr
            held = await asyncio.to_thread(lambda: command("hold", "o", "--set", **guarded.of("operator")))
            assert (held.returncode, held.stderr) == (0, "")
            stopped = await asyncio.to_thread(lambda: command("hold", "o", "--set", **guarded.of("reader")))
            assert stopped.returncode == 2
            assert (await worker.stop(), await web.stop()) == (0, 0)
        finally:
            for process in (worker, web):
                if process.running:
                    process.kill()
    for process in (worker, web):
        assert "Authorization" not in process.output
        assert PASSWORD not in process.output


async def test_the_mllp_listener_does_its_whole_work_with_its_own_rights(guarded: Guarded, tmp_path: Path) -> None:
    """It takes messages in, writes them alone, and says how it is."""
    producers = tmp_path / "producers.json"
    producers.write_bytes(orjson.dumps([{"organisation": "zorg"}]))
    port, health = free_ports(2)
    given = guarded.of("mllp", producers=producers, mllp_port=port, mllp_organisation="zorg", metrics_port=health)
    listener, sender = Worker(tmp_path / "listener.log", environ(**given), name="mllp"), Sender(port)
    try:
        for number in range(3):
            await sender.send(message(number))
        async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{health}/ready") as response:
            assert response.status == 200
        assert await listener.stop() == 0
    finally:
        if listener.running:
            listener.kill()
    kept = {record.value async for record in read_topic(guarded.kafka.bootstrap, "hl7v2")}
    assert kept >= {message(number) for number in range(3)}
    assert "uthorization" not in listener.output
    assert PASSWORD not in listener.output


OTHERS: list[tuple[Role, tuple[str, ...]]] = [
    ("reader", ("log", "--json")),
    ("reader", ("costs", "--month", f"{datetime.now(UTC):%Y-%m}", "--csv")),
    ("reader", ("replay", "--dry-run")),
    ("reader", ("status",)),
    ("operator", ("dead-letters",)),
    ("operator", ("retention", "--dry-run")),
    ("operator", ("erase", "o/anna", "--dry-run")),
    ("setup", ("topics", "--check")),
]
"""Who runs which command."""


async def signed_in(url: str, web: Worker) -> str:
    """The page of a client, once somebody has signed in and the projection has it; notices are held meanwhile, and go again."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(url, cookie_jar=jar) as session, asyncio.timeout(60):
        while True:
            assert web.running, web.output
            try:
                async with session.get("/aanmelden") as response:
                    found = re.findall(r'name="formulier" value="([^"]+)"', await response.text())
                if found:
                    break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
        said = {"formulier": found[0], "gebruiker": "jan", "wachtwoord": PASSWORD}
        async with session.post("/aanmelden", data=said) as response:
            assert response.status == 200, web.output
        while True:
            async with session.get("/berichten") as response:
                links = re.findall(r'href="(/clienten/[^"]+)"', await response.text())
            if links:
                break
            await asyncio.sleep(0.2)
        for what in ("houd", "laat"):
            async with session.get("/tegenhouden") as response:
                fields = form(await response.text(), what)
            async with session.post("/tegenhouden", data=fields | {"zeker": "ja"}) as response:
                assert (response.status, "Het is gedaan" in await response.text()) == (200, True)
        async with session.get(links[0]) as response:
            return await response.text()


@pytest.mark.parametrize("role", ROLES)
async def test_each_user_is_refused_everything_else(guarded: Guarded, role: Role) -> None:
    """Topic by topic: a real record written, and one read."""
    async with Feeder(guarded.kafka.bootstrap) as feeder:
        for topic in EVERY:
            await feeder.producer.send_and_wait(topic, b"junk", b"o/a", partition=0)
    given = {(grant.name, grant.operation) for grant in grants(APPLICATION) if grant.role == role and grant.kind == "topic"}
    security = guarded.security(role)
    produce = Producer(bootstrap_servers=guarded.login, acks="all", **security)  # who writes nothing may not be idempotent
    async with running(produce, "stop") as producer:
        written = {topic for topic in EVERY if await _may_write(producer, topic)}
    assert written == {name for name, operation in given if operation == "Write"}
    read = await asyncio.gather(*(_may_read(guarded.login, security, topic) for topic in EVERY))
    assert {topic for topic, may in zip(EVERY, read, strict=True) if may} == {n for n, operation in given if operation == "Read"}


async def _may_write(producer: Any, topic: str) -> bool:
    try:
        await producer.send_and_wait(topic, b"junk", b"o/a", partition=0)
    except TopicAuthorizationFailedError:
        return False
    return True


async def _may_read(bootstrap: str, security: dict[str, Any], topic: str) -> bool:
    """A record is there: who may read gets it."""
    consumer = Consumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **security)
    async with running(consumer, "stop") as client:
        client.assign([TopicPartition(topic, 0)])
        try:
            await asyncio.wait_for(client.getone(), 5)
        except (KafkaError, TimeoutError):
            return False
    return True
