"""Third parties' keys: made here, kept hashed in a file, looked up at each request. A changed file counts at once.

A key is 32 random bytes, so its plain SHA-256 can be kept: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from schemas.wire import BadRecordError, Id, check

log = structlog.get_logger(__name__)

PREFIX = "afb_"
"""Keys start so, so that a scanner finds one that was put where it should not be."""


class Party(NamedTuple):
    """Who asks, and for which organisation; `key` tells apart the keys of one party."""

    party: str
    organisation: str
    key: str


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One key of the file; `sha256` of the whole key, in hexadecimal."""

    party: Id
    organisation: Id
    sha256: str


class File(msgspec.Struct, forbid_unknown_fields=True):
    """The file."""

    key: list[Entry] = []


def make(party: str, organisation: str) -> tuple[str, str]:
    """A new key, and the lines of the file that let it in."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, entry(party, organisation, key)


def entry(party: str, organisation: str, key: str) -> str:
    """The lines of the file for a key. JSON strings are TOML strings too."""
    quoted = [msgspec.json.encode(word).decode() for word in (party, organisation, digest(key))]
    return "[[key]]\nparty = {}\norganisation = {}\nsha256 = {}\n".format(*quoted)


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def read(text: str) -> dict[str, Party]:
    """Hash -> party. Raises ValueError with what is wrong."""
    try:
        found = check(File, tomllib.loads(text)).key
    except (tomllib.TOMLDecodeError, BadRecordError) as error:
        raise ValueError(str(error)) from None
    return {one.sha256.lower(): Party(one.party, one.organisation, one.sha256[:12]) for one in found}


class Parties:
    """The keys in force. A file that was changed and cannot be read leaves the last good ones."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError or ValueError for a file that cannot be read."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, Party] = {}
        if path is not None:
            self._known = read(path.read_text())
            self._seen = self._state(path)

    def find(self, key: str) -> Party | None:
        """Whose key it is. The look-up is by the hash, so its time tells nothing of the key."""
        if self._path is not None:
            self._refresh(self._path)
        return self._known.get(digest(key))

    def _refresh(self, path: Path) -> None:
        try:
            state = self._state(path)
            if state == self._seen:
                return
            self._seen = state
            self._known = read(path.read_text())
        except (OSError, ValueError) as error:
            log.error("keys not read; the last good ones count", error=type(error).__name__)

    @staticmethod
    def _state(path: Path) -> tuple[int, int]:
        found = path.stat()
        return found.st_mtime_ns, found.st_size
