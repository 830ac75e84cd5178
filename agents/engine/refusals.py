"""Refuse what Faust offers and the engine does not do: it would be accepted, and then never fed, run or kept."""

from __future__ import annotations

from typing import Any, NoReturn

import faust


class NotOursError(TypeError):
    """Something of Faust's that this engine has another way for."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: the engine runs nodes only, and reads, keeps and writes by their turns; nothing feeds, runs or keeps this. "
            "Give it a NodeSpec, or use a faust.App"
        )


def _refused(name: str) -> Any:
    def refuse(self: Any, *args: Any, **options: Any) -> NoReturn:
        raise NotOursError(f"app.{name}")

    return refuse


class NodesOnly(faust.App):  # type: ignore[misc]
    """A Faust app without what only stock Faust would feed, run or keep. The engine calls Faust's own where it needs them."""

    agent = actor = _refused("agent")
    Table, SetTable = _refused("Table"), _refused("SetTable")
    GlobalTable, SetGlobalTable = _refused("GlobalTable"), _refused("SetGlobalTable")
    task, timer, crontab, service = _refused("task"), _refused("timer"), _refused("crontab"), _refused("service")
    page, table_route, topic_route = _refused("page"), _refused("table_route"), _refused("topic_route")
    command, LiveCheck = _refused("command"), _refused("LiveCheck")

    def stream(self, channel: Any, *args: Any, **options: Any) -> Any:
        """Make the stream of a node's agent, which alone is fed."""
        if not options.get("prefix"):  # an agent gives its name (faust/agents/agent.py:639)
            raise NotOursError("app.stream")
        return super().stream(channel, *args, **options)
