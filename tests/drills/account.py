"""The account of `make two-weeks`: what ought to be told, what arrived, and by what each operation is judged. Pure.

What ought to be told is the upstream's own journal, in sentences that the crash tests' verifier writes by itself. A notice must
arrive once: never is lost, twice is doubled. One of which the log itself says so is `named`, neither of both, and has a column:
what was in Kafka alone when all of that was lost, and a restore does not tell (`suppressed`); or what went once more, for nobody
knows whether it had arrived (`unknown`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

UNHURRIED = frozenset({"OrganisationBusy"})
"""It looks at the last hour of the log, by its own clock: in a drill of an hour, with two messages a second, it does not end."""


@dataclass
class Notice:
    """One change that a client must hear of. `row`: the operation in which it happened; `heard`: in which it arrived.

    `written`: Kafka has its event. `other`: the sentence that starts from what a restored state said last, where that is not what
    the client heard last; `by_other`: it was told in that one.
    """

    organisation: str
    client: str
    appointment: str
    to: frozenset[str]
    sentence: str
    row: int
    heard: list[int] = field(default_factory=list)
    named: bool = False
    written: bool = False
    other: str | None = None
    by_other: bool = False

    @property
    def waits(self) -> bool:
        """Whether it has neither arrived nor been named."""
        return not self.heard and not self.named


@dataclass
class Row:
    """An operation, and what came of it. Seconds; `status`: the exit code of `afspraakbericht status` once all was well."""

    operation: str
    section: str
    did: list[str] = field(default_factory=list)
    seconds: float | None = None
    status: int | None = None
    fired: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Account:
    """Notices and rows of one run."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.rows: list[Row] = []
        self.strange: list[tuple[int, str]] = []
        self._of: defaultdict[str, list[Notice]] = defaultdict(list)
        self._waiting: Counter[tuple[str, str]] = Counter()

    @property
    def row(self) -> int:
        """The number of the operation that goes on."""
        return len(self.rows) - 1

    def expect(self, notice: Notice) -> None:
        """It must arrive, once."""
        self.notices.append(notice)
        self._waiting[notice.organisation, notice.client] += 1
        for address in notice.to:
            self._of[address].append(notice)

    def hear(self, address: str, text: str) -> Notice | None:
        """Something arrived at an address; returns the first notice that it says. What says none that is expected is strange."""
        those = self._of.get(address, ())
        said = [one for one in those if one.sentence in text or (one.other is not None and one.other in text)]
        for notice in said:
            notice.by_other |= notice.sentence not in text
            if notice.waits:
                self._waiting[notice.organisation, notice.client] -= 1
            notice.heard.append(self.row)
        if not said:
            self.strange.append((self.row, text))
        return said[0] if said else None

    def name(self, notice: Notice) -> None:
        """The log says why it is not told, or was told twice."""
        if notice.waits:
            self._waiting[notice.organisation, notice.client] -= 1
        notice.named = True

    def is_free(self, organisation: str, client: str) -> bool:
        """Whether a client has heard of all that upstream wrote."""
        return not self._waiting[organisation, client]

    def waiting(self) -> list[Notice]:
        """Those that have not arrived yet."""
        return [notice for notice in self.notices if notice.waits]

    def of(self, row: int) -> Counter[str]:
        """How many notices of an operation there are, lost ones, and named ones; and how many arrived a second time during it."""
        mine = [notice for notice in self.notices if notice.row == row]
        return Counter(
            notices=len(mine),
            lost=sum(notice.waits for notice in mine),
            named=sum(notice.named for notice in mine),
            doubled=sum(row in notice.heard[1:] and not notice.named for notice in self.notices),
            strange=sum(when == row for when, _ in self.strange),
        )

    def verdict(self, number: int) -> str:
        """`well`, or what is not."""
        row, counts = self.rows[number], self.of(number)
        red = [f"{counts[what]} {what}" for what in ("lost", "doubled", "strange") if counts[what]]
        if row.seconds is None:
            red.append("not well again")
        if firing := row.fired - row.ended - UNHURRIED:
            red.append(f"still firing: {', '.join(sorted(firing))}")
        red += row.problems
        return f"**RED** {'; '.join(red)}" if red else "well"

    @property
    def is_well(self) -> bool:
        """Whether every row is, and there is one."""
        return bool(self.rows) and all(self.verdict(number) == "well" for number in range(len(self.rows)))

    def line(self, number: int) -> str:
        """A row of the table."""
        row, counts = self.rows[number], self.of(number)
        alerts = ", ".join(sorted(row.fired)) or "none"
        cells = [
            row.operation, row.section, f"{row.seconds:.0f}" if row.seconds is not None else "never",
            "" if row.status is None else str(row.status), alerts, str(counts["notices"]), str(counts["lost"]),
            str(counts["doubled"]), str(counts["named"]), self.verdict(number),
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"

    def so_far(self, number: int) -> str:
        """A row right after its operation, when some notices are still on their way and some alerts have not ended."""
        row, counts = self.rows[number], self.of(number)
        took = "NOT WELL" if row.seconds is None else f"well after {row.seconds:.0f} s"
        figures = f"{counts['notices']} notices, {counts['lost']} on their way, {counts['doubled']} doubled"
        return "; ".join([f"{row.operation}: {took}", figures, *(f"RED: {one}" for one in row.problems)])

    def table(self) -> str:
        """All of it, and below it what was done, and what is to be said of it."""
        lines = [HEAD, *(self.line(number) for number in range(len(self.rows)))]
        total: Counter[str] = sum((self.of(number) for number in range(len(self.rows))), Counter())
        lines.append(
            f"\n{total['notices']} notices: {total['lost']} lost, {total['doubled']} doubled, {total['named']} named by the "
            f"log, {total['strange']} strange; {sum(one.by_other for one in self.notices)} told from what was said before a copy."
            f" {'All is well.' if self.is_well else 'NOT all is well.'}"
        )
        for number, row in enumerate(self.rows, 1):
            lines.append(f"\n{number}. {row.operation} ({row.section})")
            lines += [f"   - `{done}`" for done in row.did]
            lines += [f"   - {note}" for note in [*row.notes, *(f"RED: {one}" for one in row.problems)]]
        for notice in self.notices:
            if notice.waits or (len(notice.heard) > 1 and not notice.named):
                where = f"{notice.organisation}/{notice.client} {notice.appointment}, of operation {notice.row + 1}"
                lines.append(f"{'lost' if notice.waits else f'heard in {[one + 1 for one in notice.heard]}'}: {where}")
        lines += [f"strange, in operation {when + 1}: {text}" for when, text in self.strange[:20]]
        return "\n".join(lines)


HEAD = (
    "| operation | RUNBOOK | s until well | status | alerts (all ended but OrganisationBusy, or the verdict says so) | notices "
    "| lost | doubled | named | verdict |\n|---|---|---|---|---|---|---|---|---|---|"
)


def differences(notices: Iterable[Notice], log: Iterable[Mapping[str, Any]]) -> list[str]:
    """Compare with the delivery log: of each client's appointment as many messages that came to an end as upstream made changes.

    A message ends as `sent` or `suppressed`; one that came back (`superseded`) is no end, and is decided anew. `log`: each record
    once. Of a message that a restore suppressed again the log has one end alone: the one before it was lost with the topic.
    """
    expected: Counter[tuple[str, str, str]] = Counter((one.organisation, one.client, one.appointment) for one in notices)
    ends: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for record in log:
        if record["status"] in ("sent", "suppressed"):
            for notice in record["notices"]:
                ends[record["organisation"], record["client"], notice["appointment"]].add(notice["id"])
    return [
        f"{'/'.join(whose[:2])} {whose[2]}: {count} changes, the log has {len(ends[whose])}"
        for whose, count in expected.items()
        if len(ends[whose]) != count
    ]
