"""`afspraakbericht mllp`: take HL7 v2 in over MLLP. As many as you like, behind a balancer or each for one organisation."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace

import structlog

from ..about import MLLP
from ..kafka.publisher import KafkaPublisher
from ..kafka.security import client_settings
from ..mllp.listener import Listener
from ..monitoring.health import serving
from ..monitoring.mllp_metrics import MllpMetrics
from ..settings.agreed import agreed_producers
from ..settings.settings import Settings
from .listening import listen
from .running import stop_signal

log = structlog.get_logger(__name__)


def arguments(parser: ArgumentParser) -> None:
    """Declare none: settings say all."""


def run(args: Namespace) -> int:
    """Listen until SIGTERM or Ctrl-C; return 0, or one of `agents/exits.py`."""
    return listen("an MLLP listener", MLLP, _listen, lambda settings: (settings.mllp_host, settings.mllp_port))


async def _listen(settings: Settings) -> int:
    """Listen until it is told to stop. Kafka does not have to be there: then nothing is answered."""
    stop = stop_signal()
    metrics = MllpMetrics()
    publisher = KafkaPublisher(settings.bootstrap, settings.web_publish_seconds, client_settings(settings))
    with serving(metrics, metrics.registry, settings.metrics_host, settings.metrics_port):
        try:
            async with Listener(settings, agreed_producers(settings.producers), publisher, metrics) as listener:
                log.info("listening", host=settings.mllp_host, port=listener.port, tls=listener.tls is not None)
                beat = asyncio.create_task(listener.beat())
                await stop.wait()
                beat.cancel()
        finally:
            await publisher.close()
    return 0
