"""The settings of Kafka: where it is, who we are to it, and what our topics and group are like. Part of `settings.Settings`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import values
from .values import setting


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """What all that speak with Kafka have in common."""

    bootstrap: str = setting("127.0.0.1:9092", values.addresses)
    """Kafka's addresses, host:port with commas between them. One that answers is enough; name two or three."""

    kafka_security: str = setting("plaintext", values.one_of("plaintext", "ssl", "sasl_ssl"))
    """How to speak with Kafka. `ssl`: TLS; our certificate identifies us if the brokers ask for one. `sasl_ssl`: TLS, and we
    log in. `plaintext`: neither, for one machine only: names and appointments are readable on the way."""

    kafka_ca: Path | None = setting(None, values.folder)  # noqa: RUF009  # it is a field
    """PEM file of the authorities that the brokers' certificates must come from. Default: those that this system trusts."""

    kafka_certificate: Path | None = setting(None, values.folder)  # noqa: RUF009  # it is a field
    """PEM file with our certificate, and those between it and its authority, for brokers that ask for one (mutual TLS)."""

    kafka_key: Path | None = setting(None, values.folder)  # noqa: RUF009  # it is a field
    """PEM file with that certificate's private key, not encrypted. Without it: in the same file as the certificate."""

    kafka_mechanism: str = setting("scram-sha-512", values.one_of("scram-sha-512", "scram-sha-256", "plain"))
    """How `sasl_ssl` logs in. With SCRAM the brokers never get to see the password; `plain` sends it, below TLS."""

    kafka_user: str | None = setting(None)
    """Who we are to Kafka with `sasl_ssl`. Needs `kafka_password`."""

    kafka_password: str | None = setting(None, secret=True)
    """The password that goes with `kafka_user`."""

    application: str = setting("afspraakbericht", values.name)
    """Faust's app id: the consumer group, and the first part of the changelogs' names. Another name is another application: it
    starts from empty tables and reads every input from its start, so never change it on a running system."""

    topic_prefix: str = setting("", values.prefix)
    """What stands before every name on Kafka, topics, changelogs and the consumer group; `acceptance.` for one. So installations
    live side by side on one Kafka, each with its own `data` and `web_database`. Rows, metrics, lines of the log and commands
    have the names without it. Another prefix is another installation: the RUNBOOK has the way there."""

    partitions: int = setting(64, values.whole(1, 1000))
    """Partitions of every topic and table, and so the highest number of workers that have work. Fixed for life: keys would
    move to other partitions than their tables. 64 cost no more than 8. A worker refuses to start on topics with another count."""

    replication: int = setting(1, values.whole(1, 5))
    """Copies of each partition, a number of brokers. With 3 or more a write needs two copies (min.insync.replicas=2), so that
    one broker may be lost. The default, 1, is for one machine: production needs 3."""

    instance: str | None = setting(None, values.name)
    """This worker's fixed name in the group (static membership), different for each worker, such as its pod's name. A restart
    within the session time-out then moves no partition. Without it every restart moves partitions twice."""

    session_timeout_seconds: float = setting(10.0, values.seconds(1, 1800))
    """After how many seconds of silence a worker counts as dead and others take over its partitions. Brokers allow 6 to 1800 by
    default. Shorter is a quicker take-over, and more false alarms on a machine that stalls."""
