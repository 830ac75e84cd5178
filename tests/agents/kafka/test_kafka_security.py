"""What is said of brokers that end TLS: the true reason. Those that speak Kafka are in tests/broker/test_tls.py."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from aiokafka.errors import SaslAuthenticationFailed

from agents.kafka import security
from agents.kafka.security import KafkaRefusesError, check, client_settings
from agents.settings.settings import Settings

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"
OLD = "it speaks no version of TLS that we do, 1.2 or 1.3, with ciphers that we take"


def alert(code: int) -> Callable[[socket.socket], None]:
    """A broker that ends TLS with a fatal alert (RFC 8446 6)."""

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(bytes((0x15, 3, 3, 0, 2, 2, code)))

    return serve


def old(connection: socket.socket) -> None:
    """A broker that speaks TLS 1.1 at most."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.wrap_socket(connection, server_side=True)


@contextmanager
def broker(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(20)


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        pytest.param(old, OLD, id="TLS 1.1"),
        pytest.param(alert(70), OLD, id="the alert that says so"),
        pytest.param(alert(71), OLD, id="too weak"),
        pytest.param(
            alert(40),
            "it ends TLS with us (handshake failure); look at its ciphers, and at AFSPRAAKBERICHT_KAFKA_CERTIFICATE if it asks "
            "for one",
            id="no cipher in common",
        ),
        pytest.param(
            alert(48), "it refuses our certificate (unknown ca); look at AFSPRAAKBERICHT_KAFKA_CERTIFICATE", id="an authority"
        ),
        pytest.param(
            alert(116), "it refuses our certificate (certificate required); look at AFSPRAAKBERICHT_KAFKA_CERTIFICATE", id="none"
        ),
    ],
)
def test_a_broker_that_ends_tls_is_not_said_to_refuse_our_certificate_unless_it_does(
    serve: Callable[[socket.socket], None], said: str
) -> None:
    """Found: one of TLS 1.1 was said to refuse our certificate, where we had none."""
    with broker(serve) as address, pytest.raises(KafkaRefusesError) as told:
        check(Settings(bootstrap=address, kafka_security="ssl", kafka_ca=CERTIFICATE))
    assert str(told.value) == f"Kafka at {address}: {said}"


@pytest.mark.parametrize(
    ("left", "is_told"),
    [
        (ssl.SSLError(1, "tlsv13 alert certificate required"), False),
        (ConnectionResetError(), False),
        (SaslAuthenticationFailed(), False),
        (ZeroDivisionError("a fault of ours"), True),
    ],
)
def test_what_a_refused_connection_leaves_behind_is_no_second_line_and_a_fault_of_ours_is(
    left: Exception, is_told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def forget(settings: Settings, given: object) -> None:
        asyncio.get_running_loop().create_future().set_exception(left)

    monkeypatch.setattr(security, "_check", forget)
    monkeypatch.setattr(security, "_security", lambda settings: {"security_protocol": "SSL"})
    security.check(Settings())
    gc.collect()
    assert ("Future exception was never retrieved" in caplog.text) is is_told


def test_a_client_of_ours_says_who_it_is_and_by_which_names_kafka_knows_us() -> None:
    """The broker's log and its quotas go by the client's id: all were `faust-0.15.3` or `aiokafka`."""
    told = client_settings(Settings(application="zorg", topic_prefix="test."))
    assert told == {"client_id": "zorg", "topic_prefix": "test."}
