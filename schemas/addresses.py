"""E-mail addresses and mailboxes: the one grammar by which intake takes them, headers name them and envelopes carry them.

Pure. An address is a dot-atom (RFC 5321; RFC 6531 outside ASCII) before the `@` and a host name behind it. Quoted local parts and
address literals are no addresses here: nobody has them, and they let anything into a command.
"""

from __future__ import annotations

import re
import unicodedata
from email.utils import unquote
from functools import lru_cache
from typing import NamedTuple

import idna

_ATOM = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\W_]|[^\x00-\x7f\s])"
_LOCAL = re.compile(rf"{_ATOM}+(?:\.{_ATOM}+)*")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*"
)
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that neither an address nor the name before one may have."""


class AddressError(ValueError):
    """It is no address, or none that can be written to; the text says why and holds nothing of it."""


class Mailbox(NamedTuple):
    """A name, which may be empty, and an address in ASCII."""

    name: str
    address: str


@lru_cache(maxsize=4096)
def to_ascii(domain: str) -> str:
    """Return a domain as DNS has it: IDNA 2008 after UTS 46, non-transitional, so that `faß.example` is not `fass.example`.

    Raises AddressError where it is none.
    """
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, transitional=False).decode()
        except idna.IDNAError:
            raise AddressError("its domain is none") from None
    if _HOST.fullmatch(domain) is None:
        raise AddressError("its domain is none")
    return domain


def normalised(address: str) -> str:
    """Return an address as a server takes it: without white space around it, its domain in ASCII.

    A part before the `@` that is not ASCII has no other form, and stays: the server must know SMTPUTF8.
    Raises AddressError where it is none.
    """
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain):
        raise AddressError("not an e-mail address")
    if _LOCAL.fullmatch(local) is None or len(local.encode()) > 64 or _unprintable(local):
        raise AddressError("what stands before its @ is none")
    whole = f"{local}@{to_ascii(domain)}"
    if len(whole.encode()) > 254:
        raise AddressError("it is too long")
    return whole


def mailbox(text: str) -> Mailbox:
    """Read a sender or a reply address: an address, or a name with the address in angle brackets.

    The name may hold any printable character but angle brackets, quoted or not. The address must be ASCII but for its domain: not
    every server that a message passes knows SMTPUTF8. Raises AddressError.
    """
    text = text.strip()
    name, bracket, rest = text.rpartition("<")
    if bracket and rest.endswith(">"):
        name, address = unquote(name.strip()).strip(), rest[:-1]
    else:
        name, address = "", text
    if "<" in name or ">" in name or _unprintable(name):
        raise AddressError("the name before the address has a character that cannot stand there")
    address = normalised(address)
    if not address.isascii():
        raise AddressError("what stands before its @ must be ASCII")
    return Mailbox(name, address)


def _unprintable(text: str) -> bool:
    return any(unicodedata.category(character) in _UNPRINTABLE for character in text)
