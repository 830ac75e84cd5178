"""Sign-in by OpenID Connect: the authorization code flow with PKCE, by authlib; the ID token is checked by joserfc."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests.adapters import HTTPAdapter

from agents.kafka.publisher import UnavailableError
from agents.providers import bounded
from schemas.access import ROLES, Role
from schemas.addresses import AddressError, normalised
from schemas.wire import BadRecordError, Id, check

from .pools import Pool

log = structlog.get_logger(__name__)

TIMEOUT = (3.0, 10.0)
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]

MOST_BYTES = 256 << 10
"""Of an answer of the provider: its keys with their certificates are some ten thousand."""

AT_A_TIME, MOST_WAITING = 32, 64
"""Sign-ins that are checked at a time, and that wait for it."""

LONGEST_SECONDS = 25.0
"""Seconds after which a browser is told to try again, however far its sign-in is: before the proxy in front of us gives up."""

SCOPE = "openid email"
"""What is asked of the provider: who it is, and the address that it has verified (OpenID Connect Core 5.4)."""

ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Start(NamedTuple):
    """A sign-in under way: where the browser goes, and what it must bring back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Identity(NamedTuple):
    """Whom the provider vouches for. `name`: as people call them; `email`: which it has verified; empty where it says none."""

    organisation: str
    user: str
    name: str
    roles: tuple[Role, ...]
    email: str = ""


class RefusedError(Exception):
    """The provider did not say who it is, or not in a way that we believe."""


class Provider:
    """An OpenID Connect provider. Its addresses and keys are asked for when they are first needed."""

    def __init__(self, issuer: str, client: str, secret: str, claim: str, back: str, roles_claim: str | None = None) -> None:
        self.issuer, self.client, self.secret, self.claim, self.back = issuer, client, secret, claim, back
        self.roles_claim = roles_claim
        self._pool = Pool("oidc", AT_A_TIME, MOST_WAITING)
        self._known: asyncio.Task[dict[str, Any]] | None = None

    async def start(self) -> Start:
        """Begin. Raises UnavailableError where the provider does not answer."""
        known = await self._metadata()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        url, state = self._session().create_authorization_url(
            known["authorization_endpoint"], nonce=nonce, code_verifier=verifier
        )
        return Start(url, state, nonce, verifier)

    async def finish(self, code: str, nonce: str, verifier: str) -> Identity:
        """Return who signs in. Raises RefusedError, UnavailableError, or FullError where too many wait for it."""
        known = await self._metadata()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                claims = await self._pool.run(self._claims, known, code, nonce, verifier)
        except (requests.RequestException, TimeoutError) as error:
            log.error("the identity provider does not answer", error=type(error).__name__)
            raise UnavailableError from error
        except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.warning("sign-in refused", error=type(error).__name__)
            raise RefusedError from error
        if not is_for(claims, self.client):
            log.warning("sign-in refused", error="the token is another client's")
            raise RefusedError
        roles = ROLES if self.roles_claim is None else roles_of(claims, self.roles_claim)
        try:
            return Identity(check(Id, claims.get(self.claim)), str(claims["sub"]), _name(claims), roles, verified_email(claims))
        except BadRecordError:
            log.warning("sign-in refused", error="no organisation in the claim")
            raise RefusedError from None

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.close()

    def _claims(self, known: Mapping[str, Any], code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """Return what the provider vouches for. Raises what `requests`, authlib and joserfc raise."""
        token = self._session().fetch_token(
            known["token_endpoint"], code=code, code_verifier=verifier, timeout=TIMEOUT, allow_redirects=False
        )
        keys = KeySet.import_key_set(self._get(known["jwks_uri"]))
        claims = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": known["issuer"]},
            aud={"essential": True, "value": self.client},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        return claims

    async def _metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself, asked once for all who wait for it, and again after a failure."""
        if self._known is None or (self._known.done() and (self._known.cancelled() or self._known.exception() is not None)):
            self._known = asyncio.create_task(self._ask())
        return await asyncio.shield(self._known)

    async def _ask(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                known: Any = await self._pool.run(self._get, self.issuer + ".well-known/openid-configuration")
        except (requests.RequestException, ValueError, RecursionError, TimeoutError) as error:
            log.error("the identity provider does not answer", error=type(error).__name__)
            raise UnavailableError from error
        if not isinstance(known, dict) or not all(isinstance(known.get(name), str) for name in ADDRESSES):
            log.error("the identity provider does not say where it is")
            raise UnavailableError
        if str(known.get("issuer")).rstrip("/") != self.issuer.rstrip("/"):
            log.error("the identity provider names itself differently")
            raise UnavailableError
        return known

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(self.client, self.secret, scope=SCOPE, redirect_uri=self.back, code_challenge_method="S256")
        return _with_bounds(session)

    def _get(self, url: str) -> Any:
        with _with_bounds(requests.Session()) as session:
            answer = session.get(url, timeout=TIMEOUT, allow_redirects=False)
            answer.raise_for_status()
            return answer.json()


class _Bounded(HTTPAdapter):
    """Reads no more of an answer than we have use for, and for no longer than that may take."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send it. Raises RequestException for an answer that is too long, too slow, or packed."""
        end = time.monotonic() + sum(TIMEOUT)
        response = super().send(*args, **options | {"stream": True})
        with response:
            found = bounded.body(response, end, MOST_BYTES)
        if found is None:
            raise requests.RequestException("the answer is too long, too slow, or packed")
        response._content = found
        return response


S = TypeVar("S", bound=requests.Session)


def _with_bounds(session: S) -> S:
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded())
    return session


def is_for(claims: Mapping[str, Any], client: str) -> bool:
    """Tell whether an ID token was made for this client: of several audiences `azp` must say so (OpenID Connect Core 3.1.3.7)."""
    audiences, party = claims.get("aud"), claims.get("azp")
    several = isinstance(audiences, list) and len(audiences) > 1
    return party == client if party is not None or several else True


def roles_of(claims: Mapping[str, Any], claim: str) -> tuple[Role, ...]:
    """Return the roles in a claim, which may stand inside another one; none where it is not there, or of no kind that we know."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    words = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(role for role in ROLES if role in words)


def verified_email(claims: Mapping[str, Any]) -> str:
    """Return the user's address, where the provider says that it has verified it (OpenID Connect Core 5.1): a true, no text."""
    said = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(said, str):
        return ""
    try:
        return normalised(said)
    except AddressError:
        return ""


def _name(claims: Mapping[str, Any]) -> str:
    """Return what people call who signs in; never more than a line."""
    said = next((claims[claim] for claim in ("name", "preferred_username", "email") if isinstance(claims.get(claim), str)), "")
    return "".join(letter for letter in said if letter.isprintable())[:100]
