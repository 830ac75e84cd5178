"""A naive model of the rules (`streams/README.md`), written from that page alone and for the tests alone.

It shares no code with `streams/` or `renderers/`: it reads the input events as plain JSON, steps from one moment of interest
to the next, looks through everything it knows at each, and is meant to be obviously right rather than fast. `expected` gives
what the delivery log must say. Where the page leaves a choice, the line that takes it says `Choice`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import available_timezones

from tests.model.naive_reminders import Moment, rules, set_on, timing
from tests.model.naive_reports import (
    Sms,
    address_of,
    heard_of_contact,
    is_simple,
    nobody_can_have_it_in_time,
    refuse,
    take_back,
)  # fmt: skip
from tests.model.naive_state import Awaits, Client, Is, Json, Known, Message, Reminded, Told, Waiting, Window
from tests.model.naive_words import (
    DAY,
    Difference,
    View,
    at_local,
    hhmm,
    instant,
    local,
    local_day,
    reminder_words,
    whole_day,
    words,
)

ZONES = available_timezones()
BEGINNING = datetime.min.replace(tzinfo=UTC)


class Event(NamedTuple):
    """One line of input. `value` is decoded JSON; None is a deletion."""

    at: datetime
    topic: str
    key: str
    value: Json | None


class Said(NamedTuple):
    """One notice as the delivery log names it."""

    kind: str
    appointments: tuple[str, ...]


class Fact(NamedTuple):
    """One thing that the delivery log must say. What was not sent is one fact a notice, what was sent one a message."""

    at: datetime
    organisation: str
    client: str
    reason: str
    status: str
    detail: str | None
    channel: str | None
    said: tuple[Said, ...]
    text: str | None


COMPARED = ("status", "start", "end", "location", "series", "kind", "replaces", "notify")


@dataclass
class Revision:
    number: int
    deleted: bool
    value: Json


# --- the model ------------------------------------------------------------------------------------------------------------


class RefusedError(Exception):
    """Intake sets the event aside."""


@dataclass
class Model:
    facts: list[Fact] = field(default_factory=list)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    organisations: dict[str, Json] = field(default_factory=dict)
    upstream: dict[str, Json | None] = field(default_factory=dict)
    overrides: dict[str, Json | None] = field(default_factory=dict)
    reminders_since: dict[str, datetime] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    passed: datetime = BEGINNING
    messages: int = 0
    reported: list[Fact | None] = field(default_factory=list)

    # --- what the settings say (what is unknown is off) ---

    def zone(self, client: Client) -> str:
        settings = self.organisations.get(client.organisation) or {}
        return str(settings.get("time_zone") or "Europe/Amsterdam")

    def window_seconds(self, client: Client) -> tuple[timedelta, timedelta]:
        settings = self.organisations.get(client.organisation) or {}
        window = settings.get("window") or {}
        return timedelta(seconds=window.get("quiet_seconds", 30)), timedelta(seconds=window.get("max_seconds", 120))

    def due_moments(self, client: Client, day: date) -> list[Moment]:
        """The reminders of this day in their order, under the settings that now hold."""
        settings, zone = self.organisations.get(client.organisation) or {}, self.zone(client)
        found: dict[str, tuple[datetime, str, int]] = {}
        for rule in rules(settings):
            on = set_on(rule, day, settings.get("free_days") or [])
            due, wall = at_local(on, hhmm(rule["at"]), zone), f"{on}T{rule['at']}"
            quiet = self.quiet_until(client, due)
            if quiet is not None and day not in self.urgent_days(client, due):
                due = quiet  # Choice: held back, it falls due at the end, and what was told meanwhile was told before.
            found.setdefault(wall, (due, wall, rule.get("not_within_hours", 12)))
        return [Moment(due, wall, place, hours) for place, (due, wall, hours) in enumerate(sorted(found.values()), 1)]

    def quiet_until(self, client: Client, now: datetime) -> datetime | None:
        settings = self.organisations.get(client.organisation) or {}
        quiet = settings.get("quiet_hours")
        if not quiet:
            return None
        zone, start, end = self.zone(client), hhmm(quiet["from"]), hhmm(quiet["until"])
        today = local_day(now, zone)
        for day in (today - DAY, today, today + DAY):
            begins = at_local(day, start, zone)
            ends = at_local(day if start < end else day + DAY, end, zone)
            if begins <= now < ends:
                return ends
        return None

    # --- gates ---

    def is_on(self, client: Client) -> bool:
        return bool((self.organisations.get(client.organisation) or {}).get("notifications"))

    def gate(self, client: Client) -> tuple[str | None, str | None]:
        """The first closed gate after `absent`, or the channel."""
        consent, contact = client.consent or {}, client.contact or {}
        listed = [channel for channel in consent.get("channels", []) if channel not in client.off]
        if not consent.get("notifications") or not listed:
            return "client_off", None
        confirmed = [channel for channel in listed if (contact.get(channel) or {}).get("confirmed")]
        if client.refused is not None:
            confirmed = [channel for channel in confirmed if channel != "sms"]
        if not confirmed:
            return "contact_unconfirmed", None
        if not self.is_on(client):
            return "organisation_off", None
        return None, confirmed[0]

    # --- passing of time ---

    def pass_to(self, end: datetime) -> None:
        """Every moment up to and including `end`."""
        while True:
            moment = min((each for client in self.clients.values() for each in self.moments(client)), default=None)
            if moment is None or moment > end:
                break
            self.fire(moment)
        self.passed = end

    def moments(self, client: Client) -> Iterator[datetime]:
        if client.window:
            yield max(client.window.closes, self.passed)
        if client.held_until:
            yield max(client.held_until, self.passed)
        for waiting in client.waiting:
            yield max(waiting.due, self.passed)
        for _, moment in self.due_reminders(client):
            yield max(moment.due, self.passed)

    def due_reminders(self, client: Client) -> Iterator[tuple[date, Moment]]:
        """What is still to be reminded of, as things are: an appointment that is so was told on that day before the due moment.

        Choice: one whose due moment has gone by, on a day on which nothing was so then, is late when there is one again.
        """
        zone, since = self.zone(client), self.reminders_since.get(client.organisation, BEGINNING)
        for day in {local_day(known.actual.view.start, zone) for known in client.known.values() if known.actual.booked}:
            decided = client.reminded.get(day, [])
            for moment in self.due_moments(client, day):
                free = len(decided) < moment.place and moment.wall not in [each.wall for each in decided]
                if free and moment.due > since and self.told_on(client, day, moment.due):  # a setting makes none past
                    yield day, moment

    def told_on(self, client: Client, day: date, due: datetime) -> bool:
        return any(self.told_before(client, each, day, due) for each in self.so_on(client, day))

    def so_on(self, client: Client, day: date) -> list[str]:
        """The appointments that are so on the day, present or not, in order of start."""
        zone = self.zone(client)
        ids = [i for i, k in client.known.items() if k.actual.booked and local_day(k.actual.view.start, zone) == day]
        return sorted(ids, key=lambda each: (client.known[each].actual.view.start, each))

    def told_before(self, client: Client, appointment: str, day: date, due: datetime) -> bool:
        """Whether the client has been told that it is on this day since before the due moment, and never that it is not."""
        zone, known = self.zone(client), client.known[appointment]
        if known.notify == "reminder" and known.awaits is not None and known.awaits.since < due:
            return known.awaits.day == day
        told = known.told
        before = [each.view for each in told if each.at < due][-1:]
        after = [each.view for each in told if each.at >= due]
        return bool(before) and all(view is not None and local_day(view.start, zone) == day for view in before + after)

    def fire(self, now: datetime) -> None:
        """All that falls due now: windows before reminders before requests, then by organisation, client, day."""
        clients = [client for _, client in sorted(self.clients.items())]
        for client in clients:
            if client.held_until and client.held_until <= now:
                client.window = client.held_until = None
                self.decide(client, now)
            elif client.window and client.window.closes <= now:
                self.decide(client, now)
        for client in clients:
            while due := sorted((moment.due, day, moment) for day, moment in self.due_reminders(client) if moment.due <= now):
                together: dict[date, Moment] = {}
                for at, day, moment in due:
                    if at == due[0][0]:
                        together.setdefault(day, moment)
                self.remind(client, together, now)
        for client in clients:
            for waiting in [each for each in client.waiting if each.due <= now]:
                client.waiting.remove(waiting)
                self.ask(client, waiting, now)
        self.passed = now

    # --- the window closes ---

    def same(self, was: View | None, now: View | None) -> bool:
        """Whether a client would be told the same of both; a place that is dropped is not told."""
        if was is None or now is None:
            return was is now
        return self.kind_between(was, now) is None

    def kind_between(self, was: View, now: View) -> str | None:
        """What it is called that one became the other; None where nothing is said of it."""
        if was.times != now.times:
            return "moved"
        if was.kind != now.kind:
            return "changed"
        return "relocated" if now.location not in (None, was.location) else None

    def ahead_of(self, known: Known, at: datetime) -> View | None:
        """What was heard, if something else was kept back since and it is still ahead."""
        heard = known.heard
        return heard if heard is not None and not known.told[-1].heard and heard.start > at else None

    def differences(self, client: Client, at: datetime) -> list[Difference]:
        """Told against actual; presence aside."""
        found = []
        for appointment, known in client.known.items():
            was, actual = known.last_told, known.actual
            now = actual.view if actual.booked else None
            if not self.same(was, now) and (before := self.ahead_of(known, at)) is not None and not known.silent:
                was = before  # the next notice starts from what was heard
            if was is None and now is not None:
                found.append(Difference("created", (appointment,), now.start, None, now))
            elif was is not None and now is None:
                found.append(Difference("cancelled", (appointment,), was.start, was, actual.view))
            elif was is not None and now is not None and (kind := self.kind_between(was, now)):
                found.append(Difference(kind, (appointment,), min(was.start, now.start), was, now))
        found = self.in_their_place(client, found, at)
        return [one for one in found if not self.said_silent(client.known[one.ids[0]])]

    def in_their_place(self, client: Client, found: list[Difference], at: datetime) -> list[Difference]:
        """The same, with what was made in the place of something as moved from there."""
        zone = self.zone(client)
        used: dict[str, Difference] = {}
        made = [one for one in found if one.kind == "created" and not client.known[one.ids[0]].silent]
        for one in sorted(made, key=lambda one: self.order(one.now, zone)):
            origin = self.origin(client, one.ids[0], set(used), at)
            if origin is not None and one.now is not None:
                was = self.starts_from(client, origin, at)
                assert was is not None
                used[origin] = Difference("moved", one.ids, min(was.start, one.now.start), was, one.now, origin)
        moved = {one.ids: one for one in used.values()}
        return [moved.get(one.ids, one) for one in found if one.ids[0] not in used]

    def order(self, view: View | None, zone: str) -> tuple[str, ...]:
        """In which order what is made is told: by day and times on the clock."""
        assert view is not None
        start, end = local(view.start, zone), local(view.end, zone)
        whole = whole_day(view, zone)
        return f"{start:%Y-%m-%d}", "" if whole else f"{start:%H:%M}", "" if whole else f"{end:%H:%M}"

    def origin(self, client: Client, appointment: str, used: set[str], at: datetime) -> str | None:
        """The first that an unknown one replaces, through theirs, of which something is known that is not so."""
        seen, line = {appointment}, [*client.known[appointment].replaces]
        while line and len(seen) <= 10:
            one = line.pop(0)
            known = client.known.get(one)
            if one in seen or (known is not None and known.actual.booked and not known.silent):
                continue
            seen.add(one)
            if known is None:
                continue
            if one not in used and self.starts_from(client, one, at) is not None:
                return one
            line = [*known.replaces, *line]
        return None

    def starts_from(self, client: Client, replaced: str, at: datetime) -> View | None:
        """What is known of an appointment that is off, and can move to another one."""
        known = client.known[replaced]
        return self.ahead_of(known, at) or (known.last_told if not known.silent else None)

    def come_back(self, client: Client, now: datetime) -> None:
        """What is again as it was heard, after something else was kept back, needs no word: only a record."""
        for appointment, known in client.known.items():
            is_so = known.actual.view if known.actual.booked else None
            heard, told = self.ahead_of(known, now), known.last_told
            if heard is None or is_so is None or known.silent or self.same(told, is_so) or not self.same(heard, is_so):
                continue
            kind = "created" if told is None else self.kind_between(told, is_so)
            assert kind is not None
            self.log(client, now, "direct", "suppressed", "same", (Said(kind, (appointment,)),))
            while not known.told[-1].heard:  # the client knows it since it was heard, and never knew of anything else
                known.told.pop()

    def said_silent(self, known: Known) -> bool:
        return known.silent is not None and known.silence_said == known.changes

    def decide(self, client: Client, now: datetime) -> None:
        """The window closes, for all days or in quiet hours for those that cannot wait; the others are held."""
        off = client.window is not None and client.window.off and client.held_until is None
        client.window = None
        quiet, zone = None if off else self.quiet_until(client, now), self.zone(client)
        waits = [known for known in client.known.values() if known.silent == "notify"]
        self.come_back(client, now)
        chosen = self.differences(client, now)
        if quiet is not None:
            urgent = self.urgent_days(client, now)
            rest = [one for one in chosen if not self.days_of(one, zone) & urgent]
            chosen = [one for one in chosen if self.days_of(one, zone) & urgent]
            client.held_until = quiet if rest else None
        else:
            client.held_until = None
        gate, channel = self.gate(client)
        gate = gate or ("organisation_off" if off else None)
        going, kept_back = [], []
        for one in chosen:
            known = client.known[one.ids[0]]
            # Choice: past comes before the gates.
            over = one.now is None or one.kind == "cancelled" or one.now.start <= now  # where it would have been now says nothing
            past = (one.was is None or one.was.start <= now) and over
            if known.silent is not None:
                known.silence_said = known.changes
                status, detail = ("expired", None) if past else ("suppressed", known.silent)
                self.log(client, now, "direct", status, detail, (Said(one.kind, one.ids),))
            elif past:
                self.log(client, now, "direct", "expired", None, (Said(one.kind, one.ids),))
                self.tell(client, one, now)
            elif gate is not None:
                self.log(client, now, "direct", "suppressed", gate, (Said(one.kind, one.ids),))
                kept_back.append(one)
            else:
                going.append(one)
        for known in waits:
            on = local_day(known.actual.view.start, zone) if known.actual.booked and known.notify == "reminder" else None
            if on != (known.awaits and known.awaits.day):
                known.awaits = Awaits(on, now) if on is not None else None
        clear = self.clear(client)
        if instead := tuple(sorted(one.instead for one in chosen if one.instead is not None)):
            self.log(client, now, "direct", "suppressed", "same", (Said("cancelled", instead),))
        for one in kept_back:
            self.tell(client, one, now, heard=False)
        days: dict[date, list[Difference]] = {}
        for one in going:
            days.setdefault(local_day(one.start, zone), []).append(one)
        messages = [days[day] for day in sorted(days)] if len(days) <= 5 else [going]
        for message in messages:
            message.sort(key=lambda one: (not one.kind.endswith("cancelled"), one.start, one.ids[0]))
            said = tuple(Said(one.kind, one.ids) for one in message)
            text = [words(one, zone, clear(one, message)) for one in message]
            self.messages += 1
            for one in message:
                self.tell(client, one, now, message=Message(now, self.messages))
            fact = self.log(client, now, "direct", "sent", None, said, channel, text)
            views = [view for one in message for view in (one.was, one.now if one.kind != "cancelled" else None) if view]
            self.sent(client, Sms(fact, self.messages, max(view.start for view in views)))

    def clear(self, client: Client) -> Callable[[Difference, list[Difference]], bool]:
        """Whether a cancellation in a message is clear without times: each other appointment of its day is named beside it."""
        zone = self.zone(client)
        views = {known.last_told for known in client.known.values()} | {known.heard for known in client.known.values()}
        views |= {known.actual.view for known in client.known.values() if known.actual.booked and not known.silent}

        def is_clear(one: Difference, message: list[Difference]) -> bool:
            was = one.was
            assert was is not None
            named = [each for other in message if other.kind != "cancelled" for each in (other.was, other.now)]
            times = {each.times for each in [*named, was] if each}
            day = local_day(was.start, zone)
            return all(view.times in times for view in views if view and local_day(view.start, zone) == day)

        return lambda one, message: one.kind != "cancelled" or is_clear(one, message)

    # --- telling ---

    def days_of(self, one: Difference, zone: str) -> set[date]:
        """Choice: of a move both, or what moves from yesterday to this morning would wait until it is over."""
        now = None if one.kind.endswith("cancelled") else one.now
        return {local_day(view.start, zone) for view in (one.was, now) if view is not None}

    def tell(
        self, client: Client, one: Difference, now: datetime, heard: bool = True, message: Message | None = None
    ) -> None:  # fmt: skip
        number = message.number if message is not None else 0
        if one.instead is not None:  # it is as if it had been that one until now
            was = client.known[one.instead]
            client.known[one.ids[0]].told = [each._replace(by=number) for each in was.told]
            was.told.append(Told(now, None, heard, message, number))
        for appointment in one.ids:
            known = client.known[appointment]
            known.told.append(Told(now, known.actual.view if known.actual.booked else None, heard, message, number))

    def urgent_days(self, client: Client, now: datetime) -> set[date]:
        """Days on which an appointment of the client begins within 24 hours, as it is or as the client thinks it is.

        Choice: as told counts too, or the cancellation of the next morning would wait until after it.
        """
        starts = {known.actual.view.start for known in client.known.values() if known.actual.booked}
        starts |= {known.last_told.start for known in client.known.values() if known.last_told}
        return {local_day(start, self.zone(client)) for start in starts if now <= start <= now + DAY}

    # --- reminders ---

    def remind(self, client: Client, together: dict[date, Moment], now: datetime) -> None:
        """What is due at one moment, those of several days in one message. Each is decided once, whatever becomes of it."""
        if client.window or client.held_until:
            self.decide(client, now)
        going: list[tuple[Said, str]] = []
        days: list[tuple[date, Reminded]] = []
        ends: list[datetime] = []
        self.messages += 1
        for day, moment in together.items():
            ids = self.reminder(client, day, moment, now)
            reminded = Reminded(moment.wall, now if ids else None)
            client.reminded.setdefault(day, []).append(reminded)
            if ids:
                for known in [client.known[each] for each in ids if client.known[each].silent]:
                    known.told.append(Told(now, known.actual.view, by=self.messages))  # the first to tell
                views = [client.known[each].actual.view for each in ids]
                going.append((Said("reminder", ids), reminder_words(views, self.zone(client), now)))
                days.append((day, reminded))
                ends += [*[view.start for view in views], at_local(day, hhmm("00:00"), self.zone(client)) + DAY]
        if going:
            said, text = zip(*going, strict=True)
            fact = self.log(client, now, "reminder", "sent", None, said, self.gate(client)[1], list(text))
            self.sent(client, Sms(fact, self.messages, max(ends), days))

    def reminder(self, client: Client, day: date, moment: Moment, now: datetime) -> tuple[str, ...]:
        """The appointments that one names; none where it does not go out."""
        so = self.so_on(client, day)
        present = [each for each in so if client.known[each].actual.present]
        named = [each for each in present if client.known[each].notify != "none"]
        ahead = [each for each in named or so if client.known[each].actual.view.start > now]
        if not any(self.told_before(client, each, day, moment.due) for each in ahead or named or so):
            return ()  # all that it would speak of was told only then
        gate, hours = self.gate(client)[0], timedelta(hours=moment.hours)
        none = (Said("reminder", ()),)
        if not ahead:
            self.log(client, now, "reminder", "expired", None, none)
        elif not named:
            self.log(client, now, "reminder", "suppressed", "notify" if present else "absent", none)
        elif gate is not None:
            self.log(client, now, "reminder", "suppressed", gate, none)
        elif any(each.went is not None and now - each.went < hours for each in client.reminded.get(day, [])):
            self.log(client, now, "reminder", "suppressed", "just_reminded", none)
        elif self.just_told(client, ahead, hours, now):
            self.log(client, now, "reminder", "suppressed", "just_told", none)
        else:
            return tuple(ahead)
        return ()

    def just_told(self, client: Client, speaks_of: list[str], hours: timedelta, now: datetime) -> bool:
        """Whether one message, sent within so many hours, said all of it as it is."""
        messages = set()
        for appointment in speaks_of:
            known = client.known[appointment]
            as_it_is = self.same(known.last_told, known.actual.view)
            messages.add(known.told[-1].message if known.told and as_it_is else None)
        message = messages.pop() if len(messages) == 1 else None
        return message is not None and now - message.at < hours

    # --- requests ---

    def ask(self, client: Client, waiting: Waiting, now: datetime) -> None:
        value, quiet = waiting.value, self.quiet_until(client, now)
        gate, channel = self.gate(client)
        said = (Said("request", ()),)
        if value.get("expires_at") and now > instant(value["expires_at"]):
            self.log(client, now, "request", "expired", None, said)
        elif quiet is not None:
            client.waiting.append(Waiting(quiet, value))
        elif gate is not None:
            self.log(client, now, "request", "suppressed", gate, said)
        else:
            fact = self.log(client, now, "request", "sent", None, said, channel)
            until = instant(value["expires_at"]) if value.get("expires_at") else None
            self.sent(client, Sms(fact, 0, until, request=Waiting(now, value)))

    # --- what did not arrive ---

    def sent(self, client: Client, sms: Sms) -> None:
        if sms.fact.channel == "sms":
            client.sms.append(sms)

    def take_report(self, client: Client, back: int, now: datetime) -> None:
        """The provider says of an SMS that its number takes none. Notes which, and none where it is not so simple."""
        sent = [sms for sms in client.sms if not sms.is_reported]
        sms = sent[-back] if back <= len(sent) else None
        in_time = sms is not None and nobody_can_have_it_in_time(sms, now)
        if sms is None or (in_time and not is_simple(client, sms, now)):
            self.reported.append(None)
            return
        self.reported.append(sms.fact)
        sms.is_reported = True
        refuse(client)
        said = sms.fact.said if sms.fact.reason == "direct" else (Said(sms.fact.reason, ()),)
        whats = [("failed", "report: delivery_failed/1"), *[("superseded", "rerouted")][: int(in_time)]]
        for status, detail in whats:
            for one in said:
                self.log(client, now, sms.fact.reason, status, detail, (one,))
        if in_time:
            take_back(client, sms)
            if sms.request is not None:
                client.waiting[-1].due = now
            elif not sms.days:
                client.window = client.window or Window(now, now)

    def log(
        self,
        client: Client,
        now: datetime,
        reason: str,
        status: str,
        detail: str | None,
        said: tuple[Said, ...],
        channel: str | None = None,
        text: list[str] | None = None,
    ) -> Fact:
        if text is not None and channel is not None:
            settings = self.organisations[client.organisation][channel]
            text = [each for each in (settings["before"], *text, settings["after"]) if each]
        whole = " ".join(text) if text is not None else None
        fact = Fact(now, client.organisation, client.name, reason, status, detail, channel, said, whole)
        self.facts.append(fact)
        return fact

    # --- intake ---

    def client(self, organisation: str, name: str) -> Client:
        return self.clients.setdefault((organisation, name), Client(organisation, name))

    def take(self, event: Event) -> None:
        """One event, after all that was due before it. Raises RefusedError."""
        match event.topic:
            case "appointments":
                self.take_appointment(event)
            case "organisations" | "organisation-overrides":
                self.take_settings(event)
            case "consents":
                self.client(*event.key.split("/")).consent = event.value
            case "contacts":
                client = self.client(*event.key.split("/"))
                before, client.contact = address_of(client), event.value
                heard_of_contact(client, before)
            case "delivery-reports":
                self.take_report(self.client(*event.key.split("/")), (event.value or {})["back"], event.at)
            case "opt-outs":
                if event.value is None:
                    raise RefusedError
                change = set.add if event.value["off"] else set.discard
                change(self.client(*event.key.split("/")).off, event.value["channel"])
            case "requests":
                self.take_request(event)

    def take_settings(self, event: Event) -> None:
        says = self.upstream if event.topic == "organisations" else self.overrides
        given = event.value or {}
        if given.get("time_zone", "UTC") not in ZONES or len(given.get("sms", {}).get("before", "")) > 200:
            raise RefusedError
        says[event.key] = event.value
        old, new = self.organisations.pop(event.key, None), self.upstream.get(event.key)
        if new is None:
            return
        own = self.overrides.get(event.key) or {}
        if "reminder" in own:
            new = {**new, "reminders": None}  # the organisation's one stands before upstream's list
        for name, value in own.items():
            new = {**new, name: {**new[name], **value} if name in ("sms", "email") else value}
        if old is None or timing(old) != timing(new):
            self.reminders_since[event.key] = event.at
        self.organisations[event.key] = new

    def take_request(self, event: Event) -> None:
        value = event.value
        if value is None or "http://" in value["text"]:
            raise RefusedError
        if value.get("send_at") and value.get("expires_at") and instant(value["expires_at"]) < instant(value["send_at"]):
            raise RefusedError  # Choice: it could never be sent.
        client = self.client(value["organisation"], value["client"])
        if (value["party"], value["request"]) in client.asked:
            return
        client.asked.add((value["party"], value["request"]))
        send_at = instant(value["send_at"]) if value.get("send_at") else event.at
        waiting = Waiting(max(send_at, event.at), value)
        if waiting.due == event.at:
            self.ask(client, waiting, event.at)
        else:
            client.waiting.append(waiting)

    def take_appointment(self, event: Event) -> None:
        last, value = self.revisions.get(event.key), event.value
        organisation, appointment = event.key.split("/")
        if value is None:
            if last is None or last.deleted:
                return
            new = Revision(last.number, True, {**last.value, "status": "cancelled"})
        else:
            if instant(value["end"]) < instant(value["start"]) or len(value["clients"]) > 1000:
                raise RefusedError
            left_out = [name for name in ("location", "kind", "replaces", "notify") if value.get(name) is None]
            for name, usual in (("kind", "on_site"), ("notify", "all")):
                value = {**value, name: None if value.get(name) == usual else value.get(name)}
            if value["status"] == "cancelled" and last is not None:  # what it leaves out is as it was
                value |= {name: last.value.get(name) for name in left_out}
            if last is not None and value["revision"] <= last.number:
                says = value if last.value.get("replaces") else {**value, "replaces": None}  # Choice: it may be said later
                if value["revision"] == last.number and not last.deleted and content(says) != content(last.value):
                    raise RefusedError
                return
            new = Revision(value["revision"], False, value)
        self.revisions[event.key] = new
        before = {each["client"]: each["present"] for each in last.value["clients"]} if last else {}
        same = last is not None and all(last.value.get(name) == new.value.get(name) for name in COMPARED)
        after = {each["client"]: each["present"] for each in new.value["clients"]}
        location = new.value.get("location")
        view = View(
            instant(new.value["start"]),
            instant(new.value["end"]),
            location["name"] if location and not new.value.get("kind") else None,
            new.value.get("series"),
            new.value.get("kind"),
        )
        booked = new.value["status"] == "booked"
        for name in sorted(before.keys() | after.keys()):
            if same and before.get(name) == after.get(name):
                continue
            client, replaces = self.client(organisation, name), tuple(new.value.get("replaces") or ())
            if client.window is not None and client.window.off and self.is_on(client):
                self.decide(client, event.at)
            notify = new.value.get("notify")
            if name in after:
                so = Is(booked, after[name], view)
            elif appointment not in client.known:
                continue
            else:
                # It is cancelled for who was taken off, who learns nothing else of it; that is told also if it was absent.
                so, replaces = Is(False, True, client.known[appointment].actual.view), ()
                notify = last.value.get("notify") if last is not None else None
            self.change(client, appointment, so, replaces, notify, event.at)

    def change(
        self, client: Client, appointment: str, so: Is, replaces: tuple[str, ...], notify: str | None, now: datetime
    ) -> None:  # fmt: skip
        known = client.known.get(appointment)
        if known is None:
            if not so.booked and not replaces:
                return  # Choice: what was never booked is nothing to this client.
            client.known[appointment] = Known(so, replaces, notify)
            if not so.booked:
                return  # it only stands between others
        else:
            known.replaces = replaces
            same = notify == known.notify and known.actual._replace(view=known.actual.view._replace(series=so.view.series)) == so
            known.actual, known.notify = so, notify
            known.changes += 1
            if same:
                return  # another series opens no window, but counts when one closes
        quiet, most = self.window_seconds(client)
        opened = client.window.opened if client.window else now
        off = client.window.off if client.window else client.organisation in self.organisations and not self.is_on(client)
        client.window = Window(opened, max(now, min(now + quiet, opened + most)), off)


def content(value: Json) -> tuple[object, ...]:
    """What an appointment says, whatever else stands in it."""
    location = value.get("location")
    return (
        value["status"], instant(value["start"]), instant(value["end"]), location["name"] if location else None,
        value.get("series"), value.get("kind"), value.get("replaces"), value.get("notify"),
        {each["client"]: each["present"] for each in value["clients"]},
    )  # fmt: skip


class Expected(NamedTuple):
    facts: list[Fact]
    refused: list[int]
    model: Model


def expected(events: Iterable[Event], until: datetime) -> Expected:
    """What the delivery log must say of these events up to and including `until`, and which of them (from 1) are refused."""
    model, refused = Model(), []
    for number, event in enumerate(events, 1):
        if event.at > until:
            break
        model.pass_to(event.at)
        try:
            model.take(event)
        except RefusedError:
            refused.append(number)
    model.pass_to(until)
    return Expected(model.facts, refused, model)
