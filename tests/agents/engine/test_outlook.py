"""What a look at the cluster finds."""

from __future__ import annotations

import pytest

from agents.engine.outlook import changed, replaced
from agents.monitoring.health import SILENT, Health


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param({"a": 4, "b": 4, "c": 9}, None, id="as at the start; other topics are nobody's business"),
        pytest.param({"a": 4}, None, id="one that is not there ends reading and writing by itself"),
        pytest.param({"a": 4, "b": 0}, None, id="one that is just being made"),
        pytest.param({"a": 4, "b": 6}, "topic b has 6 partitions and had 4", id="somebody added partitions"),
        pytest.param({"a": 4, "b": 2}, "topic b has 2 partitions and had 4", id="somebody made it anew with fewer"),
    ],
)
def test_a_topic_that_somebody_changed_is_named(found: dict[str, int], said: str | None) -> None:
    why = changed(found, ("a", "b"), 4)
    assert (why is None) == (said is None)
    assert (said or "") in (why or "")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param({"a": b"1", "b": b"2"}, None, id="as at the start"),
        pytest.param({"a": b"1"}, None, id="one that is not there, or of which nobody knows the id"),
        pytest.param({}, None, id="a broker that tells no ids"),
        pytest.param({"a": b"1", "b": b"3"}, "topic b was made anew while we ran", id="one was deleted and made again"),
    ],
)
def test_a_topic_that_was_made_anew_is_named(found: dict[str, bytes], said: str | None) -> None:
    why = replaced(found, {"a": b"1", "b": b"2"})
    assert (why is None) == (said is None)
    assert (said or "") in (why or "")


def test_a_worker_that_no_broker_answers_is_not_ready_and_is_not_restarted() -> None:
    now = [100.0]
    health = Health(lambda: now[0])
    assert (health.silent(), health.unheard()) == (None, 0.0), "before its first answer it has not started"
    health.on_heard()
    now[0] += SILENT
    assert health.silent() is None
    now[0] += 1
    health.on_tick()
    assert health.silent() == "no broker has answered for 61 s"
    assert health.fault() is None
    health.on_heard()
    assert health.silent() is None
