"""The settings of `afspraakbericht mllp`. Part of `agents.settings.settings.Settings`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import values
from .values import setting


@dataclass(frozen=True, kw_only=True)
class ListenerSettings:
    """How HL7 v2 comes in over MLLP."""

    mllp_host: str = setting("127.0.0.1", values.host)
    """Where `afspraakbericht mllp` listens. Loopback by default: open it only with TLS, or on a network of its own."""

    mllp_port: int = setting(2575, values.whole(0, 65535))
    """Its port; 0 takes a free one, which the log names."""

    mllp_organisation: str | None = setting(None)
    """Whose all messages are that come to this listener; it must be in the file of `producers`. Without it a client's certificate
    says whose they are (`mllp_clients`)."""

    mllp_certificate: Path | None = setting(None, values.folder)  # noqa: RUF009  # it is a field
    """PEM file with the listener's certificate, those between it and its authority, and its private key. Without it there is no
    TLS: names and appointments are readable on the way."""

    mllp_clients: Path | None = setting(None, values.folder)  # noqa: RUF009  # it is a field
    """PEM file of the authorities from which clients' certificates must come; each must then show one that the file of
    `producers` names (`certificates`). Needs `mllp_certificate`."""

    mllp_slow_seconds: float = setting(10.0, values.seconds(0.1, 600))
    """How long a message may take to come in, once it began, and an answer to be taken. Then the connection is closed."""
