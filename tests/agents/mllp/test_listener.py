"""The MLLP listener over a real socket: what is answered, with what, and what closes a connection."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from agents.mllp.answers import Header, answer, key_of
from agents.mllp.listener import Listener
from agents.monitoring.mllp_metrics import MllpMetrics
from agents.settings.settings import Settings, SettingsError
from streams.translate.producers import Producer
from tests.agents.web.conftest import Kept
from tests.broker.certificates import Authority
from tests.streams.translate.test_siu import message

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRODUCERS = {"zorg": Producer(organisation="zorg", facilities=["ZORG"]), "plein": Producer(organisation="plein")}
TAKEN = rb"MSH|^~\&|AFSPRAAKBERICHT|ZORG|PLANNER|ZORG|20260302090000+0000||ACK^S12^ACK|m-1|P|2.5" + b"\rMSA|AA|m-1\r"


class Client:
    """A sender."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def write(self, value: bytes) -> None:
        self.writer.write(value)

    async def ask(self, value: bytes) -> bytes | None:
        """The answer to a message without its frame, None where the connection ends."""
        self.write(b"\x0b" + value + b"\x1c\r")
        return await self.answer()

    async def answer(self) -> bytes | None:
        async with asyncio.timeout(10):
            try:
                found = await self.reader.readuntil(b"\x1c\r")
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
        assert found[:1] == b"\x0b"
        return found[1:-2]


@asynccontextmanager
async def listening(publisher: Kept, producers: Any = None, **more: Any) -> AsyncIterator[Listener]:
    settings = Settings(**{"mllp_port": 0, "mllp_organisation": "zorg", "mllp_slow_seconds": 1.0, **more})
    async with Listener(settings, producers or PRODUCERS, publisher, MllpMetrics(), lambda: NOW) as listener:
        yield listener


@asynccontextmanager
async def connected(listener: Listener, **more: Any) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, **more)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def ended(listener: Listener) -> None:
    """Once the listener has done with all who have come."""
    async with asyncio.timeout(10):
        while listener.metrics.connections._value.get() or listener._open:
            await asyncio.sleep(0.01)


@pytest.fixture
def kafka() -> Kept:
    return Kept()


def counted(listener: Listener, name: str, **labels: str) -> float | None:
    return listener.metrics.registry.get_sample_value(f"afspraakbericht_mllp_{name}", labels)


async def test_a_message_is_answered_once_kafka_has_its_bytes(kafka: Kept) -> None:
    async with listening(kafka) as listener, connected(listener) as client:
        assert await client.ask(message()) == TAKEN
        assert [tuple(event) for event in kafka.events] == [("hl7v2", "zorg/a-77", message())]
        assert counted(listener, "messages_total", answer="AA") == 1


async def test_messages_follow_one_another_on_a_connection_each_with_its_own_answer(kafka: Kept) -> None:
    async with listening(kafka) as listener, connected(listener) as client:
        for number in range(20):
            client.write(b"\x0b" + message().replace(b"m-1", b"m-%d" % number) + b"\x1c\r\n")
        answers = [await client.answer() for _ in range(20)]
    assert [(found or b"").rpartition(b"|")[2] for found in answers] == [b"m-%d\r" % number for number in range(20)]
    assert len(kafka.events) == 20


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(message().replace(b"SIU^S12", b"SIU^S99"), b"MSA|AA|m-1\r", id="an event that nobody knows"),
        pytest.param(message().replace(b"SCH|", b"XXX|"), b"MSA|AA|m-1\r", id="no SCH"),
        pytest.param(message().replace(b"De Linde", b"De \xff"), b"MSA|AA|m-1\r", id="bytes that are no text"),
        pytest.param(message().replace(b"SIU^S12", b"ADT^A08"), b"MSA|AR|m-1|only SIU is taken here\r", id="another type"),
        pytest.param(
            message().replace(b"|PLANNER|ZORG|", b"|PLANNER|X|"),
            b"MSA|AR|m-1|this facility is not permitted here\r",
            id="another facility",
        ),
        pytest.param(b"PID|1||12345", b"MSA|AR||it does not begin with MSH\r", id="no header"),
        pytest.param(b"", b"MSA|AR||it does not begin with MSH\r", id="nothing"),
    ],
)
async def test_what_can_never_be_ours_is_rejected_and_all_else_is_taken(kafka: Kept, value: bytes, said: bytes) -> None:
    """Whatever it says: the translator tells what is wrong with it, to those who can mend it."""
    async with listening(kafka) as listener, connected(listener) as client:
        found = await client.ask(value)
        assert (found or b"").endswith(said)
        assert [event.value for event in kafka.events] == ([value] if b"|AA|" in said else [])
        assert await client.ask(message()) == TAKEN, "the connection goes on"


