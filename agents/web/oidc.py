"""Sign-in by OpenID Connect: the authorization code flow with PKCE, by authlib; the ID token is checked by joserfc."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, NamedTuple

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .publishing import UnavailableError

log = structlog.get_logger(__name__)

TIMEOUT = (3.0, 10.0)
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


class Start(NamedTuple):
    """A sign-in under way: where the browser goes, and what it must bring back."""

    url: str
    state: str
    nonce: str
    verifier: str


class RefusedError(Exception):
    """The provider did not say who it is, or not in a way that we believe."""


class Provider:
    """An OpenID Connect provider. Its addresses and keys are asked for when they are first needed."""

    def __init__(self, issuer: str, client: str, secret: str, claim: str, back: str) -> None:
        self.issuer, self.client, self.secret, self.claim, self.back = issuer, client, secret, claim, back
        self._known: dict[str, Any] | None = None

    async def start(self) -> Start:
        """Begin. Raises UnavailableError where the provider does not answer."""
        known = await self._metadata()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        session = self._session()
        url, state = session.create_authorization_url(known["authorization_endpoint"], nonce=nonce, code_verifier=verifier)
        return Start(url, state, nonce, verifier)

    async def finish(self, code: str, nonce: str, verifier: str) -> tuple[str, str]:
        """Organisation and user. Raises RefusedError, or UnavailableError."""
        known = await self._metadata()
        try:
            token = await asyncio.to_thread(
                self._session().fetch_token, known["token_endpoint"], code=code, code_verifier=verifier, timeout=TIMEOUT
            )
            keys = KeySet.import_key_set(await asyncio.to_thread(_get, known["jwks_uri"]))
            claims = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": known["issuer"]},
                aud={"essential": True, "value": self.client},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except requests.RequestException as error:
            log.error("the identity provider does not answer", error=type(error).__name__)
            raise UnavailableError from error
        except (JoseError, AuthlibBaseError, ValueError, KeyError) as error:
            log.warning("sign-in refused", error=type(error).__name__)
            raise RefusedError from error
        organisation = claims.get(self.claim)
        if not isinstance(organisation, str) or not organisation or "/" in organisation:
            log.warning("sign-in refused", error="no organisation in the claim")
            raise RefusedError
        return organisation, str(claims["sub"])

    async def _metadata(self) -> dict[str, Any]:
        if self._known is not None:
            return self._known
        try:
            known: dict[str, Any] = await asyncio.to_thread(_get, self.issuer + ".well-known/openid-configuration")
        except (requests.RequestException, ValueError) as error:
            log.error("the identity provider does not answer", error=type(error).__name__)
            raise UnavailableError from error
        if str(known.get("issuer")).rstrip("/") != self.issuer.rstrip("/"):
            log.error("the identity provider names itself differently")
            raise UnavailableError
        self._known = known
        return known

    def _session(self) -> OAuth2Session:
        return OAuth2Session(self.client, self.secret, scope="openid", redirect_uri=self.back, code_challenge_method="S256")


def _get(url: str) -> Any:
    answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
    answer.raise_for_status()
    return answer.json()
