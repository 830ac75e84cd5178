"""Faust's settings that the engine changes."""

from __future__ import annotations

from typing import Any

from .state.recovery import BulkTables
from .state.store import ChangelogTable

SETTINGS: dict[str, Any] = {
    "Table": ChangelogTable,
    "TableManager": BulkTables,
    "store": "memory://",
    "key_serializer": "raw",
    "value_serializer": "raw",
    "consumer_auto_offset_reset": "earliest",
    "broker_max_poll_records": 4000,
    "broker_commit_interval": 0.3,  # the watermark lags behind by about this
    "broker_session_timeout": 10.0,
    "broker_heartbeat_interval": 2.0,
    "broker_rebalance_timeout": 60.0,  # a revoke waits for calls in flight
    "broker_max_poll_interval": 86400.0,  # a worker without partitions never polls and would be thrown out for good
    "producer_linger": 0,
    "producer_request_timeout": 60.0,  # 1200 in Faust: a broker that hangs would be waited for that long
    "table_standby_replicas": 0,
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "web_enabled": False,
    "stream_recovery_delay": 0.0,
}
"""What differs from Faust's own settings."""
