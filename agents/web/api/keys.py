"""Make third parties' keys, keep them hashed in a file, and look them up at each request. A changed file counts at once.

A key is 32 random bytes, so its plain SHA-256 can be kept: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import structlog

from schemas.wire import BadRecordError, Id, check

log = structlog.get_logger(__name__)

PREFIX = "afb_"
"""Every key starts with this, so that a scanner finds one that was left where it should not be."""


Right = Literal["requests", "fhir"]
"""What a key is for: messages of a third party, or an organisation's own appointments. One is not the other."""


class Party(NamedTuple):
    """Who asks, and for which organisation; `key` tells apart the keys of one party."""

    party: str
    organisation: str
    key: str
    may: Right = "requests"


class KeyEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One key of the file; `sha256` of the whole key, in hexadecimal."""

    party: Id
    organisation: Id
    sha256: str
    may: Right = "requests"


class KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file."""

    key: list[KeyEntry] = []


def make(party: str, organisation: str, may: Right = "requests") -> tuple[str, str]:
    """Make a key; return it and the lines of the file that let it in."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, entry(party, organisation, key, may)


def entry(party: str, organisation: str, key: str, may: Right = "requests") -> str:
    """Return the lines of the file for a key. JSON strings are TOML strings too."""
    quoted = [msgspec.json.encode(word).decode() for word in (party, organisation, digest(key))]
    lines = "[[key]]\nparty = {}\norganisation = {}\nsha256 = {}\n".format(*quoted)
    return lines if may == "requests" else f'{lines}may = "{may}"\n'


def digest(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()  # a header may hold any bytes


def read(text: str) -> dict[str, Party]:
    """Hash -> party. Raises ValueError with what is wrong."""
    try:
        found = check(KeyFile, tomllib.loads(text)).key
    except (tomllib.TOMLDecodeError, BadRecordError) as error:
        raise ValueError(str(error)) from None
    return {one.sha256.lower(): Party(one.party, one.organisation, one.sha256[:12], one.may) for one in found}


class ApiKeys:
    """The keys in force. A file that was changed and cannot be read leaves the last good ones."""

    def __init__(self, path: Path | None) -> None:
        """Read the file. Raises OSError or ValueError where it cannot be read."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, Party] = {}
        if path is not None:
            self._known = read(path.read_text())
            self._seen = self._state(path)

    def bearer(self, authorization: str, may: Right) -> Party | None:
        """Return whose key an Authorization header has, if it is for this."""
        scheme, _, key = authorization.partition(" ")
        party = self.find(key.strip()) if scheme.lower() == "bearer" else None
        return party if party is not None and party.may == may else None

    def find(self, key: str) -> Party | None:
        """Return whose key it is. The look-up is by the hash, so its time tells nothing of the key."""
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
