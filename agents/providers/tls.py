"""What TLS errors mean: a line that was cut, or certificates and settings that no repetition mends."""

from __future__ import annotations

import ssl

_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def refusal(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error behind an exception of a client, where certificates or settings are at fault; None of all others."""
    seen: set[int] = set()
    found: object = error
    while isinstance(found, BaseException) and id(found) not in seen:
        if isinstance(found, ssl.SSLError):
            return None if isinstance(found, _CUT) else found
        seen.add(id(found))
        # urllib3 keeps it as its reason, and requests that one as an argument.
        found = found.__cause__ or found.__context__ or getattr(found, "reason", None) or next(iter(found.args), None)
    return None
