"""Logs: one line an event, ours and the libraries' alike, and no local variables in them."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from agents.logs import configure


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ours_and_the_libraries_lines_have_one_form() -> None:
    out = io.StringIO()
    configure("info", "auto", out)

    structlog.get_logger("agents.x").info("sent", organisation="o", parts=2)
    logging.getLogger("other").warning("slow by %d", 3, extra={"partition": 1})

    ours, other = lines(out)
    assert {**ours, "timestamp": ""} == {
        "event": "sent", "organisation": "o", "parts": 2, "level": "info", "logger": "agents.x", "timestamp": "",
    }  # fmt: skip
    assert {**other, "timestamp": ""} == {
        "event": "slow by 3", "partition": 1, "level": "warning", "logger": "other", "timestamp": "",
    }  # fmt: skip
    assert str(ours["timestamp"]).endswith("Z")


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)])
def test_no_color_is_heeded(wish: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", wish)
    configure("info", "console", out)
    structlog.get_logger("agents.x").info("sent")
    assert ("\x1b[" in out.getvalue()) is coloured


def test_libraries_are_quiet_and_levels_hold() -> None:
    out = io.StringIO()
    configure("info", "json", out)

    for name in ("faust.app", "mode.services", "aiokafka.consumer"):
        logging.getLogger(name).info("rebalance")
    logging.getLogger("aiokafka").error("no broker")
    structlog.get_logger("ours").debug("detail")

    assert [line["event"] for line in lines(out)] == ["no broker"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_tells_no_local_variables(form: str) -> None:
    out = io.StringIO()
    configure("info", form, out)

    def fails(number: str) -> None:
        raise ValueError("no")

    try:
        fails("+316" + 4 * "12")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
        logging.getLogger("other").exception("failed too")

    assert out.getvalue().count("ValueError: no") == 2
    assert "12121212" not in out.getvalue()
    if form == "json":
        assert len(lines(out)) == 2


def test_what_json_does_not_know_is_written_as_text() -> None:
    out = io.StringIO()
    configure("info", "json", out)

    structlog.get_logger("ours").info("odd", thing=object, number=1 << 80, raw=b"\xff", bad="\ud800")

    (line,) = lines(out)
    assert line["event"] == "odd"


def test_levels_below_the_set_one_cost_nothing_and_debug_shows_ours_only() -> None:
    out = io.StringIO()
    configure("debug", "json", out)

    structlog.get_logger("ours").debug("detail")
    logging.getLogger("faust").debug("noise")

    assert [line["event"] for line in lines(out)] == ["detail"]
