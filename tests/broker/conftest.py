"""One real Kafka for the whole session: tests share it, so each uses topic and group names of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.broker.broker import EmbeddedKafka


class ExistingKafka(EmbeddedKafka):
    """A broker that AFSPRAAKBERICHT_TEST_BOOTSTRAP names, instead of ours: it is neither started nor stopped."""

    bootstrap = os.environ.get("AFSPRAAKBERICHT_TEST_BOOTSTRAP", "")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker with a `bootstrap` address. It creates no topic by itself."""
    if ExistingKafka.bootstrap:
        yield ExistingKafka()
        return
    data: Path = tmp_path_factory.mktemp("kafka")
    with EmbeddedKafka(data, port=None) as broker:
        yield broker


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names that no other test has: `fresh("events")` gives `events-1f3a…`, the same each time within one test."""
    suffix = uuid.uuid4().hex[:12]
    return lambda name: f"{name}-{suffix}"
