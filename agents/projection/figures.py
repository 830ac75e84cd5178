"""What the page of figures asks of the projection: sums of one organisation over local days. All are counted beforehand."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from .asking import Asking
from .reduce import Row
from .tables import BUCKETS, DAYS, OPT_OUTS, TALLIES, VISITS

NOT_SENT = ("suppressed", "superseded", "expired", "failed")
"""Outcomes of what did not go out."""


class Sums(NamedTuple):
    """Counts of a period: day and outcome; outcome and cause; kind and outcome; hour of sending; time to delivery; what became of
    appointments.
    """

    days: dict[tuple[str, str], int]
    causes: dict[tuple[str, str], int]
    kinds: dict[tuple[str, str], int]
    hours: dict[str, int]
    delivery: dict[str, int]
    visits: dict[str, int]


class Months(NamedTuple):
    """Rows by month, the newest first: records sent, with parts and cost; messages by outcome; channels turned off."""

    sent: list[Row]
    outcomes: dict[tuple[str, str], int]
    opt_outs: dict[tuple[str, str], int]


class FigureQueries(Asking):
    """Questions of the page. UnavailableError where the database does not answer."""

    async def sums(self, organisation: str, since: date, until: date) -> Sums:
        """Count what there was on these local days, both included."""
        span = since.isoformat(), until.isoformat()

        def asked(connection: Connection) -> Sums:
            def tallies(*names: str) -> dict[Any, int]:
                columns = [TALLIES.c[name] for name in names]
                query = select(*columns, func.sum(TALLIES.c.messages))
                query = query.where(TALLIES.c.organisation == organisation, TALLIES.c.day.between(*span))
                return _counted(connection, query.group_by(*columns))

            def buckets(what: str) -> dict[Any, int]:
                query = select(BUCKETS.c.bucket, func.sum(BUCKETS.c.records))
                query = query.where(BUCKETS.c.organisation == organisation, BUCKETS.c.what == what)
                return _counted(connection, query.where(BUCKETS.c.day.between(*span)).group_by(BUCKETS.c.bucket))

            visits = select(VISITS.c.outcome, func.count()).where(VISITS.c.organisation == organisation)
            visits = visits.where(VISITS.c.day.between(*span), VISITS.c.outcome.is_not(None)).group_by(VISITS.c.outcome)
            return Sums(
                tallies("day", "outcome"), tallies("outcome", "cause"), tallies("kind", "outcome"), buckets("hour"),
                buckets("delivery"), _counted(connection, visits),
            )  # fmt: skip

        return await self._ask(asked)

    async def months(self, organisation: str, since: date) -> Months:
        """Return totals a month, from the month of this day on."""
        first = f"{since:%Y-%m}-01"

        def asked(connection: Connection) -> Months:
            month = func.substr(DAYS.c.day, 1, 7).label("month")
            sent = (
                select(
                    month, DAYS.c.channel, DAYS.c.status, DAYS.c.currency, func.sum(DAYS.c.records).label("records"),
                    func.sum(DAYS.c.parts).label("parts"), func.sum(DAYS.c.micros).label("micros"),
                )
                .where(DAYS.c.organisation == organisation, DAYS.c.day >= first)
                .group_by(month, DAYS.c.channel, DAYS.c.status, DAYS.c.currency)
                .order_by(month.desc())
            )  # fmt: skip
            became = func.substr(TALLIES.c.day, 1, 7)
            outcomes = select(became, TALLIES.c.outcome, func.sum(TALLIES.c.messages))
            outcomes = outcomes.where(TALLIES.c.organisation == organisation, TALLIES.c.day >= first)
            turned = func.substr(OPT_OUTS.c.day, 1, 7)
            off = select(turned, OPT_OUTS.c.channel, func.count())
            off = off.where(OPT_OUTS.c.organisation == organisation, OPT_OUTS.c.day >= first, OPT_OUTS.c.off.is_(True))
            return Months(
                [dict(row) for row in connection.execute(sent).mappings()],
                _counted(connection, outcomes.group_by(became, TALLIES.c.outcome)),
                _counted(connection, off.group_by(turned, OPT_OUTS.c.channel)),
            )

        return await self._ask(asked)


def _counted(connection: Connection, query: Select[Any]) -> dict[Any, int]:
    """Return the last column by the others: by the one, or by all of them."""
    rows = connection.execute(query).all()
    return {(row[0] if len(row) == 2 else tuple(row[:-1])): int(row[-1]) for row in rows}
