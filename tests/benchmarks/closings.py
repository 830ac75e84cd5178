"""What the closing of a window costs where a client has hundreds of appointments, in CPU time: the decision by hand, no Kafka.

closings.py [APPOINTMENTS]     prints milliseconds a closing as JSON
"""

from __future__ import annotations

import json
import statistics
import sys
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from schemas.keys import ClientKey
from schemas.wire import encode
from streams.notices.client_turn import ClientTurn
from streams.notices.closing import close
from streams.notices.notices import Notices
from streams.processing.turn import Decision
from tests.drivers import Choices, Driver

from .events import appointments_of, names, state

NOW = datetime(2099, 1, 1, 9, tzinfo=UTC)
CLIENTS, TIMES = 10, 20
HOUR = timedelta(hours=1)


def measure(appointments: int) -> dict[str, float]:
    """Return milliseconds a closing, of clients who know so many appointments, singles and series, and have one moved."""
    driver = Driver(1, NOW, Choices(sizes=(4000,), rooms=(100,), limits=(1,)))
    revisions = count(1)
    for event in state(CLIENTS, window=60):
        driver.write(event.topic, (event.key or "").encode(), event.value)
    for client in range(CLIENTS):
        for event in appointments_of(client, range(appointments), revisions):
            driver.write(event.topic, (event.key or "").encode(), event.value)
    driver.pass_to(NOW + HOUR)
    for client in range(CLIENTS):
        for event in appointments_of(client, [7], revisions, later=HOUR):
            driver.write(event.topic, (event.key or "").encode(), event.value)
    driver.pass_to(NOW + HOUR)
    notices = driver.tasks["notices", 0].processor
    assert isinstance(notices, Notices)
    closings: list[float] = []
    rows: list[float] = []
    for client in range(CLIENTS):
        turn = notices.turn_of(Decision(), ClientKey(*names(client)), NOW + HOUR)
        agenda = turn.agenda
        closing = partial(close, turn.whose, agenda, turn.organisation, turn.eligibility, turn.now)
        assert [[one.notice.kind for one in message] for message in closing().messages] == [["moved"]]
        closings.append(_milliseconds(closing))
        rows.append(_milliseconds(partial(_read_and_write, turn)))
    return {
        "appointments": appointments, "ms_a_closing": round(statistics.median(closings), 3),
        "ms_to_read_and_write_its_row": round(statistics.median(rows), 3),
    }  # fmt: skip


def _read_and_write(turn: ClientTurn) -> bytes:
    return encode(turn.agenda)


def _milliseconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=10, repeat=TIMES)) / 10 * 1000


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
