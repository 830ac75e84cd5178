"""`make two-weeks`: one installation, as deploy/ has it, lives through every operation of RUNBOOK.md in an hour, under load.

It begins as 61a36ae with topics and rows of then. Time is compressed where settings allow it: bounds of alerts and their ranges
are divided (`prometheus.quick`), Prometheus looks every two seconds, operations follow one another. A row is printed when it is
over; in the end the whole account, the delivery log and the overview are compared. Exit code 1 where a row is red.

    python -m tests.drills.two_weeks --only scale roll      # those alone, after the first start and the upgrade
    python -m tests.drills.two_weeks --from hold --short    # from one on, with few seconds of load in each
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import io
import logging
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tests.broker.harness import ROOT

from . import restores, rotations, works
from .account import UNHURRIED, Account, differences
from .installation import Installation
from .scene import DRAIN_SECONDS, NotWellError, Scene
from .upstream import Upstream

OLD = "61a36ae"
OVERVIEW_SECONDS = 120.0
"""The projection may be behind for so long, after brokers were away."""
CALM, SHORT = 30.0, 6.0
"""Seconds of load that an operation lasts at least, and with `--short`."""


class Operation(NamedTuple):
    """What is done, the section of RUNBOOK.md that says how, and the function that does it."""

    name: str
    section: str
    work: Callable[[Scene], Awaitable[None]]


BEGIN = (
    Operation("first start of 61a36ae", "First start", works.first_start),
    Operation("upgrade from 61a36ae, a user for each process", "Upgrade without a gap", works.upgrade),
)
OPERATIONS = {
    "scale": Operation("three workers to five and back", "Scaling", works.scale),
    "roll": Operation("workers replaced one by one", "Upgrade without a gap", works.roll_under_load),
    "disk": Operation("a worker killed, its disk lost", "Restore", works.lose_disk),
    "broker": Operation("a broker killed, its disk lost", "Restore", works.kill_broker),
    "brokers": Operation("all brokers lose their power", "CommitsStuck", works.lose_brokers),
    "provider": Operation("the SMS provider answers 500", "Provider outage", works.provider_outage),
    "links": Operation("keys of links, references, reports, sessions", "Keys", rotations.web_keys),
    "senders": Operation("access key, relay's password, DKIM", "Keys", rotations.senders_keys),
    "api": Operation("a party's API key", "Keys", rotations.api_keys),
    "users": Operation("Kafka's users of web and workers", "Keys", rotations.kafka_users),
    "letters": Operation("a dead letter given again", "DeadLetters", works.give_again),
    "organisation": Operation("an organisation more", "First start", works.add_organisation),
    "hold": Operation("an organisation held, and let go", "OrganisationBusy", works.hold),
    "erase": Operation("a client erased", "Erasure", works.erase),
    "shorten": Operation("texts kept for a shorter time", "Erasure", works.shorten),
    "rebuild": Operation("the overview made anew", "Overview", works.rebuild),
    "mirror": Operation("all brokers lost, restored from a mirror", "Restore", restores.from_mirror),
    "copy": Operation("all brokers lost, restored from a copy", "Restore", restores.from_copy),
    "prefix": Operation("a move to another prefix", "Another prefix", restores.another_prefix),
}


async def play(folder: Path, old: Path, chosen: list[str], calm: float, rate: float, clients: int) -> Account:
    """Do the operations, one after another; gives the account of all."""
    account = Account()
    upstream = Upstream(account, random.Random(1), rate, clients)
    site = Installation(folder, old)
    scene = Scene(site, upstream, account, calm)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(site.stack.aclose)
        await site.start()
        stack.push_async_callback(upstream.leave)
        watching = [asyncio.create_task(work) for work in (scene.watch(), site.watch.run())]
        stack.callback(lambda: [task.cancel() for task in watching])
        try:
            for operation in (*BEGIN, *(OPERATIONS[name] for name in chosen)):
                async with scene.operation(operation.name, operation.section):
                    await operation.work(scene)
                print(f"{datetime.now(UTC):%H:%M:%S} {account.so_far(account.row)}", flush=True)
                for task in (*watching, scene.marks["load"]):
                    if task.done():
                        await task  # it raised
        finally:
            if load := scene.marks.get("load"):
                load.cancel()
        async with scene.operation("the end: everything compared", "Following one event"):
            await compare(scene)
        print(f"{datetime.now(UTC):%H:%M:%S} {account.so_far(account.row)}", flush=True)
    return account


async def compare(scene: Scene) -> None:
    """Wait for what is on its way, then hold the account against the log, and the log against the overview."""
    await scene.upstream.flush()
    limit = time.monotonic() + DRAIN_SECONDS
    while scene.account.waiting() and time.monotonic() < limit:
        await asyncio.sleep(1.0)
    quiet = time.monotonic() + DRAIN_SECONDS / 4
    while any(row.fired - row.ended - UNHURRIED for row in scene.account.rows) and time.monotonic() < quiet:
        await asyncio.sleep(1.0)
    await scene.read_in()
    log = await scene.log()
    scene.note(f"the delivery log: {dict(Counter(one['status'] for one in log))}")
    unknown = {
        (one["organisation"], one["client"], each["appointment"])
        for one in log
        if one["status"] == "unknown"
        for each in one["notices"]
    }
    for notice in scene.account.notices:
        if len(notice.heard) > 1 and (notice.organisation, notice.client, notice.appointment) in unknown:
            scene.account.name(notice)
    mine = [one for one in scene.account.notices if (one.organisation, one.client) in scene.upstream.people]
    wrong = differences(mine, log)
    scene.check(not wrong, f"{len(wrong)} differences from the log, such as {wrong[:3]}")
    delivered = {one["message"] for one in log if one["status"] == "delivered"}
    silent = [one for one in log if one["status"] == "sent" and one["channel"] == "sms" and one["message"] not in delivered]
    scene.check(not silent, f"{len(silent)} SMS were sent and no report of them was taken in")
    scene.note(f"Alertmanager was told of {len(scene.site.watch.told)} alerts, and sent {scene.alert_mails} e-mails")
    await overview(scene, log)


async def overview(scene: Scene, log: list[dict[str, Any]]) -> None:
    """Hold the overview, as an office sees it through nginx, against the log: message by message of each client."""
    office = rotations.OFFICE[1]
    messages = {one["message"]: one["client"] for one in log if one["organisation"] == office}
    told = Counter(client for client in messages.values() if (office, client) in scene.upstream.people)
    shown: Counter[str] = Counter()
    rotations.open_account(scene)
    async with rotations.browser(scene) as session:
        signed = await rotations.sign_in(session)
        scene.check(signed == 200, f"the overview answers {signed} through nginx")

        async def is_the_same() -> bool:
            async with session.get(f"/berichten.csv?van={datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}") as response:
                rows = csv.reader(io.StringIO((await response.text()).lstrip("\ufeff")), delimiter=";")
            shown.clear()
            shown.update(row[1] for row in list(rows)[1:])
            return shown == told

        began = time.monotonic()
        with contextlib.suppress(NotWellError):
            await scene.until(is_the_same, "the overview is as the log", OVERVIEW_SECONDS)
    differ = {name: (shown[name], told[name]) for name in told | shown if shown[name] != told[name]}
    scene.check(not differ, f"overview and log differ in messages of {len(differ)} clients: {dict(list(differ.items())[:8])}")
    scene.note(
        f"the overview, by TLS and nginx from PostgreSQL, has {shown.total()} messages of one organisation, the log "
        f"{told.total()}; asked for {time.monotonic() - began:.0f} s"
    )


@contextlib.contextmanager
def checked_out(folder: Path):  # type: ignore[no-untyped-def]
    """A working tree of the version before."""
    tree = folder / OLD
    git = ("git", "-C", str(ROOT), "worktree")
    subprocess.run([*git, "add", "--detach", str(tree), OLD], check=True, capture_output=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=False, capture_output=True)


def main() -> int:
    """Print the table; 1 where a row is red."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills.two_weeks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, help="these alone, in this order")
    parser.add_argument("--from", dest="first", choices=OPERATIONS, help="from this one on")
    parser.add_argument("--short", action="store_true", help=f"{SHORT:.0f} s of load in each, not {CALM:.0f}")
    parser.add_argument("--rate", type=float, default=3.0, help="changes upstream a second")
    parser.add_argument("--clients", type=int, default=120, help="of each of three organisations")
    parser.add_argument("--keep", type=Path, help="a folder for everything; default: a temporary one that is deleted")
    args = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = args.keep or Path(tempfile.mkdtemp(prefix="two-weeks-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # nginx and PostgreSQL are other users
    names = list(OPERATIONS)
    chosen = args.only or names[names.index(args.first) if args.first else 0 :]
    try:
        with checked_out(folder) as old:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends what it started, as after Ctrl-C
            account = asyncio.run(play(folder, old, chosen, SHORT if args.short else CALM, args.rate, args.clients))
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{account.table()}")
    return 0 if account.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
