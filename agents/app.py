"""The worker: the graph of `streams/graph.py` on the engine, with real providers. Read this third."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from schemas.inputs import Channel
from schemas.topics import EARLY, LATE, TOPICS
from streams.graph import INPUTS, Node, graph
from streams.valve import Limits

from .engine import Engine, Monitor, NodeSpec, NotReadyError
from .engine.app import utc_now
from .engine.store import Keeper
from .kafka_security import credentials
from .providers import SmsGateway
from .providers.dkim import Dkim
from .providers.messagebird import MessageBird
from .providers.reports import reference_tokens
from .providers.smtp import Smtp
from .senders import EmailSender, SmsSender
from .settings import Settings
from .tokens import Tokens

TLS: dict[str, Literal["starttls", "tls", "none"]] = {"starttls": "starttls", "implicit": "tls", "none": "none"}

Senders = dict[str, Any]
"""Channel -> what sends a delivery: `await send(call) -> Outcome`."""


def create_senders(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Senders:
    """The real senders, to whatever addresses the settings give."""
    gateway = create_gateway(settings)
    server = Smtp(
        settings.smtp_host, settings.smtp_port, TLS[settings.smtp_tls], settings.smtp_user, settings.smtp_password,
        timeout=settings.smtp_timeout_seconds, connections=settings.email_slots,
    )  # fmt: skip
    links = Tokens(settings.unsubscribe_keys, "unsubscribe") if settings.unsubscribe_keys else None
    dkim = Dkim(settings.dkim_domain, settings.dkim_selector, settings.dkim_key) if settings.dkim_domain else None
    return {
        "sms": SmsSender(
            gateway, reference_tokens(settings), clock, settings.report_url, repeatable=settings.sms_provider == "bird"
        ),
        "email": EmailSender(server, links, settings.message_domain, settings.unsubscribe_url, dkim),
    }


def create_gateway(settings: Settings) -> SmsGateway:
    """The SMS provider that the settings choose."""
    timeout = (3.0, settings.sms_timeout_seconds)
    if settings.sms_provider == "bird":
        # Here, because its SDK builds thousands of models when it is imported: seconds of every start, and memory.
        from .providers.bird import Bird

        return Bird(settings.bird_url, settings.bird_key or "", timeout, settings.sms_slots)
    return MessageBird(settings.messagebird_url, settings.messagebird_key or "", timeout, settings.sms_slots)


def create_limits(settings: Settings) -> dict[Channel, Limits]:
    """How many messages a second each channel may send."""
    each = settings.organisation_rate
    return {"sms": Limits(settings.sms_rate, each), "email": Limits(settings.email_rate, each)}


def create_disk(settings: Settings) -> Keeper | None:
    """Where rows are kept that do not fit into memory."""
    if settings.store == "memory":
        return None
    try:
        from .engine.disk import Disk
    except ImportError:
        raise NotReadyError("store=rocksdb needs rocksdict: install afspraakbericht[rocksdb]") from None
    return Disk(settings.data / "state")


def create_app(
    settings: Settings, senders: Senders | None = None, clock: Callable[[], datetime] = utc_now, hooks: Monitor | None = None
) -> Engine:
    """The Faust app of a worker: one agent and one table for each node of the graph."""
    made = senders if senders is not None else create_senders(settings, clock)
    slots = {"sms": settings.sms_slots, "email": settings.email_slots}
    return Engine(
        settings.application,
        settings.bootstrap,
        [_spec(node, made, slots) for node in graph(settings.partitions, create_limits(settings))],
        settings.partitions,
        outputs=tuple(topic.name for topic in TOPICS if topic.role != "input"),
        clock=clock,
        hooks=hooks,
        broker_credentials=credentials(settings),
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        datadir=settings.data / "worker",
        disk=create_disk(settings),
    )


def _spec(node: Node, senders: Senders, slots: dict[str, int]) -> NodeSpec:
    early = tuple(topic.name for topic in EARLY)
    return NodeSpec(
        name=node.name,
        topics=tuple(topic.name for topic in node.reads),
        shard=node.shard,
        peers=node.peers,
        hold={topic.name: early for topic in LATE if topic in node.reads},
        waits_for=tuple(topic.name for topic in INPUTS) if node.on_time else (),
        call=senders[node.calls] if node.calls is not None else None,
        slots=slots[node.calls] if node.calls is not None else 1,
    )