async def test_while_kafka_is_away_nothing_is_answered_and_the_connection_closes(kafka: Kept) -> None:
    kafka.away = True
    async with listening(kafka) as listener:
        async with connected(listener) as client:
            assert await client.ask(message()) is None
        kafka.away = False
        async with connected(listener) as client:
            assert await client.ask(message()) == TAKEN
        assert counted(listener, "messages_total", answer="none") == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "frame", id="no start"),
        pytest.param(b"\x0b" + message(), "slow", id="no end"),
        pytest.param(b"\x0b" + message() + b"\x1c", "slow", id="half an end"),
        pytest.param(b"\x0b" + b"x" * (1 << 20), "slow", id="a large one that does not end"),
    ],
)
async def test_what_is_no_frame_closes_the_connection(kafka: Kept, value: bytes, reason: str) -> None:
    async with listening(kafka) as listener, connected(listener) as client:
        client.write(value)
        assert await client.answer() is None
        assert counted(listener, "connections_closed_total", reason=reason) == 1
    assert kafka.events == []


async def test_a_message_of_ten_megabytes_is_rejected_by_its_header_and_the_connection_closes(kafka: Kept) -> None:
    async with listening(kafka) as listener, connected(listener) as client:
        client.write(b"\x0b" + message() + b"\rNTE|" + b"x" * (10 << 20))
        found = await client.answer()
        assert found is None or found.endswith(b"MSA|AR|m-1|larger than 1 MiB\r"), "it may be cut off while it still sends"
        assert counted(listener, "connections_closed_total", reason="large") == 1
    assert kafka.events == []


async def test_a_sender_that_goes_away_in_between_disturbs_nobody(kafka: Kept) -> None:
    async with listening(kafka) as listener:
        async with connected(listener) as client:
            client.write(b"\x0b" + message()[:50])
        async with connected(listener) as client:
            assert await client.ask(message()) == TAKEN


# -- whose it is -------------------------------------------------------------------------------------------------------


def shown(file: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read_text().partition("-----END PRIVATE KEY-----\n")[2])).hexdigest()


async def test_by_its_certificate_a_client_speaks_for_its_organisation_alone(kafka: Kept, tmp_path: Path) -> None:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    server = ours.sign("listener", host="127.0.0.1")
    known, unknown, foreign, late = ours.sign("ecd"), ours.sign("other"), others.sign("ecd2"), ours.sign("late", days=-1)
    mark = shown(known).upper()
    producers = {"plein": Producer(organisation="plein", certificates=[":".join(mark[at : at + 2] for at in range(0, 64, 2))])}
    more = {"mllp_organisation": None, "mllp_certificate": server, "mllp_clients": ours.ca}

    def context(file: Path | None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(ours.ca))
        if file is not None:
            made.load_cert_chain(file)
        return made

    async with listening(kafka, producers, **more) as listener:
        async with connected(listener, ssl=context(known)) as client:
            assert (await client.ask(message()) or b"").endswith(b"MSA|AA|m-1\r")
        assert [event.key for event in kafka.events] == ["plein/a-77"]
        for file in (unknown, foreign, late, None):
            try:
                async with connected(listener, ssl=context(file)) as client:
                    assert await client.ask(message()) is None
            except (ssl.SSLError, ConnectionError):
                pass
        assert counted(listener, "connections_closed_total", reason="stranger") == 1
    assert len(kafka.events) == 1


