"""The figures of an organisation as tables, each with its drawing: what the page shows and each CSV has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from babel.dates import format_date

from agents.projection.figures import NOT_SENT, Months, Sums
from agents.projection.reduce import counted_as
from agents.projection.tallies import DELIVERY_TIMES, LATER
from schemas.channels import CHANNELS

from . import charts, dutch
from .spreadsheets import amount

PERIODS = {"30": "30 dagen", "90": "90 dagen", "365": "een jaar"}
"""Days back from today, that one included."""

SERIES = {
    "delivered": ("Afgeleverd", ("delivered",)),
    "sent": ("Verstuurd", ("sent",)),
    "open": ("Onderweg", ("retrying", "unknown")),
    "failed": ("Mislukt of niet afgeleverd", ("failed", "undelivered")),
    "not": ("Niet verstuurd", ("suppressed", "superseded", "expired")),
}
"""Parts of a column: name and outcomes."""

PER = {"30": "dag", "90": "week", "365": "maand"}
"""What a column is, by the choice of days."""

TIMES = {"10 s": "10 seconden", "1 min": "1 minuut", "10 min": "10 minuten", "1 h": "1 uur", "1 d": "1 dag", LATER: "langer"}


class Line(NamedTuple):
    """A row: its cells, the first of which names it; the length of its bar, of 100; where it leads; its cells in a CSV."""

    cells: Sequence[str]
    bar: float | None = None
    link: str | None = None
    plain: Sequence[str] | None = None


@dataclass
class Figure:
    """A table. `name`: of its CSV; `legend`: the series of its drawing; `empty`: what is said where it has no rows."""

    name: str
    title: str
    heads: Sequence[str]
    lines: list[Line]
    empty: str
    note: str = ""
    columns: charts.Columns | None = None
    legend: dict[str, str] = field(default_factory=dict)


class Period(NamedTuple):
    """Local days, both included, and the choice that they are."""

    since: date
    until: date
    choice: str


def period(choice: str, today: date) -> Period:
    """Return the days up to today."""
    return Period(today - timedelta(days=int(choice) - 1), today, choice)


def figures(sums: Sums, months: Months, of: Period) -> list[Figure]:
    """Return all of them, in the order of the page."""
    found = [
        _days(sums, of), _causes(sums, of), _kinds(sums), _months(months), _hours(sums), _delivery(sums), _opt_outs(months),
    ]  # fmt: skip
    return [*found, *([_visits(sums)] if sums.visits else [])]


# -- by day ------------------------------------------------------------------------------------------------------------


def _days(sums: Sums, of: Period) -> Figure:
    spans = list(_spans(of))
    values = []
    for since, until in spans:
        within = Counter[str]()
        for (day, outcome), number in sums.days.items():
            if since.isoformat() <= day <= until.isoformat():
                within[outcome] += number
        values.append({name: sum(within[one] for one in outcomes) for name, (_, outcomes) in SERIES.items()})
    names = [_span(since, until) for since, until in spans]
    lines = [
        Line((name, *map(str, value.values())), plain=(since.isoformat(), *map(str, value.values())))
        for name, value, (since, _) in zip(names, values, spans, strict=True)
    ]
    labels = [f"{since.day} {format_date(since, 'MMM', locale='nl')}" for since, _ in spans]
    total = sum(sum(value.values()) for value in values)
    return Figure(
        "dagen", f"Berichten per {PER[of.choice]}", ("Vanaf", *(name for name, _ in SERIES.values())), lines[::-1], "",
        f"{total} berichten in deze periode.", charts.columns(values, labels),
        {name: title for name, (title, _) in SERIES.items()},
    )  # fmt: skip


def _spans(of: Period) -> Iterable[tuple[date, date]]:
    """Yield days, weeks or months of a period, each with its first and last day."""
    since = of.since
    while since <= of.until:
        if of.choice == "30":
            until = since
        elif of.choice == "90":
            until = since + timedelta(days=6)
        else:
            until = (since.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        yield since, min(until, of.until)
        since = until + timedelta(days=1)


def _span(since: date, until: date) -> str:
    if since == until:
        return format_date(since, "EEEEEE d MMM", locale="nl")
    return f"{format_date(since, 'd MMM', locale='nl')} – {format_date(until, 'd MMM', locale='nl')}"


# -- of the period -----------------------------------------------------------------------------------------------------


def _causes(sums: Sums, of: Period) -> Figure:
    found = sorted(((number, outcome, cause) for (outcome, cause), number in sums.causes.items() if cause), reverse=True)
    most = max((number for number, _, _ in found), default=0)
    dates = {"van": of.since.isoformat(), "tot": of.until.isoformat()}
    lines = [
        Line(
            (dutch.CAUSES[cause].name, dutch.OUTCOMES[outcome], str(number)), charts.share(number, most),
            "/berichten?" + urlencode({"status": outcome, "reden": cause, **dates}),
        )
        for number, outcome, cause in found
    ]  # fmt: skip
    return Figure(
        "redenen", "Waarom berichten niet aankwamen", ("Reden", "Uitkomst", "Berichten"), lines,
        "Alle berichten zijn verstuurd.",
    )  # fmt: skip


def _kinds(sums: Sums) -> Figure:
    found: dict[str, list[int]] = {}
    for (kind, outcome), number in sums.kinds.items():
        place = 0 if outcome in ("sent", "delivered") else 1 if outcome in ("undelivered", "failed") else 2
        found.setdefault(kind, [0, 0, 0])[place] += number
    ordered = sorted(found.items(), key=lambda pair: (-sum(pair[1]), pair[0]))
    most = max((sum(numbers) for _, numbers in ordered), default=0)
    lines = [
        Line((dutch.KINDS.get(kind, kind), *map(str, numbers)), charts.share(sum(numbers), most)) for kind, numbers in ordered
    ]
    return Figure(
        "soorten", "Soorten berichten", ("Soort", "Verstuurd", "Mislukt", "Niet verstuurd"), lines,
        "Er zijn in deze periode geen berichten.",
    )  # fmt: skip


def _hours(sums: Sums) -> Figure:
    numbers = [sums.hours.get(f"{hour:02}", 0) for hour in range(24)]
    lines = [Line((f"{hour:02}:00", str(number))) for hour, number in enumerate(numbers) if number]
    drawn = charts.columns([{"sent": number} for number in numbers], [f"{hour} uur" for hour in range(24)])
    return Figure(
        "uren", "Hoe laat berichten gaan", ("Vanaf", "Verstuurd"), lines, "Er zijn in deze periode geen berichten verstuurd.",
        columns=drawn if lines else None, legend={"sent": "Verstuurd"},
    )  # fmt: skip


def _delivery(sums: Sums) -> Figure:
    total, upto, lines = sum(sums.delivery.values()), 0, []
    for name in [*(name for _, name in DELIVERY_TIMES), LATER] if total else []:
        number = sums.delivery.get(name, 0)
        upto += number
        percent = round(100 * upto / total)
        within = f"binnen {TIMES[name]}" if name != LATER else TIMES[name]
        lines.append(Line((within, str(number), f"{percent}%"), charts.share(number, total)))
    return Figure(
        "bezorgtijd", "Hoe snel een sms aankomt", ("Na versturen", "Berichten", "Samen"), lines,
        "De aanbieder meldde in deze periode van geen bericht dat het aankwam.", "Van e-mail is dit niet bekend.",
    )  # fmt: skip


def _visits(sums: Sums) -> Figure:
    came = sum(sums.visits.get(name, 0) for name in ("arrived", "fulfilled"))
    missed = sums.visits.get("noshow", 0)
    most = came + missed
    rows = (("Gekomen", came), ("Niet gekomen", missed))
    lines = [
        Line((name, str(number), f"{round(100 * number / most)}%" if most else "–"), charts.share(number, most))
        for name, number in rows
    ]
    note = "Geteld naar de dag van de afspraak, zoals het dossier het meldt."
    return Figure("afspraken", "Gekomen en niet gekomen", ("Uitkomst", "Afspraken", "Deel"), lines, "", note)


TO_EMPLOYEES = counted_as("sms", "")
"""SMS to employees, which are billed apart."""

# -- by month ----------------------------------------------------------------------------------------------------------


@dataclass
class Month:
    """One month: messages sent by channel, SMS parts, cost by currency, and what did not go out or did not arrive.

    `employees`: SMS to employees, as how they cost.
    """

    name: str
    sent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    parts: int = 0
    undelivered: int = 0
    not_sent: int = 0
    micros: dict[str, int] = field(default_factory=dict)
    employees: int = 0

    @property
    def cost(self) -> str:
        """In words; more than one currency, one after the other."""
        return " + ".join(dutch.money(micros, currency) for currency, micros in sorted(self.micros.items())) or "–"


def by_month(months: Months) -> dict[str, Month]:
    """Group what there was by month, the newest first. A message that did not arrive was sent, and paid."""
    names = {row["month"] for row in months.sent} | {month for month, _ in months.outcomes}
    found = {name: Month(dutch.month(name)) for name in sorted(names, reverse=True)}
    for row in months.sent:
        month = found[row["month"]]
        if row["status"] == "sent" and row["channel"] in month.sent:
            month.sent[row["channel"]] += int(row["records"])
        elif row["status"] == "sent" and row["channel"] == TO_EMPLOYEES:
            month.employees += int(row["records"])
        month.parts += int(row["parts"])  # of whatever went out, whole or in part
        if row["currency"]:
            month.micros[row["currency"]] = month.micros.get(row["currency"], 0) + int(row["micros"])
    for (name, outcome), number in months.outcomes.items():
        found[name].undelivered += number if outcome == "undelivered" else 0
        found[name].not_sent += number if outcome in NOT_SENT else 0
    return found


def _months(months: Months) -> Figure:
    found = list(by_month(months).values())
    most = max((sum(month.micros.values()) for month in found), default=0)
    lines, apart = [], any(month.employees for month in found)
    for month, before in zip(found, [*found[1:], None], strict=False):
        staff = (str(month.employees),) if apart else ()
        counts = (str(month.sent["sms"]), *staff, str(month.parts))
        rest = (str(month.sent["email"]), str(month.undelivered), str(month.not_sent))
        lines.append(
            Line(
                (month.name, *counts, month.cost, _difference(month, before), *rest),
                charts.share(sum(month.micros.values()), most),
                plain=(
                    month.name, *counts, " + ".join(amount(micros) for micros in month.micros.values()),
                    " + ".join(month.micros), *rest,
                ),
            )
        )  # fmt: skip
    return Figure(
        "maanden", "Kosten per maand",
        (
            "Maand", "Sms", *(["Sms aan medewerkers"] if apart else []), "Sms-delen", "Kosten sms", "Verschil", "E-mail",
            "Niet afgeleverd", "Niet verstuurd",
        ), lines,
        "Er zijn nog geen berichten verstuurd.",
        "Een lange sms telt als meer delen. Uw organisatie betaalt per deel, ook voor een sms die niet aankwam. "
        "Een bericht dat twee keer is verstuurd, telt twee keer. De bedragen zijn zonder btw.",
    )  # fmt: skip


def _difference(month: Month, before: Month | None) -> str:
    """Say how much more or less it cost than the month before, in one currency."""
    if before is None or len(month.micros.keys() | before.micros.keys()) != 1:
        return "–"
    (currency,) = month.micros.keys() | before.micros.keys()
    micros = month.micros.get(currency, 0) - before.micros.get(currency, 0)
    sign = "+" if micros > 0 else "−" if micros < 0 else ""
    return f"{sign}{dutch.money(abs(micros), currency)}"


def _opt_outs(months: Months) -> Figure:
    names = sorted({month for month, _ in months.opt_outs}, reverse=True)
    rows: list[tuple[str, Mapping[str, int]]] = [
        (name, {channel: months.opt_outs.get((name, channel), 0) for channel in CHANNELS}) for name in names
    ]
    most = max((sum(row.values()) for _, row in rows), default=0)
    lines = [Line((dutch.month(name), *map(str, row.values())), charts.share(sum(row.values()), most)) for name, row in rows]
    return Figure(
        "afmeldingen", "Afmeldingen", ("Maand", *(dutch.CHANNELS[channel] for channel in CHANNELS)), lines,
        "Niemand meldde zich af.",
    )  # fmt: skip


CSV_HEADS = {
    "maanden": (
        "maand", "sms", "sms-delen", "kosten sms", "valuta", "e-mail", "niet afgeleverd", "niet verstuurd",
    ),
}  # fmt: skip
"""Heads of a CSV whose cells are others than the page's."""


def csv_of(figure: Figure) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return the head and the rows of a figure's CSV."""
    head = CSV_HEADS.get(figure.name, tuple(name.lower() for name in figure.heads))
    return head, [line.plain or line.cells for line in figure.lines]
