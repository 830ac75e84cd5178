"""Connect to Kafka over TLS, and say who we are: from the settings, for the worker, the commands and the web alike.

Certificates and the brokers' names in them are always checked; no setting turns that off.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from ..settings.settings import Settings, SettingsError, variable

SECONDS = 10.0
TOO_OLD = "it speaks no version of TLS that we do, 1.2 or 1.3, with ciphers that we take"
OF_CERTIFICATES = (
    "no certificate", "bad certificate", "unsupported certificate", "certificate revoked", "certificate expired",
    "certificate unknown", "certificate required", "unknown ca", "access denied", "decrypt error",
)  # fmt: skip
"""Alerts about who we are (RFC 8446 6.2)."""
LOGIN_ERRORS = (AuthenticationFailedError, SaslAuthenticationFailed, IllegalSaslStateError)


class KafkaRefusesError(SettingsError):
    """A broker refuses us, or we refuse it. Either side may be mended, so a long-running process tries again."""


def client_settings(settings: Settings) -> dict[str, Any]:
    """Return what every client of ours gets (`engine/transport/names.py`). Raises SettingsError where something is wrong."""
    names = {"client_id": settings.application, "topic_prefix": settings.topic_prefix}
    return {**_security(settings), **names}


def _security(settings: Settings) -> dict[str, Any]:
    """Return what aiokafka's connections get. Raises SettingsError where a file or a name is missing or wrong."""
    if settings.kafka_security == "plaintext":
        return {}
    context = _context(settings)
    if settings.kafka_security == "ssl":
        return {"security_protocol": "SSL", "ssl_context": context}
    for name in ("kafka_user", "kafka_password"):
        if not getattr(settings, name):
            raise SettingsError(f"{variable(name)} is not set: {variable('kafka_security')}=sasl_ssl needs it")
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": settings.kafka_mechanism.upper(),
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password,
    }


def credentials(settings: Settings) -> Any:
    """Return the same for Faust's `broker_credentials`."""
    given = _security(settings)
    if not given:
        return None
    import faust  # here: commands need no worker, and would wait for it at every start

    if given["security_protocol"] == "SSL":
        return faust.SSLCredentials(given["ssl_context"])
    return faust.SASLCredentials(
        username=given["sasl_plain_username"],
        password=given["sasl_plain_password"],
        ssl_context=given["ssl_context"],
        mechanism=given["sasl_mechanism"],
    )


def check(settings: Settings) -> None:
    """Connect once to each address until one takes us; KafkaRefusesError with the reason where TLS or the login is refused.

    aiokafka itself would only say that no broker answers. One that is not there at all is not our matter here.
    """
    given = _security(settings)
    if given:
        loop = asyncio.new_event_loop()  # not asyncio.run, which leaves the thread without one for Faust to find
        loop.set_exception_handler(_left_over)
        try:
            loop.run_until_complete(_check(settings, given))
        finally:
            loop.close()


def _left_over(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of what a refused connection leaves behind: its reason is the line that we say. Anything else is told.

    A broker's alert may come while a request waits (TLS 1.3 looks at our certificate last): nobody asks for its answer then.
    """
    if not isinstance(context.get("exception"), OSError | KafkaError):
        loop.default_exception_handler(context)


async def _check(settings: Settings, given: Mapping[str, Any]) -> None:
    refused: str | None = None
    noise = logging.getLogger("aiokafka.conn")
    level = noise.level
    noise.setLevel(logging.CRITICAL)
    try:
        for address in settings.bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                async with asyncio.timeout(SECONDS):
                    connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=int(SECONDS * 1000), **given)
            except (KafkaError, OSError, TimeoutError) as error:
                why = _why(error, settings)
                refused = refused or (f"Kafka at {address}: {why}" if why else None)
            else:
                connection.close()
                return
    finally:
        noise.setLevel(level)
    if refused is not None:
        raise KafkaRefusesError(refused)


def _why(error: BaseException, settings: Settings) -> str | None:
    """Return one line for what settings or certificates are at fault for; None for a broker that is away."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {chain.verify_message}; look at {variable('kafka_ca')} and the broker's name"
        if isinstance(chain, ssl.SSLError) and chain.reason in ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"):
            return TOO_OLD
        if isinstance(chain, ssl.SSLError) and "ALERT" in (chain.reason or ""):
            return _alerted((chain.reason or "").partition("ALERT_")[2].lower().replace("_", " "))
        if isinstance(chain, ssl.SSLError | ConnectionResetError):  # who expects Kafka's own words hangs up on TLS
            return f"it does not speak TLS with us; look at its port and {variable('kafka_security')}"
        if isinstance(chain, UnsupportedSaslMechanismError):
            return f"it has no login by {settings.kafka_mechanism}; look at {variable('kafka_mechanism')}"
        if isinstance(chain, LOGIN_ERRORS):
            return f"the login of {settings.kafka_user} is refused; look at {variable('kafka_password')}"
        chain = chain.__cause__ or chain.__context__
    return None


def _alerted(said: str) -> str:
    """Return the reason that a broker gives in a TLS alert."""
    if said in ("protocol version", "insufficient security", "inappropriate fallback"):
        return TOO_OLD
    if said in OF_CERTIFICATES:
        return f"it refuses our certificate ({said}); look at {variable('kafka_certificate')}"
    return f"it ends TLS with us ({said}); look at its ciphers, and at {variable('kafka_certificate')} if it asks for one"


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{variable('kafka_ca')} is {settings.kafka_ca}: {_reason(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.kafka_certificate is not None:
        try:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            given = f"{settings.kafka_certificate} with key {settings.kafka_key or 'in the same file'}"
            raise SettingsError(f"{variable('kafka_certificate')} is {given}: {_reason(error)}") from None
    elif settings.kafka_key is not None:
        raise SettingsError(f"{variable('kafka_certificate')} is not set: {variable('kafka_key')} needs it")
    return context


def _no_password() -> str:
    """Refuse, instead of a prompt on the terminal that would wait for ever."""
    raise ValueError("the key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "expected certificates in PEM" if error.reason is None else error.reason.replace("_", " ").lower()
    return str(getattr(error, "strerror", None) or error)
