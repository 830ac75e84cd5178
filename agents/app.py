"""The worker: the graph of `streams/graph.py` on the engine, with real providers. Read this third."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from schemas.topics import EARLY, LATE, TOPICS
from streams.graph import INPUTS, Node, graph

from .engine import Engine, Monitor, NodeSpec
from .engine.app import utc_now
from .providers.messagebird import MessageBird
from .providers.smtp import Smtp
from .senders import EmailSender, SmsSender
from .settings import Settings
from .tokens import Tokens

TLS: dict[str, Literal["starttls", "tls", "none"]] = {"starttls": "starttls", "implicit": "tls", "none": "none"}

Senders = dict[str, Any]
"""Channel -> what sends a delivery: `await send(call) -> Outcome`."""


def create_senders(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Senders:
    """The real senders, to whatever addresses the settings give."""
    gateway = MessageBird(
        settings.messagebird_url, settings.messagebird_key or "", (3.0, settings.sms_timeout_seconds), settings.sms_slots
    )
    server = Smtp(
        settings.smtp_host, settings.smtp_port, TLS[settings.smtp_tls], settings.smtp_user, settings.smtp_password,
        timeout=settings.smtp_timeout_seconds, connections=settings.email_slots,
    )  # fmt: skip
    keys = settings.unsubscribe_keys
    # A reference needs a key, too; where there is no unsubscribe key the provider's own key is as good a secret as any.
    references = Tokens(keys or (settings.messagebird_key or "-",), "reference")
    links = Tokens(keys, "unsubscribe") if keys else None
    return {
        "sms": SmsSender(gateway, references, clock, settings.report_url),
        "email": EmailSender(server, links, settings.message_domain, settings.unsubscribe_url),
    }


def create_app(
    settings: Settings, senders: Senders | None = None, clock: Callable[[], datetime] = utc_now, hooks: Monitor | None = None
) -> Engine:
    """The Faust app of a worker: one agent and one table for each node of the graph."""
    made = senders if senders is not None else create_senders(settings, clock)
    slots = {"sms": settings.sms_slots, "email": settings.email_slots}
    return Engine(
        settings.application,
        settings.bootstrap,
        [_spec(node, made, slots) for node in graph(settings.partitions)],
        settings.partitions,
        outputs=tuple(topic.name for topic in TOPICS if topic.role != "input"),
        clock=clock,
        hooks=hooks,
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        datadir=settings.data / "worker",
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
