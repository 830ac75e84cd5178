"""What must have been sent, from the input topics alone; and what is wrong with what was.

It shares no code with the stream processor: dates, sentences and gates are written here a second time, for as much as the crash
tests feed. While a message of a client flies his changes gather, so the notices must be a walk through the states of each
appointment, from nothing to the last. Of who is told nothing nothing flies: where the organisation's window is 0 every change is
a notice of its own, known one by one. What came back (`superseded`) was told to nobody, also where the provider took it first
and reported later that it did not arrive: that is at its provider, and was told to nobody. What others said since may start
from what such a message said, so there is no walk then: whoever reads what arrived must believe what is so in the end. Such a
client is told by any channel of his from then on.

What is allowed: a message is at its provider once for each `sent`, and once more at most for each `unknown` in the log. An SMS
that is `unknown` holds back what comes after it for the same client for ten minutes, so that may not be there yet.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip

State = tuple[datetime, datetime, str | None] | None
"""Start, end and location of an appointment as it is for a client; None: there is none."""

Log = Iterable[Mapping[str, Any]]


@dataclass
class Inputs:
    """The events, as far as they matter here."""

    organisations: dict[str, dict[str, Any]] = field(default_factory=dict)
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    appointments: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, records: Iterable[tuple[str, bytes, bytes]]) -> Inputs:
        """From topic, key and value of each record, in the order of its partition."""
        found = cls()
        for topic, key, value in records:
            event = json.loads(value)
            if topic == "appointments":
                found.appointments[key.decode()].append(event)
            else:
                getattr(found, topic)[key.decode()] = event
        return found


@dataclass(frozen=True)
class Expected:
    """A notice that must be decided: its kind and its one sentence."""

    kind: str
    text: str


@dataclass
class Message:
    """A message of the log, all its records together; `notice` is the one it has."""

    id: str
    notice: str
    kind: str
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def count(self, status: str) -> int:
        return sum(record["status"] == status for record in self.records)

    @property
    def text(self) -> str | None:
        """What the log says was sent."""
        return next((record["text"] for record in self.records if record["status"] == "sent"), None)

    @property
    def came_back(self) -> bool:
        """Whether nobody got it, and what is so was decided anew."""
        return self.count("superseded") > 0 and (self.is_dead or not self.count("sent")) and not self.count("unknown")

    @property
    def is_dead(self) -> bool:
        """Whether the provider took it, and reported later that it did not arrive."""
        return any((record["status"], record["detail"]) == ("superseded", "rerouted") for record in self.records) and any(
            record["status"] == "failed" and (record["detail"] or "").startswith("report: ") for record in self.records
        )

    @property
    def is_unsure(self) -> bool:
        """Whether it was perhaps taken, and not sent again: by then its number was known to take nothing."""
        ended = any((record["status"], record["detail"]) == ("suppressed", "contact_unconfirmed") for record in self.records)
        return ended and self.count("unknown") > 0

    @property
    def channel(self) -> str | None:
        """By which it went."""
        return next((record["channel"] for record in reversed(self.records) if record["channel"]), None)

    @property
    def statuses(self) -> str:
        return ", ".join(f"{record['status']} {record['attempt']}" for record in self.records)


# -- what must be said -------------------------------------------------------------------------------------------------


def long_day(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def period(start: datetime, end: datetime) -> str:
    assert start.date() == end.date(), "the crash tests have no nights"
    return f"{long_day(start)} van {start:%H:%M} tot {end:%H:%M}"


def states(revisions: Sequence[Mapping[str, Any]], client: str, zone: ZoneInfo) -> list[State]:
    """What is so for a client after each revision that counts."""
    found: list[State] = []
    last: int | None = None
    for event in revisions:
        if last is not None and event["revision"] <= last:
            continue
        last = event["revision"]
        there = event["status"] == "booked" and any(one["client"] == client for one in event["clients"])
        location = event["location"]["name"] if event["location"] else None
        start, end = (datetime.fromisoformat(event[name]).astimezone(zone) for name in ("start", "end"))
        found.append((start, end, location) if there else None)
    return found


def step(told: State, now: State) -> Expected | None:
    """The notice that brings a client from one state to another."""
    if now is None:
        return told and Expected("cancelled", f"Uw afspraak op {long_day(told[0])} is geannuleerd.")
    place = f" Locatie: {now[2]}." if now[2] else ""
    if told is None:
        return Expected("created", f"Er is een afspraak met u gemaakt op {period(*now[:2])}.{place}")
    if told[:2] != now[:2]:
        return Expected("moved", f"Uw afspraak op {period(*told[:2])} is verplaatst naar {period(*now[:2])}.{place}")
    if now[2] is not None and now[2] != told[2]:
        return Expected("relocated", f"De locatie van uw afspraak op {period(*now[:2])} is gewijzigd naar {now[2]}.")
    return None


def text_of(notice: Expected | None) -> str | None:
    return notice.text if notice is not None else None


def every_change(history: Iterable[State]) -> list[Expected]:
    """The notices where each change is told by itself."""
    notices = []
    told: State = None
    for now in history:
        if (notice := step(told, now)) is not None:
            notices.append(notice)
            told = now
    return notices


# -- what was said -----------------------------------------------------------------------------------------------------


class Verifier:
    """One look at all that happened. `sms`: number and text; `emails`: address, Message-ID and text, as providers got them."""

    def __init__(self, inputs: Inputs, log: Log, sms: Iterable[tuple[str, str]], emails: Iterable[tuple[str, str, str]]) -> None:
        self.inputs = inputs
        self.faults: list[str] = []
        self.sms = Counter(sms)
        self.emails: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for address, message_id, text in emails:
            self.emails[message_id.split("@")[0]].append((address, text))
        self.messages: dict[str, Message] = {}
        self.of: dict[tuple[str, str, str], list[Message]] = defaultdict(list)
        self._index(log)
        self.waiting = {
            (record["organisation"], record["client"])
            for message in self.messages.values()
            for record in message.records
            if record["channel"] == "sms" and record["status"] == "unknown"
        }
        """Clients with an SMS of which nobody knows: their later ones wait."""
        self.dead = {whose[:2] for whose, messages in self.of.items() if any(one.is_dead for one in messages)}
        """Clients whose number takes no SMS, as was reported later."""

    def _index(self, log: Log) -> None:
        """The records by message, each counted once, and the messages of each appointment in the order of decision."""
        seen: dict[tuple[str, int, str], Mapping[str, Any]] = {}
        for record in log:
            identity = (record["message"], record["attempt"], record["status"])
            if identity in seen:
                if seen[identity] != record:
                    self.faults.append(f"two records {identity} that differ")
                continue
            seen[identity] = record
            if len(record["notices"]) != 1:
                self.faults.append(f"{identity} has {len(record['notices'])} notices; the crash tests make one of each")
            notice = record["notices"][0]
            message = self.messages.get(record["message"])
            if message is None:
                message = self.messages[record["message"]] = Message(record["message"], notice["id"], notice["kind"])
                self.of[record["organisation"], record["client"], notice["appointment"]].append(message)
            message.records.append(record)
        notices = Counter(message.notice for message in self.messages.values() if not message.came_back)
        self.faults += [f"notice {id_} was told in {count} messages" for id_, count in notices.items() if count > 1]

    def verify(self) -> list[str]:
        """Everything that is wrong."""
        known = set()
        for key, revisions in self.inputs.appointments.items():
            organisation, appointment = key.split("/")
            settings = self.inputs.organisations[organisation]
            zone = ZoneInfo(settings["time_zone"])
            at_once = settings["window"]["quiet_seconds"] == 0
            for client in sorted({one["client"] for event in revisions for one in event["clients"]}):
                whose = (organisation, client, appointment)
                known.add(whose)
                self._gates(whose)
                check = self._one_by_one if at_once and self._gate(organisation, client)[1] is not None else self._walk
                messages = self.of.get(whose, [])
                self.faults += [f"{whose}: {one.id} came back and is at its provider" for one in messages if self._is_out(one)]
                for one in messages:
                    if one.is_dead:
                        self._at_provider(whose, one, one.text)
                if any(one.is_dead for one in messages):
                    check = self._believed
                check(whose, states(revisions, client, zone), [one for one in messages if not one.came_back])
        self.faults += [f"{whose}: notices of what never was" for whose in self.of if whose not in known]
        self.faults += [f"SMS {one}: received {count} times more than the log says" for one, count in self.sms.items() if count]
        self.faults += [f"e-mail {id_}: received and not in the log" for id_ in self.emails if id_ not in self.messages]
        return self.faults

    def _gates(self, whose: tuple[str, str, str]) -> None:
        """The client's channel and the messages' ends are those that the gates give."""
        channel, closed = self._gate(*whose[:2])
        ends = {"sent", "superseded"} | ({"unknown"} if channel == "sms" else set())
        for message in self.of.get(whose, []):
            name = f"{whose} {message.kind} {message.id}"
            if closed is not None:
                if [(one["status"], one["detail"]) for one in message.records] != [("suppressed", closed)]:
                    self.faults.append(f"{name}: not suppressed by {closed}: {message.statuses}")
                continue
            channels = self.inputs.consents["/".join(whose[:2])]["channels"] if whose[:2] in self.dead else [channel]
            if any(record["channel"] not in channels for record in message.records):
                self.faults.append(f"{name}: not by {channel}")
            if not any(record["status"] in ends for record in message.records):
                self.faults.append(f"{name}: it came to no end: {message.statuses}")
            reported = {"failed"} if message.is_dead else set()
            closed_since = {"suppressed"} if whose[:2] in self.dead and message.is_unsure else set()
            if odd := {record["status"] for record in message.records} - ends - {"unknown", "retrying"} - reported - closed_since:
                self.faults.append(f"{name}: {odd}")
            if message.count("sent") > 1:
                self.faults.append(f"{name}: sent more than once: {message.statuses}")

    def _is_out(self, message: Message) -> bool:
        """Whether an e-mail that came back was taken all the same; an SMS is left over in the end."""
        return message.came_back and not message.is_dead and bool(self.emails.get(message.id))

    def _gate(self, organisation: str, client: str) -> tuple[str | None, str | None]:
        """The channel of a client, or the gate that is closed."""
        consent = self.inputs.consents.get(f"{organisation}/{client}")
        if consent is None or not consent["notifications"] or not consent["channels"]:
            return None, "client_off"
        contact = self.inputs.contacts.get(f"{organisation}/{client}", {})
        for channel in consent["channels"]:
            if (contact.get(channel) or {}).get("confirmed"):
                return channel, None
        return None, "contact_unconfirmed"

    def _one_by_one(self, whose: tuple[str, str, str], history: list[State], messages: list[Message]) -> None:
        """The decided notices are exactly the expected ones, in order."""
        expected = every_change(history)
        kinds, wanted = [message.kind for message in messages], [one.kind for one in expected]
        missing = len(wanted) - len(kinds)
        if kinds != wanted[: len(kinds)] or (missing and whose[:2] not in self.waiting):
            self.faults.append(f"{whose}: the log has {kinds}, expected {wanted}")
            return
        for message, one in zip(messages, expected, strict=False):
            if message.text not in (None, one.text):
                self.faults.append(f"{whose}: {message.text!r}, expected {one.text!r}")
            self._at_provider(whose, message, one.text)

    def _walk(self, whose: tuple[str, str, str], history: list[State], messages: list[Message]) -> None:
        """Some way through the states, from nothing to the last one, tells exactly these notices.

        Where the log does not know a text, the way tells it. Of several ways the one counts that explains most of what arrived.
        """
        told: dict[tuple[State, int], tuple[str, ...]] = {(None, 0): ()}
        for now in history:
            for (was, taken), said in list(told.items()):
                notice = step(was, now) if taken < len(messages) else None
                if notice and notice.kind == messages[taken].kind and messages[taken].text in (None, notice.text):
                    longer, known = (*said, notice.text), told.get((now, taken + 1))
                    if known is None or self._arrived(whose, messages, longer) > self._arrived(whose, messages, known):
                        told[now, taken + 1] = longer
        ended = {was: said for (was, taken), said in told.items() if taken == len(messages)}
        if whose[:2] not in self.waiting and history:
            ended = {was: said for was, said in ended.items() if step(was, history[-1]) is None}
        if not ended:
            kinds = [(message.kind, message.text) for message in messages]
            self.faults.append(f"{whose}: no way through {history} tells {kinds}")
            return
        best = max(ended.values(), key=lambda said: self._arrived(whose, messages, said))
        for message, text in zip(messages, best, strict=True):
            self._at_provider(whose, message, message.text or text)

    def _believed(self, whose: tuple[str, str, str], history: list[State], messages: list[Message]) -> None:
        """Whoever reads all that arrived, in order, believes what is so; each text says a change between what was so."""
        ways = {notice.text: now for was in (None, *history) for now in history if (notice := step(was, now)) is not None}
        for message in sorted(messages, key=lambda one: one.text is None):  # what the log has, then what may be left over of it
            self._at_provider(whose, message, message.text or self._left_over(whose, ways))
        believed: list[tuple[datetime, datetime, str | None]] = []
        for message in messages:
            if message.text is None:
                return  # nobody knows what it said, if it arrived
            if message.text not in ways:
                self.faults.append(f"{whose}: {message.text!r} says no change of {history}")
                return
            now = ways[message.text]
            believed = [
                was for was in believed if text_of(step(was, now)) != message.text and (now is None or was[:2] != now[:2])
            ]  # fmt: skip
            believed += [now] if now is not None else []
        so = history[-1] if history else None
        if whose[:2] not in self.waiting and (
            len(believed) != (so is not None) or any(step(was, so) is not None for was in believed)
        ):
            self.faults.append(f"{whose}: {believed} is believed, {so} is so: {[one.text for one in messages]}")

    def _left_over(self, whose: tuple[str, str, str], texts: Iterable[str]) -> str | None:
        """One of these texts that is at the SMS provider and that no message of the log has."""
        return next((text for text in texts if self.sms[self._address(whose, "sms"), text] > 0), None)

    def _arrived(self, whose: tuple[str, str, str], messages: list[Message], said: tuple[str, ...]) -> int:
        """How many of these texts, as far as the log does not have them, are at a provider."""
        unknown = [(message, text) for message, text in zip(messages, said, strict=False) if message.count("unknown")]
        mails = sum(any(body.startswith(text) for _, body in self.emails.get(message.id, [])) for message, text in unknown)
        return mails + sum(self.sms[self._address(whose, "sms"), text] > 0 for _, text in unknown)

    def _at_provider(self, whose: tuple[str, str, str], message: Message, text: str | None) -> None:
        """A message is at its provider as often as the log says."""
        channel, closed = self._gate(*whose[:2])
        if closed is not None:
            return  # nothing was sent: what arrived all the same is left over in the end
        channel = message.channel or channel
        sent, most = message.count("sent"), message.count("sent") + message.count("unknown")
        if channel == "email":
            got = self.emails.get(message.id, [])
            count = len(got)
            to = self._address(whose, "email")
            for address, body in got:
                if address != to or (text is not None and not body.startswith(text)):
                    self.faults.append(f"{whose}: e-mail {body!r} to {address}, expected {text!r} to {to}")
        else:
            one = (self._address(whose, "sms"), text or "")
            count = min(self.sms[one], most)
            self.sms[one] -= count  # what is left over is said in the end
        if not sent <= count <= most:
            self.faults.append(f"{whose}: {message.kind} {count} times at its provider, the log has {message.statuses}")

    def _address(self, whose: tuple[str, str, str], channel: str) -> str:
        contact = self.inputs.contacts[f"{whose[0]}/{whose[1]}"][channel]
        return str(contact["number" if channel == "sms" else "address"])


def verify(
    inputs: Iterable[tuple[str, bytes, bytes]], log: Log, sms: Iterable[tuple[str, str]], emails: Iterable[tuple[str, str, str]]
) -> list[str]:
    """Everything that is wrong, a sentence each.

    Args:
        inputs: topic, key and value of the events, in the order of their partitions.
        log: the records of delivery-log in the order of their partitions, repeated ones included.
        sms: number and text, as the provider got them.
        emails: address, Message-ID and text.
    """
    return Verifier(Inputs.of(inputs), log, sms, emails).verify()
