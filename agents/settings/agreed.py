"""Read the file of what is agreed with those who speak other standards (`streams/translate/producers.py`)."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from schemas.wire import BadRecordError
from streams.translate.producers import Producers, read_producers

from .settings import SettingsError


def agreed_producers(path: Path | None) -> Producers:
    """Return the producers by organisation; none where there is no file. Raises SettingsError where it cannot be used."""
    if path is None:
        return MappingProxyType({})
    try:
        return read_producers(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"the file of producers {path} cannot be read: {error.strerror}") from error
    except BadRecordError as error:
        raise SettingsError(f"the file of producers {path}: {error}") from error
