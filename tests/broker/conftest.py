"""One real Kafka for the tests of a process: they share it, so each uses topic and group names of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

import pytest

from agents.broker.broker import EmbeddedKafka
from agents.broker.jars import VERSION

from .forked import Forked, run
from .harness import Worker
from .lent import shared

Worker.begin, Worker.run = staticmethod(Forked), staticmethod(run)


class ExistingKafka(EmbeddedKafka):
    """A broker that AFSPRAAKBERICHT_TEST_BOOTSTRAP names, instead of ours: it is neither started nor stopped."""

    bootstrap = os.environ.get("AFSPRAAKBERICHT_TEST_BOOTSTRAP", "")


@pytest.fixture(scope="session")
def kafka() -> EmbeddedKafka:
    """A broker with a `bootstrap` address. It creates no topic by itself."""
    return ExistingKafka() if ExistingKafka.bootstrap else shared(VERSION)


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names that no other test has: `fresh("events")` gives `events-1f3a…`, the same each time within one test."""
    suffix = uuid.uuid4().hex[:12]
    return lambda name: f"{name}-{suffix}"
