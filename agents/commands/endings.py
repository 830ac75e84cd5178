"""What commands that need Kafka share: its settings, and the one line of those that cannot go on."""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NodeNotReadyError

from schemas.deliveries import NewerSchemaError
from schemas.wire import BadRecordError

from ..access.command import announce
from ..access.table import COMMANDS
from ..kafka.junk import NotARecordError
from ..kafka.reader import MissingError
from ..kafka.security import check, client_settings
from ..kafka.topics import NO_ANSWER
from ..settings.settings import Settings, SettingsError
from .running import refused

Command = Callable[[Namespace], int]


class ArgumentError(ValueError):
    """An argument that cannot be; one line that names it and says what is expected."""


def one_line(run: Command) -> Command:
    """Make a command end with one line and code 2 where its arguments, settings, Kafka or records are not as they must be."""

    @wraps(run)
    def ended(args: Namespace) -> int:
        try:
            with quiet():
                return run(args)
        except (ArgumentError, SettingsError, MissingError, NotARecordError, NewerSchemaError, BadRecordError) as error:
            return refused(str(error))
        except KafkaError as error:
            return refused(of_kafka(error, Settings.from_env(os.environ).bootstrap))

    return ended


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the Kafka client's own lines off the terminal: what they are about is an error, of which a command says one line."""
    library, nowhere = logging.getLogger("aiokafka"), logging.NullHandler()
    propagates = library.propagate
    library.addHandler(nowhere)
    library.propagate = False
    try:
        yield
    finally:
        library.propagate = propagates
        library.removeHandler(nowhere)


def of_kafka(error: BaseException, bootstrap: str) -> str:
    """Return what Kafka is at fault for. An error of what it keeps has the record's place as a note (`light_records.py`)."""
    if places := getattr(error, "__notes__", None):
        return f"a record of Kafka at {bootstrap} cannot be read: {type(error).__name__} {places[0]}"
    if isinstance(error, KafkaConnectionError | KafkaTimeoutError | NodeNotReadyError | TimeoutError):
        return NO_ANSWER.format(bootstrap)
    return f"Kafka at {bootstrap} answers: {type(error).__name__}"


def kafka_settings(args: Namespace) -> tuple[Settings, dict[str, Any]]:
    """Return the settings, and those of every Kafka client; a command that shows data of clients is in `access-log` by then.

    Raises SettingsError, where Kafka refuses us too; of the record KafkaError and MissingError.
    """
    settings = Settings.from_env(os.environ)
    check(settings)
    security = client_settings(settings)
    if COMMANDS[args.command] is not None:
        announce(settings.bootstrap, security, args)
    return settings, security