def heard(port: int, context: ssl.SSLContext) -> bytes:
    """What a client hears; unlike asyncio's, this one says why it does not trust whom it speaks to."""
    with (
        suppress(ssl.SSLError, ConnectionError),
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        return client.recv(1)
    return b""


async def test_a_handshake_that_fails_is_counted_and_said_in_a_line_of_openssl_s_own_words(kafka: Kept, tmp_path: Path) -> None:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    more = {"mllp_certificate": ours.sign("listener", host="127.0.0.1"), "mllp_clients": ours.ca}
    closed = {"event": "connection closed", "log_level": "warning"}
    unverified = {**closed, "reason": "tls", "tls": "CERTIFICATE_VERIFY_FAILED"}
    rows: list[tuple[Path | None, Path | None, dict[str, str]]] = [
        (None, ours.ca, {**closed, "reason": "tls", "tls": "PEER_DID_NOT_RETURN_A_CERTIFICATE"}),
        (others.sign("ecd"), ours.ca, {**unverified, "certificate": "unable to get local issuer certificate"}),
        (ours.sign("late", days=-1), ours.ca, {**unverified, "certificate": "certificate has expired"}),
        (ours.sign("ecd2"), others.ca, {**closed, "reason": "tls", "tls": "TLSV1_ALERT_UNKNOWN_CA"}),
    ]
    async with listening(kafka, **more) as listener:
        for shows, trusts, line in rows:
            context = ssl.create_default_context(cafile=str(trusts))
            if shows is not None:
                context.load_cert_chain(shows)
            with structlog.testing.capture_logs() as said:
                assert await asyncio.to_thread(heard, listener.port, context) == b""
                await ended(listener)
            assert said == [line]
        assert counted(listener, "connections_closed_total", reason="tls") == len(rows)
        context = ssl.create_default_context(cafile=str(ours.ca))
        context.load_cert_chain(ours.sign("ecd3"))
        async with connected(listener, ssl=context) as client:
            assert await client.ask(message()) == TAKEN, "who comes after them is served"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        pytest.param(b"\x0b" + message() + b"\x1c\r", [("tls", "WRONG_VERSION_NUMBER")], id="plain text"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", [("tls", "HTTP_REQUEST")], id="a browser"),
        pytest.param(b"\x16\x03\x01", [("slow", None)], id="half a handshake"),
        pytest.param(None, [], id="nothing, as a load balancer asks whether we listen"),
    ],
)
async def test_what_is_no_handshake_is_closed_and_said(
    kafka: Kept, tmp_path: Path, value: bytes | None, lines: list[tuple[str, str | None]]
) -> None:
    server = Authority(tmp_path).sign("listener", host="127.0.0.1")
    async with listening(kafka, mllp_certificate=server, mllp_slow_seconds=0.3) as listener:
        with structlog.testing.capture_logs() as said:
            async with connected(listener) as client:
                if value is not None:
                    client.write(value)
                    assert await client.answer() is None
            await ended(listener)
        assert [(one["reason"], one.get("tls")) for one in said] == lines
    assert kafka.events == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "AFSPRAAKBERICHT_MLLP_ORGANISATION is not set: without it clients need certificates (mllp_clients)"),
        ({"mllp_organisation": "x"}, "AFSPRAAKBERICHT_MLLP_ORGANISATION is 'x': not in the file of producers"),
        ({"mllp_clients": Path("ca.pem")}, "AFSPRAAKBERICHT_MLLP_CERTIFICATE is not set: AFSPRAAKBERICHT_MLLP_CLIENTS needs it"),
        ({"mllp_certificate": Path("no.pem")}, "AFSPRAAKBERICHT_MLLP_CERTIFICATE is 'no.pem', which cannot be used"),
    ],
)
def test_settings_that_cannot_be_are_named(more: dict[str, Any], line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Listener(Settings(**more), PRODUCERS, Kept(), MllpMetrics())
    assert str(refused.value).startswith(line)


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_has_the_separators_and_bytes_of_its_message() -> None:
    value = (
        message()
        .replace(b"MSH|^~\\&|PLANNER|ZORG", b"MSH|@~\\&|PLAN\xe9|ZORG")
        .replace(b"^", b"@")
        .replace(b"|P|2.5", b"|T|2.3||||||8859/1")
    )
    found = answer(Header(value), "AA", NOW)
    assert (
        found
        == rb"MSH|@~\&|AFSPRAAKBERICHT|ZORG|PLAN"
        + b"\xe9|ZORG|20260302090000+0000||ACK@S12@ACK|m-1|T|2.3||||||8859/1\rMSA|AA|m-1\r"
    )


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (message(), "zorg/a-77"),
        (message().replace(b"a-77^PLANNER", b""), "zorg/p-1"),
        (message().replace(b"a-77", b"a/7"), "zorg/a%2F7"),
        (message().replace(b"SCH|", b"XCH|"), "zorg/m1"),
        (b"MSH|^~\\&|||||||SIU^S12", "zorg/-"),
    ],
)
def test_messages_of_one_appointment_have_one_key(value: bytes, key: str) -> None:
    assert key_of("zorg", value, Header(value)) == key
