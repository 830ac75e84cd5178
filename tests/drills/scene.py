"""What operations of `make two-weeks` act on, and what ends each: all is well again."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import orjson

from tests.broker.harness import plain_text

from .account import Account, Row
from .installation import Installation
from .upstream import Upstream

WELL_SECONDS = 600.0
"""After so long without being well an operation counts as failed; what is on its way may still arrive until the end."""
DRAIN_SECONDS = 800.0
"""In the end: an SMS of which nobody knows waits ten minutes for its report."""
OFFICE = ("piket@example.org", "beheer@example.org")
"""Whom Alertmanager tells."""


class NotWellError(Exception):
    """What was waited for did not come."""


class Scene:
    """The installation, its load and the account of both."""

    def __init__(self, installation: Installation, upstream: Upstream, account: Account, calm: float) -> None:
        self.site, self.upstream, self.account, self.calm = installation, upstream, account, calm
        self.alert_mails = 0
        self.marks: dict[str, Any] = {}
        self._sms = self._mails = 0

    @property
    def row(self) -> Row:
        """Of the operation that goes on."""
        return self.account.rows[-1]

    def note(self, text: str) -> None:
        """Something that the row should have."""
        self.row.notes.append(text)

    def check(self, holds: bool, otherwise: str) -> None:
        """Something that must be so; the row is red where it is not."""
        if not holds:
            self.row.problems.append(otherwise)

    async def run(self, role: str, *words: str, codes: Iterable[int] = (0,), **more: object) -> str:
        """A command of ours, which must end with one of these codes; gives what it printed."""
        self.row.did.append(" ".join(("afspraakbericht", *words)))
        done = await self.site.run(role, *words, **more)
        said = (done.stdout + done.stderr).strip().splitlines()[-3:]
        self.check(done.returncode in set(codes), f"`{' '.join(words)}` ended with {done.returncode}: {' / '.join(said)}")
        return done.stdout

    def did(self, what: str) -> None:
        """Something that an operator does by other means."""
        self.row.did.append(what)

    # -- looking -------------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Take in what arrived at the providers since the last look."""
        messages = self.site.gateway.received.messages
        for one in messages[self._sms :]:
            self.account.hear("+" + one["recipients"][0], one["body"])
        self._sms = len(messages)
        mails = self.site.relay.received.messages
        for one in mails[self._mails :]:
            if one["recipients"][0] in OFFICE:
                self.alert_mails += 1
            else:
                self.account.hear(one["recipients"][0], plain_text(one["data"]))
        self._mails = len(mails)

    async def watch(self) -> None:
        """Listen, and note which alerts fire and end, for ever."""
        while True:
            self.listen()
            firing = self.site.watch.firing
            if self.account.rows:
                self.row.fired |= firing
            for row in self.account.rows:
                row.ended |= row.fired - firing
                row.ended -= row.fired & firing if row is self.row else set()
            await asyncio.sleep(0.3)

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], Awaitable[Any]], what: str, seconds: float = WELL_SECONDS) -> None:
        """Look again and again. Raises NotWellError."""
        limit = time.monotonic() + seconds
        while not await holds():
            if alone := [unit.name for unit in (*self.site.workers.values(), self.site.web) if unit.is_left_alone]:
                raise NotWellError(f"{what}: systemd would start {', '.join(alone)} no more (RestartPreventExitStatus)")
            if time.monotonic() > limit:
                raise NotWellError(f"{what}: not so after {seconds:.0f} s")
            await asyncio.sleep(0.3)

    async def ready(self) -> None:
        """Wait until every worker and the web are."""
        await self.until(self.site.is_ready, "workers and web are ready")

    async def read_in(self) -> None:
        """Wait until `topic_lag_records` is 0, and stays so for two looks."""
        looks = [1, 1]

        async def nothing_left() -> bool:
            lag = await self.site.lag()
            looks[:] = [looks[1], 1 if lag is None else lag]
            await asyncio.sleep(0.7)
            return not any(looks)

        await self.until(nothing_left, "the workers have read everything")

    async def told(self) -> None:
        """Wait until all that upstream wrote until now has arrived."""
        mine = [notice for notice in self.account.waiting() if notice.written]

        async def none_waits() -> bool:
            return not any(notice.waits for notice in mine)

        await self.until(none_waits, "what upstream wrote is told")

    async def well(self) -> None:
        """Wait until all is well: ready, told, and `status` says so."""
        await self.ready()
        await self.told()
        if self.site.upgraded:

            async def status() -> bool:
                done = await self.site.run("reader", "status")
                self.row.status = done.returncode
                self.marks["status"] = done.stdout.strip()
                return done.returncode in (0, 1)

            await self.until(status, "`status` says that nothing is late")
            if self.row.status:
                self.note(f"status: {'; '.join(self.marks['status'].splitlines())}")

    @contextlib.asynccontextmanager
    async def operation(self, name: str, section: str) -> AsyncIterator[None]:
        """One operation, from its first command until all is well again."""
        began = time.monotonic()
        self.account.rows.append(Row(name, section))
        try:
            yield
            await self.well()
            self.row.seconds = time.monotonic() - began
        except Exception as error:  # noqa: BLE001  # whatever it is: the row is red, and the next operation is tried all the same
            said = str(error) if isinstance(error, NotWellError) else repr(error)
            self.row.problems.append(" ".join(said.split())[:600])
            if not isinstance(error, NotWellError):
                traceback.print_exception(error)
            self.upstream.keeps = False

    async def log(self, *words: str) -> list[dict[str, Any]]:
        """The delivery log, by its command."""
        done = await self.site.run("reader", "log", "--json", *words)
        return [orjson.loads(line) for line in done.stdout.splitlines()]

    async def name_suppressed(self) -> int:
        """Take those that wait, and that the log says are suppressed, for told of; gives their number."""
        log = await self.log("--status", "suppressed")
        known = {(one["organisation"], one["client"], notice["appointment"]) for one in log for notice in one["notices"]}
        waiting = [one for one in self.account.waiting() if one.written]
        found = [one for one in waiting if (one.organisation, one.client, one.appointment) in known]
        for notice in found:
            self.account.name(notice)
        return len(found)
