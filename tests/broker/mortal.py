"""A worker that dies as by a power cut at an append of its choice: before it, or when it is durable and nothing else is done.

`python -m tests.broker.mortal worker`; the rest is as the program. MORTAL_DEATHS names a file in which each death is a line,
`node before` or `node after`; once it has MORTAL_MOST of them, workers live. MORTAL_NODES: at whose appends, by commas.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.engine.state.store import Store
from agents.main import main

MOST_APPENDS = 8
"""Of the node at which it dies; it dies at any other after three times as many in all."""


def mortal(deaths: Path, nodes: Sequence[str], chance: random.Random) -> None:
    """Have the store kill this process at one of the next appends."""
    node, number, moment = chance.choice(nodes), chance.randint(2, MOST_APPENDS), chance.choice(("before", "after"))
    append, appends = Store.append, Counter[str]()

    def die(now: str, here: str) -> None:
        is_time = (here == node and appends[node] >= number) or appends.total() >= 3 * MOST_APPENDS
        if now == moment and is_time:
            with deaths.open("a") as file:
                file.write(f"{here} {now}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    async def last_append(self: Store, p: int, entries: Mapping[bytes, bytes | None]) -> None:
        appends[self.node] += 1
        die("before", self.node)
        await append(self, p, entries)
        die("after", self.node)

    Store.append = last_append  # type: ignore[method-assign]


if __name__ == "__main__":
    file = Path(os.environ["MORTAL_DEATHS"])
    died = len(file.read_text().splitlines()) if file.exists() else 0
    if died < int(os.environ["MORTAL_MOST"]):
        mortal(file, os.environ["MORTAL_NODES"].split(","), random.Random(died))
    sys.exit(main())
