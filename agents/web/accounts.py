"""Local accounts: for development, or where there is no OpenID Connect. Passwords are kept as scrypt hashes in a file."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from base64 import b64decode, b64encode
from pathlib import Path

import msgspec

from schemas.wire import BadRecordError, Id, check

COST, BLOCK, LANES = 1 << 15, 8, 1
SHORTEST = 12


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """One account of the file."""

    user: str
    organisation: Id
    password: str


class File(msgspec.Struct, forbid_unknown_fields=True):
    """The file."""

    account: list[Account] = []


def hashed(password: str, salt: bytes | None = None) -> str:
    """What is kept of a password."""
    salt = salt or secrets.token_bytes(16)
    return f"scrypt${b64encode(salt).decode()}${b64encode(_scrypt(password, salt)).decode()}"


def entry(user: str, organisation: str, password: str) -> str:
    """The lines of the file for an account."""
    quoted = [msgspec.json.encode(word).decode() for word in (user, organisation, hashed(password))]
    return "[[account]]\nuser = {}\norganisation = {}\npassword = {}\n".format(*quoted)


class Accounts:
    """The accounts of a file, read once."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError or ValueError for a file that cannot be read."""
        try:
            found = check(File, tomllib.loads(path.read_text())).account if path is not None else []
        except (tomllib.TOMLDecodeError, BadRecordError) as error:
            raise ValueError(str(error)) from None
        self._known = {account.user: account for account in found}
        self._nobody = hashed(secrets.token_urlsafe())

    def organisation(self, user: str, password: str) -> str | None:
        """Whose account it is, if the password is right. It takes as long for a user who is not there."""
        account = self._known.get(user)
        kept = account.password if account is not None else self._nobody
        try:
            kind, salt, hash_ = kept.split("$")
            right = kind == "scrypt" and hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(hash_))
        except ValueError:
            right = False
        return account.organisation if account is not None and right else None


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=64 << 20, dklen=32
    )
