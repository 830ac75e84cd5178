"""The worker: the graph of `streams/topology.py` on the engine, with real providers. Read this third."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from schemas.channels import CHANNELS
from schemas.inputs import Channel
from schemas.topics import BOOTSTRAP_TOPICS, DEPENDENT_TOPICS, FOREIGN, INPUTS, ROWS, TOPICS
from streams.processing.dead_letters import fitting
from streams.sending.throttle import RateLimits
from streams.topology import Node, graph
from streams.translate.producers import Producers

from ..clock import utc_now
from ..engine.app import Engine
from ..engine.monitor import Monitor
from ..engine.node import NodeSpec
from ..engine.readiness import NotReadyError
from ..engine.state.store import StateBackend
from ..kafka.security import credentials
from ..providers import SmsGateway
from ..providers.dkim import Dkim
from ..providers.messagebird import MessageBird
from ..providers.messagebird_webhook import reference_tokens
from ..providers.smtp import mail_server
from ..settings.agreed import agreed_producers
from ..settings.settings import Settings
from ..tokens import Tokens
from .senders import EmailSender, SmsSender

Senders = dict[str, Any]
"""Channel -> what sends a delivery: `await send(call) -> Outcome`."""


def create_senders(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Senders:
    """Return the real senders, to whatever addresses the settings give."""
    gateway = create_gateway(settings)
    server = mail_server(settings, settings.email_slots)
    links = Tokens(settings.unsubscribe_keys, "unsubscribe") if settings.unsubscribe_keys else None
    dkim = Dkim(settings.dkim_domain, settings.dkim_selector, settings.dkim_key) if settings.dkim_domain else None
    return {
        "sms": SmsSender(
            gateway, reference_tokens(settings), clock, settings.report_url, repeatable=settings.sms_provider == "bird"
        ),
        "email": EmailSender(server, links, settings.message_domain, settings.unsubscribe_url, dkim),
    }


def create_gateway(settings: Settings) -> SmsGateway:
    """Return the SMS provider that the settings choose."""
    timeout = (3.0, settings.sms_timeout_seconds)
    if settings.sms_provider == "bird":
        # Here, because its SDK builds thousands of models when it is imported: seconds of every start, and memory.
        from ..providers.bird import Bird

        return Bird(settings.bird_url, settings.bird_key or "", timeout, settings.sms_slots)
    return MessageBird(settings.messagebird_url, settings.messagebird_key or "", timeout, settings.sms_slots)


def create_limits(settings: Settings) -> dict[Channel, RateLimits]:
    """Return how many messages a second each channel may send."""
    each = settings.organisation_rate
    return {channel: RateLimits(getattr(settings, f"{channel}_rate"), each) for channel in CHANNELS}


def create_graph(settings: Settings, producers: Producers) -> tuple[Node, ...]:
    """Return the nodes as the settings have them."""
    patience = timedelta(seconds=settings.snapshot_patience_seconds)
    return graph(settings.partitions, create_limits(settings), producers, patience)


def create_disk(settings: Settings) -> StateBackend | None:
    """Return where rows are kept that do not fit into memory."""
    if settings.store == "memory":
        return None
    try:
        from ..engine.state.rocksdb import RocksDbBackend
    except ImportError:
        raise NotReadyError(
            "store=rocksdb needs the extra `rocksdb` of our own wheel (DIST.whl[rocksdb]); the image has it"
        ) from None
    return RocksDbBackend(settings.data / "state")


def create_app(
    settings: Settings, senders: Senders | None = None, clock: Callable[[], datetime] = utc_now, hooks: Monitor | None = None
) -> Engine:
    """Build the Faust app of a worker: one agent and one table for each node of the graph."""
    made = senders if senders is not None else create_senders(settings, clock)
    producers = agreed_producers(settings.producers)
    return Engine(
        settings.application,
        settings.bootstrap,
        [_spec(node, made, settings) for node in create_graph(settings, producers)],
        settings.partitions,
        outputs=tuple(topic.name for topic in TOPICS if topic.role not in ("input", "foreign", "access")),
        clock=clock,
        hooks=hooks,
        fit=fitting,
        broker_credentials=credentials(settings),
        broker_client_id=settings.application,
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        datadir=settings.data / "worker",
        skipped=settings.skip_records,
        topic_prefix=settings.topic_prefix,
        disk=create_disk(settings),
    )


def _spec(node: Node, senders: Senders, settings: Settings) -> NodeSpec:
    early = tuple(topic.name for topic in BOOTSTRAP_TOPICS)
    return NodeSpec(
        name=node.name,
        topics=tuple(topic.name for topic in node.reads),
        processor=node.processor,
        peers=node.peers,
        hold={topic.name: early for topic in (*DEPENDENT_TOPICS, *FOREIGN) if topic in node.reads},
        waits_for=tuple(topic.name for topic in INPUTS) if node.on_time else (),
        format=ROWS,
        waits_first=tuple(topic.name for topic in FOREIGN) if node.on_time else (),
        call=senders[node.calls] if node.calls is not None else None,
        max_in_flight_calls=getattr(settings, f"{node.calls}_slots") if node.calls is not None else 1,
    )
