"""Write what an organisation chose, and show it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from agents.kafka.publisher import Publisher
from agents.kafka.writer import Event
from agents.projection import organisations
from agents.projection.projection import Projection

log = structlog.get_logger(__name__)


class Saver:
    """Writes records of an organisation, each keyed by it."""

    def __init__(self, publisher: Publisher, projection: Projection, clock: Callable[[], datetime]) -> None:
        self.publisher, self.projection, self.clock = publisher, projection, clock

    async def save(self, topic: str, organisation: str, value: bytes | None) -> int:
        """Write the event, wait for Kafka's acknowledgement, then update what the page shows. Returns its version.

        Raises UnavailableError.
        """
        place = await self.publisher.publish(Event(topic, organisation, value))
        log.info("saved", topic=topic, organisation=organisation)
        row = organisations.row(topic, *place, organisation.encode(), value, self.clock())
        try:
            await asyncio.to_thread(self.projection.note, row)
        except SQLAlchemyError as error:  # it comes from the topic
            log.warning("the projection waits", error=type(error).__name__)
        return place.offset
