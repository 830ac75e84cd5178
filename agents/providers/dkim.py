"""DKIM (RFC 6376): signs an e-mail over the bytes that go out, unsubscribe headers included (RFC 8058 section 3.1).

dkimpy's own choice of headers leaves `List-Unsubscribe-Post` out, so ours is explicit.
"""

from __future__ import annotations

HEADERS = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"auto-submitted", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"content-language", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""Signed where they are there. `From` is named once more, so that a second one cannot be added."""


class Dkim:
    """Signs for one domain and selector.

    Raises:
        ValueError: the key cannot be read.
    """

    def __init__(self, domain: str, selector: str, key: str | None) -> None:
        # Here, because it imports a DNS client: a sixth of the time in which a worker that signs nothing is loaded.
        from dkim.crypto import UnparsableKeyError, parse_pem_private_key

        self._domain, self._selector, self._key = domain.encode(), selector.encode(), (key or "").strip().encode()
        try:
            parse_pem_private_key(self._key)
        except (UnparsableKeyError, ValueError, IndexError):
            raise ValueError("the DKIM key is not an RSA private key in PEM") from None

    def sign(self, data: bytes) -> bytes:
        """Return the e-mail with its signature on top. What is sent must be exactly these bytes."""
        from dkim import DKIM

        signer = DKIM(data)
        there = {name.lower() for name, _ in signer.headers}
        named = [name for name in HEADERS if name in there]
        signature: bytes = signer.sign(
            self._selector, self._domain, self._key,
            canonicalize=(b"relaxed", b"relaxed"), include_headers=[*named, b"from"],
        )  # fmt: skip
        return signature + data
