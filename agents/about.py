"""Describe a long-running process when it starts: one line with what the reader of a log asks first."""

from __future__ import annotations

import platform
from typing import Any

from .monitoring.figures import tzdata_version
from .revision import revision, version_of
from .settings.settings import Settings

WORKER = (
    "application", "topic_prefix", "instance", "bootstrap", "kafka_security", "partitions", "session_timeout_seconds", "store",
    "data", "metrics_port", "sms_provider", "sms_slots", "sms_rate", "smtp_host", "smtp_port", "smtp_tls", "email_slots",
    "email_rate", "organisation_rate",
)  # fmt: skip
WEB = ("bootstrap", "topic_prefix", "kafka_security", "data", "web_host", "web_port", "web_url", "sms_provider", "api_per_minute")
MLLP = (
    "bootstrap",
    "topic_prefix",
    "kafka_security",
    "mllp_host",
    "mllp_port",
    "mllp_organisation",
    "mllp_certificate",
    "mllp_clients",
    "metrics_port",
)
"""Settings that matter; none is a secret, a person's address, or holds a password."""


def about(settings: Settings, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the versions, and the settings of these names."""
    versions = {"version": version_of(), "revision": revision(), "python": platform.python_version(), "tzdata": tzdata_version()}
    return versions | {name: _plain(getattr(settings, name)) for name in names}


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | float | str) else str(value)
