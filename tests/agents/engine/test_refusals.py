"""What a Faust user would write from habit, and what this engine would never feed, run or keep: refused with a word."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from agents.engine.app import Engine
from agents.engine.refusals import NotOursError

HABITS: dict[str, Callable[[Engine], Any]] = {
    "app.agent": lambda app: app.agent(app.topic("t")),
    "app.Table": lambda app: app.Table("t"),
    "app.SetTable": lambda app: app.SetTable("t"),
    "app.GlobalTable": lambda app: app.GlobalTable("t"),
    "app.SetGlobalTable": lambda app: app.SetGlobalTable("t"),
    "app.timer": lambda app: app.timer(interval=1.0),
    "app.crontab": lambda app: app.crontab("0 0 * * *"),
    "app.task": lambda app: app.task(lambda: None),
    "app.service": lambda app: app.service(object),
    "app.page": lambda app: app.page("/"),
    "app.command": lambda app: app.command(),
    "app.stream": lambda app: app.topic("t").stream(),
    "topic.send": lambda app: app.producer.send("t", b"k", b"v", None),  # which it calls, once there is a broker
    "topic.send_soon": lambda app: app.topic("t", key_type=bytes, value_type=bytes).send_soon(key=b"k", value=b"v"),
}


async def use(app: Engine, habit: Callable[[Engine], Any]) -> None:
    made = habit(app)
    if inspect.isawaitable(made):
        await made


@pytest.mark.parametrize("what", HABITS)
async def test_what_only_stock_faust_would_do_is_refused(what: str) -> None:
    app = Engine("refusals", "127.0.0.1:9", [], 4)
    with pytest.raises(NotOursError, match=f"^{what}: the engine runs nodes only"):
        await use(app, HABITS[what])
