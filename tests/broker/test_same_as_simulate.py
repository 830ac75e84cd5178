"""One story, told twice: by Kafka, a worker process and both providers, and by `afspraakbericht simulate`.

The acts are fed live; each has the instant at which it was fed as its `at` in the file, so both see the same windows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.kafka.writer import Event

from .harness import AMSTERDAM, UNSUBSCRIBE, Stand, address, client, command, number, request, settings, visit, whole_minute

pytestmark = pytest.mark.broker

TOKYO = ZoneInfo("Asia/Tokyo")
QUIET, LONGEST = 3, 12
CLOSED = timedelta(seconds=LONGEST + 3)
BEFORE, AFTER = "Zorg:", "Tot dan!"
ASKED = "Wilt u de vragenlijst invullen? Dat kan op https://lijst.example/start"

DAY = r"[a-z]+dag \d{1,2} [a-z]+ \d{4}"
PERIOD = rf"{DAY} van \d\d:\d\d tot (?:{DAY} )?\d\d:\d\d"
EVERY_TEXT = {
    "created": rf"Er is een afspraak met u gemaakt op {PERIOD}\.",
    "created at a location": rf"Er is een afspraak met u gemaakt op {PERIOD}\. Locatie: De Linde\.",
    "night": rf"gemaakt op {DAY} van 22:00 tot {DAY} 06:00\.",
    "whole day": rf"gemaakt op {DAY}\.",
    "moved": rf"Uw afspraak op {PERIOD} is verplaatst naar {PERIOD}\.",
    "moved, with its location": rf"Uw afspraak op {PERIOD} is verplaatst naar {PERIOD}\. Locatie: De Linde\.",
    "cancelled": rf"Uw afspraak op {DAY} is geannuleerd\.",
    "relocated": rf"De locatie van uw afspraak op {PERIOD} is gewijzigd naar De Beuk\.",
    "series created": rf"Er zijn herhalende afspraken met u gemaakt op {PERIOD} en de daarop volgende\.",
    "series moved": rf"Uw herhalende afspraken op {PERIOD} en de daarop volgende zijn verplaatst naar {PERIOD}\.",
    "series cancelled": rf"Uw herhalende afspraken op {PERIOD} en de daarop volgende zijn geannuleerd\.",
    "series relocated": rf"De locatie van uw herhalende afspraken op {PERIOD} en de daarop volgende is gewijzigd naar De Linde\.",
    "reminder of one": r"U heeft een afspraak op \d{1,2} [a-z]+(?: \d{4})? om 13:15\. Locatie: De Linde\.",
    "reminder of several": r"U heeft 3 afspraken op \d{1,2} [a-z]+(?: \d{4})? om 09:00\.",
    "combined": rf"{BEFORE} Uw afspraak op {DAY} is geannuleerd\. Uw afspraak op {PERIOD} is verplaatst .*\. Er is een afspraak",
    "what the organisation chose itself": r"^Zelf: Er is een afspraak",
    "upstream's again": rf"^{BEFORE} Uw afspraak op {DAY} is geannuleerd\. {AFTER}$",
    "request": re.escape(ASKED),
}
EVERY_OUTCOME = {
    ("sent", None), ("expired", None), ("suppressed", "series"), ("suppressed", "same"), ("suppressed", "absent"),
    ("suppressed", "just_told"),
    ("suppressed", "client_off"), ("suppressed", "contact_unconfirmed"), ("suppressed", "organisation_off"),
}  # fmt: skip


class Story:
    """The acts, relative to the moment of the run."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.revisions: Counter[str] = Counter()

    def local(self, days: int, at: str) -> datetime:
        """Wall time in Amsterdam so many days from now."""
        hour, minute = map(int, at.split(":"))
        day = self.now.astimezone(AMSTERDAM) + timedelta(days=days)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def book(self, id_: str, days: int, at: str, *clients: str, organisation: str = "venster", **changes: Any) -> Event:
        """The next revision."""
        self.revisions[id_] += 1
        return visit(organisation, id_, self.revisions[id_], self.local(days, at), *clients, **changes)

    def series(self, at: str, **changes: Any) -> list[Event]:
        return [self.book(f"reeks-{n}", 20 + 7 * n, at, "els", "ella", series="fysio", **changes) for n in range(4)]

    def cast(self) -> list[Event]:
        sms = {"originator": "Zorg", "before": BEFORE, "after": AFTER, "unit_price": "0.075", "currency": "EUR"}
        email = {"from": "Zorg <zorg@venster.example>", "reply_to": "a@venster.example", "before": BEFORE, "after": AFTER}
        opted_out = {"organisation": "venster", "client": "iris", "channel": "email", "off": True, "source": "link"}
        return [
            settings("venster", QUIET, LONGEST, sms=sms, email=email),
            settings("direct", sms={**sms, "unit_price": 0.08}, email={**email, "subject": "Uw afspraak"}),
            settings("uit", notifications=False),
            Event(
                "organisation-overrides", "direct", {"organisation": "direct", "sms": {"before": "Zelf:"}, "email": {"after": ""}}
            ),
            *(event for name in ("anna", "cees", "els", "veel", "fred", "groep1") for event in client("venster", name, "sms")),
            *(event for name in ("bram", "dora", "ella", "meel", "groep2") for event in client("venster", name, "email", "sms")),
            *client("venster", "gerda", "sms", notifications=False),
            *client("venster", "gert"),
            *client("venster", "hans", "email", "sms", confirmed=False),
            *client("venster", "iris", "email"),
            *client("direct", "nu", "sms"),
            *client("direct", "later", "email"),
            *client("uit", "jan", "sms"),
            Event("opt-outs", "venster/iris", opted_out),
        ]

    def reminded(self, due: datetime) -> list[Event]:
        """Those who are reminded at `due`, in another zone, and two whose reminder is not said.

        With a window: what comes while a message flies gathers, and the simulation's land at once.
        """
        reminder = {"days_before": 1, "at": f"{due.astimezone(TOKYO):%H:%M}"}
        return [
            settings("tokio", QUIET, LONGEST, time_zone="Asia/Tokyo", reminder={**reminder, "not_within_hours": 0}),
            settings("osaka", QUIET, LONGEST, time_zone="Asia/Tokyo", reminder=reminder),
            *client("osaka", "sai", "sms"),
            *client("tokio", "rie", "sms"),
            *client("tokio", "rob", "email"),
            *client("tokio", "ron", "sms", notifications=False),
        ]

    def tomorrow(self, due: datetime) -> list[Event]:
        """What they are reminded of."""
        tomorrow = due.astimezone(TOKYO) + timedelta(days=1)

        def at(id_: str, wall: str, *clients: str, organisation: str = "tokio", **changes: Any) -> Event:
            hour, minute = map(int, wall.split(":"))
            return visit(organisation, id_, 1, tomorrow.replace(hour=hour, minute=minute), *clients, **changes)

        return [
            at("morgen", "13:15", "rie", location="De Linde"),
            *(at(f"morgen-{hour}", f"{hour:02d}:00", "rob") for hour in (15, 9, 11)),
            at("stil", "10:00", "ron"),
            at("pas", "10:00", "sai", organisation="osaka"),
        ]

    def booked(self) -> list[Event]:
        return [
            self.book("a", 30, "13:15", "anna", location="De Linde"),
            self.book("b1", 31, "09:00", "bram"),
            self.book("b2", 31, "15:30", "bram"),
            self.book("nacht", 32, "22:00", "cees", hours=8),
            self.book("dag", 33, "00:00", "dora", hours=24),
            *self.series("13:15"),
            *(
                self.book(f"veel-{n:02d}", 34, f"{7 + n // 2:02d}:{30 * (n % 2):02d}", "veel", "meel", hours=0.5)
                for n in range(25)
            ),
            self.book("groep", 35, "14:00", "groep1", "groep2"),
            self.book("f", 36, "10:00", absent=["fred"]),
            self.book("dicht", 36, "10:00", "gerda", "gert", "hans", "iris"),
            self.book("j", 36, "10:00", "jan", organisation="uit"),
            self.book("voorbij", -2, "10:00", "anna"),
            self.book("n", 37, "10:00", "nu", "later", organisation="direct"),
        ]

    def changed(self) -> list[Event]:
        return [
            self.book("a", 30, "14:15", "anna", location="De Linde"),
            self.book("b1", 31, "09:00", "bram", status="cancelled"),
            self.book("b2", 31, "16:00", "bram"),
            self.book("b3", 31, "17:00", "bram"),
            self.book("nacht", 32, "22:00", "cees", hours=8, location="De Beuk"),
            self.book("reeks-4", 48, "13:15", "els", "ella", series="fysio"),
            self.book("groep", 35, "14:00", "groep1"),
            self.book("f", 36, "10:00", "fred"),
            self.book("n", 37, "11:00", "nu", "later", organisation="direct"),
            request("venster", "anna", "lijst-1", ASKED),
        ]

    def series_moved(self, now: datetime) -> list[Event]:
        late = (now - timedelta(minutes=1)).isoformat()
        return [
            *self.series("15:00"),
            self.book("reeks-4", 48, "15:00", "els", "ella", series="fysio"),
            request("venster", "anna", "lijst-1", "Een tweede met hetzelfde nummer wordt niet gestuurd."),
            request("venster", "bram", "lijst-2", ASKED, send_at=(now + timedelta(seconds=2)).isoformat()),
            request("venster", "cees", "lijst-3", ASKED, expires_at=late),
            request("venster", "gerda", "lijst-4", ASKED),
        ]

    def series_relocated(self) -> list[Event]:
        return [
            *self.series("15:00", location="De Linde"),
            self.book("reeks-4", 48, "15:00", "els", "ella", series="fysio", location="De Linde"),
            Event("appointments", "venster/a", None),
            Event("organisation-overrides", "direct", None),
        ]

    def series_cancelled(self) -> list[Event]:
        return [
            *self.series("15:00", location="De Linde", status="cancelled"),
            self.book("reeks-4", 48, "15:00", "els", "ella", series="fysio", location="De Linde", status="cancelled"),
            self.book("nacht-2", 32, "22:00", "cees", hours=8, location="De Beuk"),
            self.book("n", 37, "11:00", "nu", "later", organisation="direct", status="cancelled"),
        ]


