"""Who is signed in: sealed in a cookie, nothing kept here. And tokens that show that a form is of our page."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..tokens import Tokens

HOURS = 8
COOKIE = "afspraakbericht"


class Session(NamedTuple):
    """One browser. `organisation` is empty as long as nobody signed in."""

    organisation: str
    user: str
    since: int
    nonce: str

    @property
    def signed_in(self) -> bool:
        """Whether it may see anything."""
        return bool(self.organisation)


class Sessions:
    """Seals sessions, forms and client ids. `keys`: newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._sessions, self._forms = Tokens(keys, "session"), Tokens(keys, "form")
        self._clients, self._started = Tokens(keys, "client"), Tokens(keys, "sign-in")

    def new(self, organisation: str, user: str, now: float) -> Session:
        """A session that begins now; a new one at sign-in, so that nobody can have prepared it."""
        return Session(organisation, user, int(now), secrets.token_urlsafe(16))

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        return self._sessions.seal(session.organisation, quote(session.user, safe=""), str(session.since), session.nonce)

    def open(self, cookie: str, now: float) -> Session | None:
        """The session in a cookie; None for one that is not ours or over."""
        said = self._sessions.open(cookie)
        if said is None or len(said) != 4:
            return None
        session = Session(said[0], unquote(said[1]), int(said[2]), said[3])
        return session if 0 <= now - session.since < HOURS * 3600 else None

    def form(self, session: Session) -> str:
        """What each form of this session carries."""
        return self._forms.seal(session.nonce)

    def is_ours(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return self._forms.open(token) == [session.nonce]

    def client(self, organisation: str, client: str) -> str:
        """A client in an address: no id stands there."""
        return self._clients.seal(organisation, client)

    def open_client(self, organisation: str, token: str) -> str | None:
        """The client, if the token is of this organisation."""
        said = self._clients.open(token)
        return said[1] if said is not None and len(said) == 2 and said[0] == organisation else None

    def start(self, *words: str) -> str:
        """What a browser keeps while its user is away to sign in."""
        return self._started.seal(*words)

    def started(self, cookie: str, count: int) -> list[str] | None:
        """It again."""
        said = self._started.open(cookie)
        return said if said is not None and len(said) == count else None
