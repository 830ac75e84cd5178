"""What must hold whatever happens: of the simulation, and of workers that go through a lot."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from schemas.notices import request_id
from schemas.state import Agenda
from tests.model.naive import Event, Fact
from tests.model.naive_state import Json
from tests.model.naive_words import instant, local
from tests.model.strategies import CLIENTS, ORGANISATIONS


def one_message_per_window_and_day(events: list[Event], facts: list[Fact]) -> None:
    """Each day's changes are one message, at most 5 of them, or one has them all. (Windows of 0 seconds are many at once.)"""
    if any(0 in event.value["window"].values() for event in events if event.topic == "organisations" and event.value):
        return
    closings: dict[tuple[datetime, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.status == "sent" and fact.reason == "direct":
            closings[fact.at, fact.organisation, fact.client].append(fact)
    for messages in closings.values():
        assert len(messages) <= 5
        named = [each for message in messages for said in message.said for each in said.appointments]
        assert len(named) == len(set(named))
    reminders = Counter((*fact[:4], fact.said, fact.text) for fact in facts if fact.reason == "reminder" and fact.text)
    assert all(times == 1 for times in reminders.values())


def only_its_own(events: list[Event], record: Json) -> None:
    """A message names appointments on which this client once stood, in the words of this organisation, to this address."""
    organisation, client = record["organisation"], record["client"]
    for notice in record["notices"]:
        for appointment in (notice["appointment"], *notice.get("others", ())):
            assert appointment is None or any(
                client in [each["client"] for each in event.value["clients"]]
                for event in events
                if event.topic == "appointments" and event.key == f"{organisation}/{appointment}" and event.value
            )
    for other in ORGANISATIONS:
        mine = other == organisation
        assert mine or not any(wrapping in (record["text"] or "") for wrapping in (f"Van {other}.", f"Groet van {other}"))
    if record["status"] == "sent" and record["channel"] == "sms":
        assert record["address"].endswith(str(CLIENTS.index(client)))


def was_so(events: list[Event], record: Json, zone: str, low: int, high: int) -> None:
    """What a sent message says was so after so many events, or any number of them up to a second one."""
    text = record["text"]
    for notice in record["notices"]:
        for number, appointment in enumerate((notice["appointment"], *notice.get("others", ()))):
            key = f"{record['organisation']}/{appointment}"
            first = number == 0 and len(record["notices"]) < 20
            so = candidates(events, key, low, high)
            named = text if first else None
            assert any(matches(notice["kind"], one, record["client"], named, zone) for one in so), (notice, text)


def candidates(events: list[Event], key: str, low: int, high: int) -> Iterator[Json | None]:
    """The appointment after each number of events; None: deleted, or never there."""
    so, highest = None, 0
    for number, event in enumerate(events[:high]):
        if number == low:
            yield so
        if event.topic == "appointments" and event.key == key:
            if event.value is None:
                so = None
            elif event.value["revision"] > highest:
                so, highest = event.value, event.value["revision"]
            if number >= low:
                yield so
    yield so


def matches(kind: str, so: Json | None, client: str, text: str | None, zone: str) -> bool:
    on = {each["client"]: each["present"] for each in so["clients"]} if so and so["status"] == "booked" else {}
    if kind.endswith("cancelled"):  # of nobody any more: it stands elsewhere now, where something was known already
        return so is None or client not in on or text is None or not called_off(local(instant(so["start"]), zone), text)
    if not (so and on.get(client)):
        return False
    start = local(instant(so["start"]), zone)
    named = text is None or f"{start:%H:%M}" in text or instant(so["end"]) - instant(so["start"]) > timedelta(hours=20)
    place = so["location"]["name"] if so["location"] and so["kind"] in (None, "on_site") else None
    placed = text is None or place is None or kind == "reminder" or f" {place}." in text
    return named and placed and (text is None or f" {start.day} " in text)


def called_off(start: datetime, text: str) -> bool:
    """Whether a sentence cancels what begins then: by its times, or by its day where the text names no times of it.

    One that says the place, `(zonder locatie)`, is of two at the same times, of which one stays: the model knows records alone.
    """
    day = rf" {start.day} [a-z]+ {start.year}"
    at = rf"{day} (?:van|om) {start:%H:%M}"
    by_its_times = re.search(rf"{at}[^.(]*geannuleerd", text)
    by_its_day = re.search(rf"{day}(?: \(de hele dag\))? is geannuleerd", text)
    return bool(by_its_times or (by_its_day and not re.search(at, text)))


def nothing_is_silent(records: Iterable[Json], agenda: Callable[[str, str], Agenda], until: datetime) -> None:
    """What was told, reminded or asked has its record; nothing that was due still waits."""
    logged = {notice["id"] for record in records for notice in record["notices"]}
    for organisation in ORGANISATIONS:
        for client in CLIENTS:
            kept = agenda(organisation, client)
            said = {id_ for item in kept.known or () if item.notice in logged for id_ in item.ids}
            for id_, entry in kept.appointments.items():
                assert entry.told is None or entry.notice is not None or id_ in said
                assert entry.notice is None or entry.notice in logged
            for name in kept.seen:
                assert request_id(organisation, client, *name.split("/")) in logged
            assert all(pending.due > until for pending in kept.requests.values())
            assert kept.window is None or kept.window.closes > until
            assert kept.held_until is None or kept.held_until > until
