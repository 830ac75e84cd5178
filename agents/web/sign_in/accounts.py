"""Local accounts: for development, or where there is no OpenID Connect. Passwords are kept as scrypt hashes in a file."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from schemas.access import ROLES, Role
from schemas.addresses import AddressError, normalised
from schemas.wire import BadRecordError, Id, check

log = structlog.get_logger(__name__)

COST, BLOCK, LANES = 1 << 15, 8, 1
SHORTEST = 12


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """One account of the file. `email`: the user's own address, for which whoever keeps the file vouches."""

    user: str
    organisation: Id
    password: str
    roles: tuple[Role, ...] = ROLES
    email: str = ""

    @property
    def mark(self) -> str:
        """Return what is another for another password: a session has it of its sign-in."""
        return hashlib.sha256(self.password.encode()).hexdigest()[:16]


class AccountFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file."""

    account: list[Account] = []


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return what is kept of a password."""
    salt = salt or secrets.token_bytes(16)
    return f"scrypt${b64encode(salt).decode()}${b64encode(_scrypt(password, salt)).decode()}"


def entry(user: str, organisation: str, password: str, roles: Sequence[Role] = ROLES) -> str:
    """Return the lines of the file for an account."""
    quoted = [msgspec.json.encode(word).decode() for word in (user, organisation, hashed(password), list(roles))]
    return "[[account]]\nuser = {}\norganisation = {}\npassword = {}\nroles = {}\n".format(*quoted)


class Accounts:
    """The accounts in force. A changed file counts at once; one that cannot be read leaves the last good ones."""

    def __init__(self, path: Path | None) -> None:
        """Read the file. Raises OSError or ValueError where it cannot be read."""
        self._path = path
        self._known: dict[str, Account] = {}
        self._seen: tuple[int, int] | None = None
        if path is not None:
            self._seen, self._known = _state(path), _read(path)
        self._nobody = hashed(secrets.token_urlsafe())

    def find(self, user: str) -> Account | None:
        """Return an account, as the file is now."""
        if self._path is not None:
            self._refresh(self._path)
        return self._known.get(user)

    def check(self, user: str, password: str) -> Account | None:
        """Return the account, if the password is right. It takes as long for a user who is not there."""
        account = self.find(user)
        kept = account.password if account is not None else self._nobody
        try:
            kind, salt, hash_ = kept.split("$")
            right = kind == "scrypt" and hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(hash_))
        except ValueError:
            right = False
        return account if right else None

    def _refresh(self, path: Path) -> None:
        try:
            state = _state(path)
            if state == self._seen:
                return
            self._seen = state
            self._known = _read(path)
        except (OSError, ValueError) as error:
            log.error("accounts not read; the last good ones count", error=type(error).__name__)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[str, Account]:
    """Read the file. Raises OSError or ValueError."""
    try:
        found = check(AccountFile, tomllib.loads(path.read_text())).account
        for account in found:
            account.email = normalised(account.email) if account.email else ""
    except (tomllib.TOMLDecodeError, BadRecordError, AddressError) as error:
        raise ValueError(str(error)) from None
    return {account.user: account for account in found}


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=64 << 20, dklen=32
    )
