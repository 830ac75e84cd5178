"""A stand whose SMS gateway reports, signed, to a web service of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agents.broker.probe import free_ports
from agents.fakes.sms import FakeSms
from agents.kafka.publisher import KafkaPublisher
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server

from .harness import Stand

KEYS = ("a-secret-of-at-least-32-characters",)
SIGNING = "the-signing-key-of-the-account-0"
SECRET = b"a secret of the endpoint, 32 by."


@asynccontextmanager
async def reporting(folder: Path) -> AsyncIterator[tuple[Stand, dict[str, Any]]]:
    """A stand whose SMS gateway reports to a web service of its own; with what a worker has to be told of it."""
    made = Stand(folder / "stand", partitions=2)
    made.sms = FakeSms(key="a-key", signing_key=SIGNING)
    async with made as stand:
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}/webhooks/messagebird/"
        web = Settings(
            bootstrap=stand.kafka.bootstrap, partitions=2, unsubscribe_keys=KEYS, web_port=port, data=folder / "web",
            report_url=url, messagebird_signing_keys=(SIGNING,), bird_webhook_secrets=(SECRET,),
        )  # fmt: skip
        async with Server(create_web(web, KafkaPublisher(stand.kafka.bootstrap, 20.0)), "127.0.0.1", port, 10.0):
            yield stand, {"report_url": url}
