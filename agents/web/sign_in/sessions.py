"""Seal who is signed in into a cookie; and tokens that show that a form comes from our page.

Whether a session still counts is more than its cookie says: `SignIn.session` asks who ended it, and whether the account is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

from agents.tokens import Tokens
from schemas.access import ROLES, Role

HOURS = 8
IDLE_SECONDS = 30 * 60
RENEW_SECONDS = 60
"""A cookie of this age is sealed anew, so that work keeps a session alive."""

COOKIE = "afspraakbericht"


def named(cookie: str, *, https: bool) -> str:
    """Return a cookie's name: with https one that a browser takes from us alone, for the whole of our host (RFC 6265bis)."""
    return f"__Host-{cookie}" if https else cookie


class Session(NamedTuple):
    """One browser. `organisation` is empty as long as nobody signed in.

    `since` and `seen`: of sign-in and of the last request, in seconds; `mark`: of the local account that it is of.
    `email`: the user's own address, where who signed the user in vouches for it. `silent`: the organisation sends no messages.
    """

    organisation: str
    user: str
    since: int
    nonce: str
    seen: int = 0
    roles: tuple[Role, ...] = ()
    name: str = ""
    mark: str = ""
    email: str = ""
    silent: bool = False

    @property
    def signed_in(self) -> bool:
        """Tell whether it may see anything."""
        return bool(self.organisation)


class Sessions:
    """Seals sessions, forms and client ids. `keys`: newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self._sessions, self._forms = Tokens(keys, "session"), Tokens(keys, "form")
        self._clients, self._started = Tokens(keys, "client"), Tokens(keys, "sign-in")

    def new(
        self, organisation: str, user: str, now: float, roles: Sequence[Role] = ROLES, name: str = "", mark: str = "",
        email: str = "",
    ) -> Session:  # fmt: skip
        """Begin a session; a new one at sign-in, so that nobody can have prepared it."""
        return Session(organisation, user, int(now), secrets.token_urlsafe(16), int(now), tuple(roles), name, mark, email)

    def seal(self, session: Session) -> str:
        """Return the cookie's value."""
        return self._sessions.seal(
            session.organisation, quote(session.user, safe=""), str(session.since), session.nonce, str(session.seen),
            ",".join(session.roles), quote(session.name, safe=""), session.mark,
            quote(session.email, safe=""),
        )  # fmt: skip

    def open(self, cookie: str, now: float) -> Session | None:
        """Return the session in a cookie; None for one that is not ours, is over, or was idle for too long."""
        said = self._sessions.open(cookie)
        if said is None or len(said) not in (8, 9):  # one of before has no address
            return None
        organisation, user, since, nonce, seen, roles, name, mark, email = [*said, ""][:9]
        given = tuple(role for role in ROLES if role in roles.split(","))
        session = Session(organisation, unquote(user), int(since), nonce, int(seen), given, unquote(name), mark, unquote(email))
        fresh = 0 <= now - session.since < HOURS * 3600 and now - session.seen < IDLE_SECONDS
        return session if fresh else None

    def form(self, session: Session) -> str:
        """Return what each form of this session carries."""
        return self._forms.seal(session.nonce)

    def is_ours(self, session: Session, token: str) -> bool:
        """Tell whether a form came from a page of this session."""
        return self._forms.open(token) == [session.nonce]

    def client(self, organisation: str, client: str) -> str:
        """Seal a client for an address: no id stands there."""
        return self._clients.seal(organisation, client)

    def open_client(self, organisation: str, token: str) -> str | None:
        """Return the client, if the token is of this organisation."""
        said = self._clients.open(token)
        return said[1] if said is not None and len(said) == 2 and said[0] == organisation else None

    def start(self, *words: str) -> str:
        """Return what a browser keeps while its user is away to sign in."""
        return self._started.seal(*words)

    def started(self, cookie: str, count: int) -> list[str] | None:
        """Read it again."""
        said = self._started.open(cookie)
        return said if said is not None and len(said) == count else None
