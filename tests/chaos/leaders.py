"""Moving the leaders of partitions to other brokers: the two requests of which aiokafka's admin client has no method."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.protocol.admin import AlterPartitionReassignmentsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

PREFERRED = 0


class ElectLeadersResponse(Response):  # type: ignore[misc]
    API_KEY = 43
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16),
        ("results", Array(("topic", String("utf-8")), ("partitions", Array(
            ("partition", Int32), ("error_code", Int16), ("error_message", String("utf-8")))))),
    )  # fmt: skip


class ElectLeadersStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 43
    API_VERSION = 1
    RESPONSE_TYPE = ElectLeadersResponse
    SCHEMA = Schema(
        ("election_type", Int8),
        ("topics", Array(("topic", String("utf-8")), ("partitions", Array(Int32)))),
        ("timeout_ms", Int32),
    )


class ElectLeadersRequest(Request[ElectLeadersStruct]):  # type: ignore[misc]
    API_KEY = 43

    def __init__(self, topics: list[tuple[str, list[int]]]) -> None:
        self.topics = topics

    def build(self, request_struct_class: type[ElectLeadersStruct]) -> ElectLeadersStruct:
        return request_struct_class(PREFERRED, self.topics, 20_000)


async def move(admin: Any) -> int:
    """Every partition gets its next replica as its leader, those with the group's offsets too; gives how many were moved."""
    rows = [row for row in await admin.describe_topics() if len(row["partitions"][0]["replicas"]) > 1]
    before = _leaders(rows)
    turned: list[Any] = [
        (row["topic"], [(one["partition"], [*one["replicas"][1:], one["replicas"][0]], {}) for one in row["partitions"]], {})
        for row in rows
    ]
    answer = await admin._send_to_controller(AlterPartitionReassignmentsRequest(20_000, turned, {}))
    if answer.error_code:
        raise RuntimeError(f"no reassignment: {answer.error_message}")
    await asyncio.sleep(0.5)
    elected = [(row["topic"], [one["partition"] for one in row["partitions"]]) for row in rows]
    await admin._send_to_controller(ElectLeadersRequest(elected))
    await asyncio.sleep(0.5)
    after = _leaders(await admin.describe_topics())
    return sum(after.get(which) != leader for which, leader in before.items())


def _leaders(rows: list[dict[str, Any]]) -> dict[tuple[str, int], int]:
    return {(row["topic"], one["partition"]): one["leader"] for row in rows for one in row["partitions"]}


async def wait_in_sync(admin: Any, copies: int, seconds: float = 60.0) -> bool:
    """Wait until every partition has all its copies again: until then no other broker may go."""
    for _ in range(int(seconds / 0.3)):
        rows = [row for row in await admin.describe_topics() if not row["topic"].startswith("__share")]
        if all(len(one["isr"]) >= min(copies, len(one["replicas"])) for row in rows for one in row["partitions"]):
            return True
        await asyncio.sleep(0.3)
    return False
