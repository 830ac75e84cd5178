from __future__ import annotations

from datetime import date

import pytest

from renderers.dates import is_whole_days, long_day, period, said, short_day
from schemas.events import View
from streams.notices.words import words_of
from tests.renderers.samples import AMSTERDAM, instant

DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


@pytest.mark.parametrize("month", range(1, 13))
def test_days_are_written_as_in_the_dutch_cldr(month: int) -> None:
    for day in (1, 9, 10, 28):
        on = date(2026, month, day)
        assert long_day(on) == f"{DAYS[on.weekday()]} {day} {MONTHS[month - 1]} 2026"
        assert short_day(on, with_year=True) == f"{day} {MONTHS[month - 1]} 2026"
        assert short_day(on, with_year=False) == f"{day} {MONTHS[month - 1]}"


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        # UTC becomes local before the day is taken
        ("2020-01-17T22:59+00:00", "2020-01-17T23:00+00:00", AMSTERDAM,
         "vrijdag 17 januari 2020 van 23:59 tot middernacht"),
        ("2020-01-17T23:01+00:00", "2020-01-18T00:01+00:00", AMSTERDAM, "zaterdag 18 januari 2020 van 00:01 tot 01:01"),
        ("2020-07-17T22:30+00:00", "2020-07-17T23:30+00:00", AMSTERDAM, "zaterdag 18 juli 2020 van 00:30 tot 01:30"),
        # New Year, and a leap day
        ("2019-12-31T23:30+00:00", "2020-01-01T00:30+00:00", AMSTERDAM, "woensdag 1 januari 2020 van 00:30 tot 01:30"),
        ("2019-12-31 23:00", "2020-01-01 01:00", AMSTERDAM,
         "dinsdag 31 december 2019 van 23:00 tot woensdag 1 januari 2020 01:00"),
        ("2020-02-29 10:00", "2020-02-29 11:00", AMSTERDAM, "zaterdag 29 februari 2020 van 10:00 tot 11:00"),
        # the clocks go forward at 2:00 and back at 3:00
        ("2026-03-29T00:30+00:00", "2026-03-29T01:30+00:00", AMSTERDAM, "zondag 29 maart 2026 van 01:30 tot 03:30"),
        ("2026-10-25T00:30+00:00", "2026-10-25T02:30+00:00", AMSTERDAM, "zondag 25 oktober 2026 van 02:30 tot 03:30"),
        # a whole local day of 23, 24 and 25 hours has no times
        ("2020-01-17 00:00", "2020-01-18 00:00", AMSTERDAM, "vrijdag 17 januari 2020"),
        ("2026-03-28T23:00+00:00", "2026-03-29T22:00+00:00", AMSTERDAM, "zondag 29 maart 2026"),
        ("2026-10-24T22:00+00:00", "2026-10-25T23:00+00:00", AMSTERDAM, "zondag 25 oktober 2026"),
        # an hour that such a day does not have, or has too many, makes it no whole day
        ("2026-03-28T23:00+00:00", "2026-03-29T23:00+00:00", AMSTERDAM,
         "zondag 29 maart 2026 van 00:00 tot maandag 30 maart 2026 01:00"),
        ("2026-10-24T22:00+00:00", "2026-10-25T22:00+00:00", AMSTERDAM, "zondag 25 oktober 2026 van 00:00 tot 23:00"),
        ("2020-01-17 00:00", "2020-01-17 23:59", AMSTERDAM, "vrijdag 17 januari 2020 van 00:00 tot 23:59"),
        ("2020-01-17 00:00", "2020-01-19 00:00", AMSTERDAM,
         "vrijdag 17 tot en met zaterdag 18 januari 2020"),
        ("2020-01-31 00:00", "2020-02-02 00:00", AMSTERDAM, "vrijdag 31 januari tot en met zaterdag 1 februari 2020"),
        ("2019-12-31 00:00", "2020-01-02 00:00", AMSTERDAM, "dinsdag 31 december 2019 tot en met woensdag 1 januari 2020"),
        ("2020-01-17 22:00", "2020-01-19 00:00", AMSTERDAM,
         "vrijdag 17 januari 2020 van 22:00 tot en met zaterdag 18 januari 2020"),
        ("2020-01-17 13:15", "2020-01-17 13:15", AMSTERDAM, "vrijdag 17 januari 2020 om 13:15"),
        ("2020-01-17T12:15:10+00:00", "2020-01-17T12:15:50+00:00", AMSTERDAM, "vrijdag 17 januari 2020 om 13:15"),
        ("2020-01-17 00:00", "2020-01-17 00:00", AMSTERDAM, "vrijdag 17 januari 2020 om 00:00"),
        # seconds are not said, of a midnight neither
        ("2020-01-16T23:00:20+00:00", "2020-01-17T23:00:20+00:00", AMSTERDAM, "vrijdag 17 januari 2020"),
        ("2020-01-16T23:00:00+00:00", "2020-01-18T23:00:59+00:00", AMSTERDAM,
         "vrijdag 17 tot en met zaterdag 18 januari 2020"),
        ("2020-01-17T19:00:00+00:00", "2020-01-17T23:00:20+00:00", AMSTERDAM,
         "vrijdag 17 januari 2020 van 20:00 tot middernacht"),
        # other zones: a whole day of Amsterdam is none on Curaçao
        ("2020-01-17 00:00", "2020-01-18 00:00", "America/Curacao", "vrijdag 17 januari 2020"),
        ("2020-01-16T23:00+00:00", "2020-01-17T23:00+00:00", "America/Curacao",
         "donderdag 16 januari 2020 van 19:00 tot vrijdag 17 januari 2020 19:00"),
        ("2020-01-17T20:15+00:00", "2020-01-17T21:15+00:00", "Asia/Kathmandu",
         "zaterdag 18 januari 2020 van 02:00 tot 03:00"),
        # Cairo skips midnight: the day begins at 1:00
        ("2024-04-25T22:00+00:00", "2024-04-26T21:00+00:00", "Africa/Cairo", "vrijdag 26 april 2024"),
        ("2024-04-24T22:00+00:00", "2024-04-25T22:00+00:00", "Africa/Cairo", "donderdag 25 april 2024"),
        # Havana has midnight twice: the day begins at the first
        ("2024-11-03T04:00+00:00", "2024-11-04T05:00+00:00", "America/Havana", "zondag 3 november 2024"),
        ("2024-11-03T05:00+00:00", "2024-11-04T05:00+00:00", "America/Havana",
         "zondag 3 november 2024 van 00:00 tot middernacht"),
    ],
)  # fmt: skip
def test_a_period_is_written_in_local_time(start: str, end: str, zone: str, expected: str) -> None:
    assert period(instant(start, zone), instant(end, zone), zone) == expected
    assert said(words_of(View(instant(start, zone), instant(end, zone)), zone)) == expected


def test_every_local_day_of_a_year_is_a_whole_day_whatever_its_length() -> None:
    lengths = set()
    for day in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()):
        start, end = (instant(date.fromordinal(on).isoformat()) for on in (day, day + 1))
        lengths.add((end - start).total_seconds() / 3600)
        assert is_whole_days(start, end, AMSTERDAM)
    assert lengths == {23, 24, 25}