class Both:
    """The stand, and the file of what it was fed."""

    def __init__(self, stand: Stand, file: Path) -> None:
        self.stand, self.file = stand, file

    async def act(self, events: list[Event]) -> None:
        """Feed both, and wait until the worker has decided all that the simulation decides; reminders come later."""
        now = datetime.now(UTC)
        with self.file.open("a") as out:
            for event in events:
                line = {"at": now.isoformat(), "topic": event.topic, "key": event.key, "value": event.value}
                out.write(json.dumps(line) + "\n")
        await self.stand.feed(events)
        await self.stand.settled()
        wanted = len([record for record in self.simulated(now + CLOSED) if record["reason"] != "reminder"])

        async def decided() -> bool:
            return len([record for record in await self.stand.log() if record["reason"] != "reminder"]) >= wanted

        await self.stand.until(decided, f"{wanted} records")

    def simulated(self, until: datetime) -> list[dict[str, Any]]:
        done = command("simulate", str(self.file), "--until", until.isoformat())
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def comparable(record: dict[str, Any]) -> str:
    """All of a record but the times at which it came about."""
    kept = {name: value for name, value in record.items() if name not in ("at", "decided", "due")}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


async def test_the_worker_does_what_simulate_says(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        stand.worker()
        both = Both(stand, tmp_path / "every_text.jsonl")
        story = Story(datetime.now(UTC))
        await both.act(story.cast())
        due = whole_minute(datetime.now(UTC), 40)
        await both.act(story.reminded(due))
        await both.act(story.tomorrow(due))
        assert datetime.now(UTC) < due, "this machine is too slow for a reminder 40 seconds ahead"
        await both.act(story.booked())
        await both.act(story.changed())
        await both.act(story.series_moved(datetime.now(UTC)))
        await both.act(story.series_relocated())
        await both.act(story.series_cancelled())
        wanted = both.simulated(max(due, datetime.now(UTC)) + CLOSED)
        found = await stand.logged(len(wanted))

        assert sorted(map(comparable, found)) == sorted(map(comparable, wanted))
        assert {(record["status"], record["detail"]) for record in found} == EVERY_OUTCOME
        assert not await stand.records("dead-letters")
        assert_providers_got(stand, found)
        everything = [text for _, text in stand.received_sms()] + [text for *_, text in stand.received_emails()]
        for name, pattern in EVERY_TEXT.items():
            assert any(re.search(pattern, text) for text in everything), name


def assert_providers_got(stand: Stand, log: list[dict[str, Any]]) -> None:
    """Each `sent` record is a message at its provider, and each message there has its record; word for word."""
    sms: dict[str, list[str]] = {}
    emails: dict[str, tuple[str, str]] = {}
    for record in log:
        if record["status"] != "sent":
            continue
        organisation, name = record["organisation"], record["client"]
        text = f"{BEFORE} {ASKED} {AFTER}" if record["reason"] == "request" else " ".join(record["text"].split())
        if record["channel"] == "sms":
            sms.setdefault(number(organisation, name), []).append(text)
        else:
            emails[f"{record['message']}@localhost"] = (address(organisation, name), text)
    got: dict[str, list[str]] = {}
    for to, body in stand.received_sms():
        got.setdefault(to, []).append(body)
    assert {to: " ".join(bodies) for to, bodies in got.items()} == {to: " ".join(texts) for to, texts in sms.items()}
    assert len(got[number("venster", "veel")]) == 3, "20 sentences are more than 9 parts, so they are split; the other 5 follow"
    assert len(stand.received_emails()) == len(emails)
    for to, message_id, text in stand.received_emails():
        recipient, told = emails[message_id]
        assert to == recipient
        assert text.startswith(told)
        assert UNSUBSCRIBE in text.removeprefix(told)
