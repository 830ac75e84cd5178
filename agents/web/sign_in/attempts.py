"""Limit tries to sign in: by name, by browser, and all together.

Whoever guesses a user's password must not lock that user out: a browser in which the user signed in before has tries of its own.
It shows this by a sealed cookie, which lets nobody in.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import quote, unquote

from ...tokens import Tokens
from ..api.rate_limit import TokenBuckets

COOKIE = "afspraakbericht-bekend"
DAYS = 180

TRIES_A_MINUTE = 10
"""With one name from all browsers that are strange to it, and as many from each that is not."""

EVERYBODY_A_MINUTE = 120
"""In all strange browsers together, on each way to sign in."""


class Attempts:
    """Limits on trying. `keys`: those of sessions."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._tokens = Tokens(keys, "browser")
        self._names, self._browsers = TokenBuckets(TRIES_A_MINUTE), TokenBuckets(TRIES_A_MINUTE)
        self._all = TokenBuckets(EVERYBODY_A_MINUTE)

    def remember(self, user: str, now: float) -> str:
        """Return the cookie of a browser in which this user signed in."""
        return self._tokens.seal(quote(user, safe=""), str(int(now)), secrets.token_urlsafe(16))

    def known(self, cookie: str, now: float, user: str | None = None) -> str | None:
        """Return the browser that a cookie names; None for one that is not ours, too old, or another user's."""
        said = self._tokens.open(cookie)
        if said is None or len(said) != 3 or not 0 <= now - int(said[1]) < DAYS * 86400:
            return None
        return said[2] if user is None or unquote(said[0]) == user else None

    def take(self, way: str, browser: str | None, now: float, user: str | None = None) -> float:
        """Take a try; return 0, or the seconds to wait. `way`: `local`, `start` or `back`; `now`: of a monotonic clock."""
        if browser is not None:
            return self._browsers.take(f"{way}/{browser}", now)
        return (self._names.take(user, now) if user is not None else 0.0) or self._all.take(way, now)
