"""Ask the projection's database from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import SQLAlchemyError

from ..kafka.publisher import UnavailableError
from .reduce import Row

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Asking:
    """Asks questions in a thread. All raise UnavailableError where the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def _rows(self, query: Select[Any]) -> list[Row]:
        return await self._ask(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    async def _ask(self, question: Callable[[Connection], T]) -> T:
        def asked() -> T:
            with self.engine.connect() as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(asked)
        except SQLAlchemyError as error:
            log.error("the projection does not answer", error=type(error).__name__)
            raise UnavailableError from None
