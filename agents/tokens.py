"""Sealed tokens: what a link or a provider's reference tells us and nobody else.

AES-SIV (RFC 5297): opaque, so that no id of a client stands in a URL; hard to forge; the same token for the same content, so that
it may be used again and again. The first key seals, any of them opens, so that keys can be rotated.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class Tokens:
    """Seals and opens tokens of one purpose: a token of another purpose does not open.

    Args:
        keys: texts with enough chance in them; newest first, at least one.
        purpose: such as `unsubscribe`.
    """

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        self._ciphers = [AESSIV(hashlib.sha512(key.encode()).digest()) for key in keys]
        self._purpose = [purpose.encode()]

    def seal(self, *parts: str) -> str:
        """Return a token that holds these parts (no `/` in them): letters, digits, `-` and `_`."""
        sealed = self._ciphers[0].encrypt("/".join(parts).encode(), self._purpose)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str) -> list[str] | None:
        """Return what a token holds; None when it is not one of ours, or was changed."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed, self._purpose).decode().split("/")
            except (InvalidTag, ValueError):
                continue
        return None
