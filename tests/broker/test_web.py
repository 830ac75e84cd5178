"""The web service with a real Kafka: what it calls done is there, and what a client turned off is off for what waits too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.broker.broker import EmbeddedKafka
from agents.kafka.publisher import KafkaPublisher, UnavailableError
from agents.kafka.reader import read_topic
from agents.kafka.writer import Event
from agents.projection.follower import Follower
from agents.projection.projection import Projection
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from streams.history.volume import LEAST
from tests.agents.web.conftest import Kept
from tests.agents.web.overview.test_overview import form
from tests.agents.web.preferences.test_settings import filled
from tests.agents.web.samples import record

from .harness import AMSTERDAM, DEADLINE, UNSUBSCRIBE, Stand, client, settings, visit

pytestmark = pytest.mark.broker

KEYS = ("a-secret-of-at-least-32-characters",)


async def test_what_is_published_is_there_in_order(kafka: EmbeddedKafka, fresh: Callable[[str], str]) -> None:
    topic = fresh("opt-outs")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 4, 1)])
    await admin.close()
    publisher = KafkaPublisher(kafka.bootstrap, 20.0)
    try:
        await publisher.check()
        await asyncio.gather(*(publisher.publish(Event(topic, "linde/anna", {"number": number})) for number in range(100)))
        found = [orjson.loads(record.value)["number"] async for record in read_topic(kafka.bootstrap, topic)]
    finally:
        await publisher.close()
    assert found == list(range(100))


async def test_a_kafka_that_is_away_is_told_and_found_again(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    publisher = KafkaPublisher(f"127.0.0.1:{port}", 1.0)
    event = Event("a-topic", "linde/anna", {})
    try:
        with pytest.raises(UnavailableError):
            await publisher.publish(event)
        with pytest.raises(UnavailableError):
            await publisher.check()
        with EmbeddedKafka(tmp_path, port=port) as broker:
            admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
            await admin.start()
            await admin.create_topics([NewTopic("a-topic", 1, 1)])
            await admin.close()
            while True:
                try:
                    await publisher.publish(event)
                    break
                except UnavailableError:
                    await asyncio.sleep(0.2)
            assert len([record async for record in read_topic(broker.bootstrap, "a-topic")]) == 1
        with pytest.raises(UnavailableError):
            await publisher.publish(event)
    finally:
        await publisher.close()


async def test_from_the_link_in_a_mail_to_a_queued_message_that_is_stopped(tmp_path: Path) -> None:
    """As a mailbox provider does it: from the bytes of the mail. What waits in its window then is not sent any more."""
    start = datetime.now(AMSTERDAM).replace(microsecond=0) + timedelta(days=5)
    async with Stand(tmp_path) as stand:
        stand.worker()
        await stand.feed(settings("linde"), client("linde", "anna", "email"), visit("linde", "a1", 1, start, "anna"))
        await stand.logged(1, "linde")
        projection = Projection(open_database(None, tmp_path))
        follower = Follower(projection, stand.application, stand.kafka.bootstrap)
        service = create_web(
            Settings(unsubscribe_keys=KEYS, data=tmp_path), KafkaPublisher(stand.kafka.bootstrap, 20.0), follower
        )
        async with Server(service, "127.0.0.1", 0, 10.0) as server, aiohttp.ClientSession(server.url) as http:
            mail = message_from_bytes(stand.smtp.raw[0], policy=policy.SMTP)
            (link,) = mail.get_all("List-Unsubscribe", [])
            assert mail.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
            path = "/u/" + link.removeprefix(f"<{UNSUBSCRIBE}").removesuffix(">")

            await stand.feed(settings("linde", quiet=20, longest=40))  # a window, so that the next message waits
            await stand.settled()
            await stand.feed(visit("linde", "a1", 2, start + timedelta(hours=2), "anna"))
            await stand.settled()
            async with http.post(path, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False) as response:
                assert response.status == 200
            log = await stand.logged(2, "linde")
            assert [(entry["status"], entry["detail"]) for entry in log[1:]] == [("suppressed", "client_off")]

            async with http.post(path, data={"keuze": "aanmelden"}) as response:
                assert response.status == 200
            await stand.feed(settings("linde"))
            await stand.settled()
            await stand.feed(visit("linde", "a2", 1, start + timedelta(days=1), "anna"))
            log = await stand.logged(3, "linde")
            assert log[2]["status"] == "sent"
        assert len(stand.smtp.raw) == 2

        # The projection says the same as the log, however often it is built.
        once = Projection(open_database(f"sqlite:///{tmp_path / 'again.db'}", tmp_path))
        for projected in (projection, once):
            await Follower(projected, stand.application, stand.kafka.bootstrap).read()
        assert await Follower(once, stand.application, stand.kafka.bootstrap).read() == 0
        assert rows(once) == rows(projection)
        assert len(rows(once)) == 3


async def test_what_an_organisation_saves_on_its_page_is_what_its_clients_read(tmp_path: Path) -> None:
    """And the next sync of upstream undoes nothing of it."""
    start = datetime.now(AMSTERDAM).replace(microsecond=0) + timedelta(days=5)
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan", "linde", "een-lang-wachtwoord"))
    async with Stand(tmp_path) as stand:
        stand.worker()
        await stand.feed(settings("linde"), client("linde", "anna", "sms"))
        await stand.settled()
        follower = Follower(Projection(open_database(None, tmp_path)), stand.application, stand.kafka.bootstrap)
        service = create_web(
            Settings(accounts=file, data=tmp_path), KafkaPublisher(stand.kafka.bootstrap, 20.0), follower
        )  # fmt: skip
        jar = aiohttp.CookieJar(unsafe=True)
        async with Server(service, "127.0.0.1", 0, 10.0) as server, aiohttp.ClientSession(server.url, cookie_jar=jar) as http:
            said = {"gebruiker": "jan", "wachtwoord": "een-lang-wachtwoord"}
            async with http.get("/aanmelden") as page:
                said["formulier"] = form(await page.text())
            async with http.post("/aanmelden", data=said) as response:
                assert response.status == 200

            async def known() -> bool:
                async with http.get("/instellingen") as page:
                    return "Zelf kiezen" in await page.text()

            await stand.until(known, "the settings on the page")
            async with http.get("/instellingen") as page:
                fields = filled(await page.text()) | {"eigen_sms_voor": "1", "sms_voor": "Team Linde:"}
            async with http.post("/instellingen", data=fields) as response:
                assert "opgeslagen en geldt" in await response.text()
            await stand.feed(settings("linde"))
            await stand.settled()
            await stand.feed(visit("linde", "a1", 1, start, "anna"))
            (sent,) = await stand.logged(1, "linde")
            assert sent["text"].startswith("Team Linde: Er is een afspraak met u gemaakt")


def rows(projection: Projection) -> list[str]:
    """Every message of the projection."""
    with projection.engine.connect() as connection:
        return sorted(str(dict(row)) for row in connection.exec_driver_sql("select * from messages").mappings())


async def test_whatever_one_record_is_the_overview_goes_on_and_a_newer_schema_stops_its_partition_alone(tmp_path: Path) -> None:
    """Record times that are none, erasures of no year, junk; then a record of a later program."""
    async with Stand(tmp_path, partitions=1) as stand:
        projection = Projection(open_database(None, tmp_path))
        follower = Follower(projection, stand.application, stand.kafka.bootstrap)
        web = create_web(Settings(bootstrap=stand.kafka.bootstrap, data=tmp_path), Kept(), follower)
        async with Server(web, "127.0.0.1", 0, 5.0) as server, aiohttp.ClientSession(server.url) as session:
            bad = {"organisation": "linde", "client": "niemand"}
            await stand.feed(
                Event("erasures", "linde/niemand", bad | {"at": "0001-01-01T00:00:00+14:00"}),
                Event("erasures", "linde/niemand", bad | {"at": "9999-12-31T23:59:59-14:00"}),
                Event("delivery-log", "linde/anna", record("bad", at="0001-01-01T00:00:00+14:00")),
                Event("delivery-log", "linde/anna", None), Event("delivery-log", "linde/anna", record("good")),
            )  # fmt: skip
            async with odd_time(stand) as producer:
                asked = bad | {"request": "r", "party": "p", "text": "Dag."}
                await producer.send_and_wait("requests", orjson.dumps(asked), b"linde/niemand", timestamp_ms=-(10**15))
            await until(lambda: projection.messages_of("linde", "anna") == 1 and projection.positions().get(("requests", 0)) == 1)
            async with session.get("/ready") as answer:
                assert answer.status == 200
            assert follower.metrics.registry.get_sample_value(SKIPPED, {"topic": "delivery-log"}) == 2
            assert (follower.age() < 30, follower.lag()) == (True, 0)

            await stand.feed(
                Event("delivery-log", "linde/anna", record("new", schema=99)),
                Event("delivery-log", "linde/anna", record("after")),
            )
            await until(lambda: bool(follower.metrics.registry.get_sample_value(WAITS, {"cause": "newer_schema"})))
            await stand.feed(
                Event("erasures", "linde/anna", {**bad, "client": "anna", "at": datetime.now(AMSTERDAM).isoformat()})
            )
            await until(lambda: projection.messages_of("linde", "anna") == 0)
            assert projection.positions()["delivery-log", 0] == 3
            assert follower.lag() > 0
            async with session.get("/live") as answer:
                assert answer.status == 200


SKIPPED, WAITS = "afspraakbericht_projection_skipped_total", "afspraakbericht_projection_waits_total"


@asynccontextmanager
async def odd_time(stand: Stand) -> AsyncIterator[AIOKafkaProducer]:
    """A producer whose record times count, on `requests` as upstream may have made it."""
    topic = ConfigResource(ConfigResourceType.TOPIC, "requests", {"message.timestamp.type": "CreateTime"})
    await stand.admin.alter_configs([topic])
    producer = AIOKafkaProducer(bootstrap_servers=stand.kafka.bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def until(so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(DEADLINE):
        while not so():
            await asyncio.sleep(0.05)


async def test_an_organisation_that_sends_far_more_than_ever_is_told_by_e_mail(tmp_path: Path) -> None:
    """A worker sends, the web counts and writes; the same mail server takes it."""
    start = datetime.now(AMSTERDAM).replace(microsecond=0) + timedelta(days=5)
    names = [f"c{number}" for number in range(2 * LEAST + 1)]  # whatever the clock says: more than that in one ten minutes
    async with Stand(tmp_path) as stand:
        stand.worker()
        await stand.feed(settings("druk", alerts_to="beheer@druk.example"))
        await stand.feed(*[client("druk", name, "sms") for name in names])
        await stand.feed(visit("druk", f"a-{name}", 1, start, name) for name in names)
        await stand.logged(len(names), "druk")
        follower = Follower(Projection(open_database(None, tmp_path)), stand.application, stand.kafka.bootstrap)
        given = Settings(data=tmp_path, smtp_port=stand.smtp.port, smtp_tls="none", web_url="https://o.example/")
        service = create_web(given, KafkaPublisher(stand.kafka.bootstrap, 20.0), follower)
        async with Server(service, "127.0.0.1", 0, 10.0), asyncio.timeout(DEADLINE):
            while not stand.smtp.raw:
                await asyncio.sleep(0.2)
        (mail,) = [message_from_bytes(raw, policy=policy.SMTP) for raw in stand.smtp.raw]
        assert mail["To"] == "beheer@druk.example"
