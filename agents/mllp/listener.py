"""Listen for HL7 v2 over MLLP: a message is answered once Kafka has its bytes; while Kafka is away the connection closes.

One message at a time a connection: whoever sends waits for the answer, and sends again what was not answered. What comes twice
so is one message to the translator: its revision is the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from schemas.topics import HL7V2
from streams.translate.producers import Producer, Producers

from ..clock import utc_now
from ..kafka.publisher import Publisher, UnavailableError
from ..kafka.writer import Event
from ..monitoring.mllp_metrics import MllpMetrics
from ..settings.settings import Settings, SettingsError, variable
from .answers import Header, answer, key_of, refusal
from .frames import MOST, FrameError, framed, read_frame

log = structlog.get_logger(__name__)

CONNECTIONS = 200
"""Connections at once; a planner has a few."""

TOO_LARGE = "larger than 1 MiB"


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return how connections are encrypted; None: not. Raises SettingsError."""
    if settings.mllp_certificate is None:
        if settings.mllp_clients is not None:
            raise SettingsError(f"{variable('mllp_certificate')} is not set: {variable('mllp_clients')} needs it")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context.load_cert_chain, "mllp_certificate", settings.mllp_certificate)
    if settings.mllp_clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _load(context.load_verify_locations, "mllp_clients", settings.mllp_clients)
    return context


def _load(load: Callable[[Path], None], name: str, path: Path) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{variable(name)} is {str(path)!r}, which cannot be used: {error.strerror or error}") from error


def organisation_of(settings: Settings, producers: Producers) -> Producer | None:
    """Return whose all messages are, by the settings; None: each connection's certificate says it. Raises SettingsError."""
    if settings.mllp_organisation is None:
        if settings.mllp_clients is None:
            raise SettingsError(
                f"{variable('mllp_organisation')} is not set: without it clients need certificates (mllp_clients)"
            )
        return None
    found = producers.get(settings.mllp_organisation)
    if found is None:
        raise SettingsError(f"{variable('mllp_organisation')} is {settings.mllp_organisation!r}: not in the file of producers")
    return found


class Listener:
    """An MLLP listener; `async with` it. `self.port` is the one that it listens on."""

    def __init__(
        self, settings: Settings, producers: Producers, publisher: Publisher, metrics: MllpMetrics,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:  # fmt: skip
        self.settings, self.producers, self.publisher, self.metrics, self.clock = settings, producers, publisher, metrics, clock
        self.tls, self.owner = tls_of(settings), organisation_of(settings, producers)
        self.port = 0
        self._open: set[asyncio.Task[None]] = set()
        self._served = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, self.settings.mllp_host.strip("[]"), self.settings.mllp_port, limit=MOST
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.metrics.ready = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.metrics.ready = False
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def beat(self) -> None:
        """Note every second that the loop turns."""
        while True:
            self.metrics.on_tick()
            await asyncio.sleep(1)

    # -- a connection --------------------------------------------------------------------------------------------------

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._begin(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Encrypt a connection, and serve it. A handshake of `asyncio.start_server` itself would fail without a word."""
        try:
            if self.tls is not None:
                await writer.start_tls(self.tls, ssl_handshake_timeout=self.settings.mllp_slow_seconds)
        except ssl.SSLError as error:
            self._close("tls", tls=error.reason, certificate=getattr(error, "verify_message", None))
            return
        except ConnectionAbortedError:  # asyncio's, where it takes too long
            self._close("slow")
            return
        except OSError:
            return  # the other end went away
        await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.metrics.connections.inc()
        self._served += 1
        try:
            producer = self.owner or self._by_certificate(writer)
            if producer is None or self._served > CONNECTIONS:
                self._close("stranger" if producer is None else "busy")
                return
            while (message := await read_frame(reader, self.settings.mllp_slow_seconds)) is not None:
                said = await self._answer(message, producer)
                if said is None:
                    return
                await self._send(writer, said)
        except FrameError as error:
            self._close(error.reason)
            if error.reason == "large":
                with suppress(TimeoutError, OSError):
                    await self._send(writer, answer(Header(error.head), "AR", self.clock(), TOO_LARGE))
        except TimeoutError:
            self._close("slow")
        except OSError:
            pass  # the other end went away
        finally:
            self._served -= 1
            self.metrics.connections.dec()
            writer.close()

    def _by_certificate(self, writer: asyncio.StreamWriter) -> Producer | None:
        """Return whose a connection is by the certificate that it showed."""
        shown = writer.get_extra_info("ssl_object")
        der = shown.getpeercert(binary_form=True) if shown is not None else None
        if der is None:
            return None
        mark = hashlib.sha256(der).hexdigest()
        return next((one for one in self.producers.values() if mark in one.marks), None)

    async def _answer(self, message: bytes, producer: Producer) -> bytes | None:
        """Write a message to Kafka, and return its answer; None: there is none, since Kafka is away."""
        header = Header(message)
        if (why := refusal(header, producer.facilities)) is not None:
            self.metrics.messages.labels("AR").inc()
            log.warning("message not taken", reason=why)
            return answer(header, "AR", self.clock(), why)
        try:
            await self.publisher.publish(Event(HL7V2.name, key_of(producer.organisation, message, header), message))
        except UnavailableError:
            self.metrics.messages.labels("none").inc()
            return None
        self.metrics.messages.labels("AA").inc()
        return answer(header, "AA", self.clock())

    async def _send(self, writer: asyncio.StreamWriter, said: bytes) -> None:
        async with asyncio.timeout(self.settings.mllp_slow_seconds):
            writer.write(framed(said))
            await writer.drain()

    def _close(self, reason: str, **more: str | None) -> None:
        self.metrics.closed.labels(reason).inc()
        log.warning("connection closed", reason=reason, **{name: value for name, value in more.items() if value})
