"""Histories of events for the model: small id spaces, awkward moments, both clock changes.

A history is drawn as a list of small choices and made into events by `build`, so that it shrinks to something readable.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from tests.model.naive import Event
from tests.model.naive_state import Json
from tests.model.naive_words import at_local, local_day

ZONES = ("Europe/Amsterdam", "Australia/Lord_Howe")
FIRST_DAYS = (
    date(2026, 6, 10),
    date(2026, 3, 28),  # the night in which Amsterdam skips 02:30
    date(2026, 10, 24),  # and has it twice
    date(2026, 4, 4),  # Lord Howe has 01:30 to 02:00 twice
    date(2026, 10, 3),  # and skips 02:00 to 02:30
    date(2026, 12, 30),
)
ORGANISATIONS = ("o", "p")
CLIENTS = ("c", "d")
ADDRESS = {"sms": ("number", "+3161234567"), "email": ("address", "naam@voorbeeld.example")}


class After(NamedTuple):
    """Some seconds after the event before."""

    seconds: int


class Next(NamedTuple):
    """The next time that the clocks of a zone show this, or some seconds from there."""

    wall: str
    zone: str
    seconds: int


class Booking(NamedTuple):
    when: After | Next
    organisation: str
    appointment: str
    revision: int  # on top of the last one
    booked: bool
    day: int
    wall: str
    hours: float
    location: str | None
    clients: tuple[tuple[str, bool], ...]
    series: str | None
    kind: str | None = None
    replaces: tuple[str, ...] = ()
    notify: str | None = None


class Deletion(NamedTuple):
    when: After | Next
    organisation: str
    appointment: str


class Consent(NamedTuple):
    when: After | Next
    organisation: str
    client: str
    notifications: bool
    channels: tuple[str, ...] | None


class Contact(NamedTuple):
    when: After | Next
    organisation: str
    client: str
    sms: bool
    email: bool


class OptOut(NamedTuple):
    when: After | Next
    organisation: str
    client: str
    channel: str
    off: bool


class Settings(NamedTuple):
    when: After | Next
    organisation: str
    notifications: bool
    window: tuple[int, int]
    reminder: tuple[int, str, int] | None
    quiet: tuple[str, str] | None
    bad: bool


class Override(NamedTuple):
    """What an organisation lays over upstream's settings; None takes it all back."""

    when: After | Next
    organisation: str
    fields: Json | None


class Request(NamedTuple):
    when: After | Next
    organisation: str
    client: str
    request: str
    send_in: int | None
    expires_in: int | None
    link: str


class Report(NamedTuple):
    """The provider reports of one of the last SMS to a client that its number takes none."""

    when: After | Next
    organisation: str
    client: str
    back: int


class Again(NamedTuple):
    """An event that was there before, once more."""

    when: After | Next
    back: int


Step = Booking | Deletion | Consent | Contact | OptOut | Settings | Override | Request | Report | Again


class History(NamedTuple):
    first_day: date
    zones: tuple[str, str]
    steps: tuple[Step, ...]
    wait: int

    @property
    def events(self) -> list[Event]:
        return build(self)

    @property
    def until(self) -> datetime:
        events = self.events
        return (events[-1].at if events else start(self)) + timedelta(seconds=self.wait)


WALLS = ("11:00", "11:00", "07:30", "00:00", "01:45", "02:30", "18:00", "23:30")
_seconds = st.sampled_from((0, 0, 0, 0, 1, 10, 10, 29, 30, 31, 90, 120, 600, 3600, 5 * 3600, 11 * 3600, 24 * 3600))
_edge = st.sampled_from(("18:00", "09:00", "22:00", "07:00", "02:30", "00:00", "11:00"))
_when: st.SearchStrategy[After | Next] = st.one_of(
    st.builds(After, _seconds),
    st.builds(After, _seconds),
    st.builds(Next, _edge, st.sampled_from(ZONES), st.sampled_from((0, 0, -1, -10, -30, 10))),
)
_organisation = st.sampled_from(("o", "o", "o", "p"))
_client = st.sampled_from(("c", "c", "d"))
_mostly = st.sampled_from((True, True, True, True, True, False))
_present = (("c", True),)
_clients = st.sampled_from((
    (("c", True),), (("c", True),), (("c", True),), (("c", True), ("d", True)), (("d", True),),
    (("c", False),), (("c", False), ("d", True)), (),
))  # fmt: skip
_kind = st.sampled_from((None, None, None, None, "on_site", "phone", "video", "home"))
_replaces = st.sampled_from(((), (), (), (), (), ("a",), ("b",), ("e",), ("a", "b"), ("e", "a", "b")))
_notify = st.sampled_from((None, None, None, None, None, "all", "reminder", "reminder", "none"))
_day = st.sampled_from((1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 0, -1))

bookings = st.builds(
    Booking, _when, _organisation, st.sampled_from(("a", "a", "b", "b", "e", "f", "g", "h")),
    st.sampled_from((1, 1, 1, 1, 1, 2, 0, -1)), _mostly, _day, st.sampled_from(WALLS), st.sampled_from((0.75, 0.75, 24, 10)),
    st.sampled_from((None, None, "De Linde", "Kamer 2")), _clients, st.none(), _kind, _replaces, _notify,
)  # fmt: skip
deletions = st.builds(Deletion, _when, _organisation, st.sampled_from(("a", "b", "e")))
_channels = st.sampled_from((("sms",), ("email",), ("sms", "email"), ("email", "sms"), (), None))
consents = st.builds(Consent, _when, _organisation, _client, _mostly, _channels)
contacts = st.builds(Contact, _when, _organisation, _client, _mostly, st.booleans())
opt_outs = st.builds(OptOut, _when, _organisation, _client, st.sampled_from(("sms", "email")), st.booleans())
WINDOWS = ((30, 120), (30, 120), (0, 0), (30, 45), (600, 900), (60, 10))
REMINDERS = (
    (1, "18:00", 12), (1, "18:00", 0), (2, "09:00", 0), (0, "07:00", 12), (1, "02:30", 1), (1, "23:30", 168), (0, "11:00", 0),
    None,
)  # fmt: skip
QUIETS = (None, None, ("22:00", "07:00"), ("11:00", "18:00"), ("00:00", "02:30"), ("02:30", "09:00"))
settings = st.builds(
    Settings, _when, _organisation, _mostly, st.sampled_from(WINDOWS), st.sampled_from(REMINDERS), st.sampled_from(QUIETS),
    st.sampled_from((False, False, False, True)),
)  # fmt: skip
overrides = st.builds(
    Override, _when, _organisation,
    st.none() | st.fixed_dictionaries({}, optional={
        "notifications": _mostly,
        "reminder": st.sampled_from(REMINDERS).map(
            lambda said: said and {"days_before": said[0], "at": said[1], "not_within_hours": said[2]}
        ),
        "quiet_hours": st.sampled_from(QUIETS).map(lambda said: said and {"from": said[0], "until": said[1]}),
        "sms": st.sampled_from(({"before": "Zelf."}, {"after": "Tot dan!"}, {"before": "x" * 201}, {})),
        "email": st.sampled_from(({"before": ""}, {"subject": "Zelf"})),
    }),
)  # fmt: skip
requests = st.builds(
    Request, _when, _organisation, _client, st.sampled_from(("r", "r", "q", "x", "y")),
    st.sampled_from((None, None, -60, 0, 60, 3600, 12 * 3600)), st.sampled_from((None, None, 0, 30, 60, 7200, 24 * 3600)),
    st.sampled_from(("", "https://v.example/1", "http://v.example/1")),
)  # fmt: skip
again = st.builds(Again, _when, st.integers(1, 6))

steps: st.SearchStrategy[Step] = st.one_of(
    bookings, bookings, bookings, bookings, deletions, consents, contacts, opt_outs, settings, overrides, requests, again, again
)


def _near_moments() -> st.SearchStrategy[After | Next]:
    return st.one_of(
        st.builds(After, st.sampled_from((0, 1, 10, 20, 30, 60, 3600))),
        st.builds(Next, _edge, st.just(ZONES[0]), st.sampled_from((0, -1, -10, -20, -30, 10))),
        st.builds(Next, st.sampled_from(("18:00", "09:00")), st.just(ZONES[0]), st.sampled_from((0, -1, -10, -20, -30, 10))),
    )


def near_bookings(organisation: str = "o") -> st.SearchStrategy[Booking]:
    """Three appointments of one client, around the due moments of one organisation."""
    return st.builds(
        Booking, _near_moments(), st.just(organisation), st.sampled_from(("a", "b", "e")), st.just(1),
        st.sampled_from((True, True, True, False)), st.sampled_from((1, 1, 2, 2, 0, 3)), st.sampled_from(WALLS), st.just(0.75),
        st.sampled_from((None, "De Linde", "Kamer 2")),
        st.sampled_from((_present, _present, _present, _present, (("c", False),), ())), st.none(), _kind, _replaces, _notify,
    )  # fmt: skip


def near(organisation: str = "o") -> st.SearchStrategy[Step]:
    """Those, with little else."""
    one, when = near_bookings(organisation), _near_moments()
    own = overrides.map(lambda step: step._replace(organisation=organisation))
    other = st.builds(
        Settings, when, st.just(organisation), _mostly, st.sampled_from(WINDOWS), st.sampled_from(REMINDERS),
        st.sampled_from(QUIETS), st.just(False),
    )  # fmt: skip
    yes = st.builds(Consent, when, st.just(organisation), st.just("c"), _mostly, st.just(("sms",)))
    return st.one_of(one, one, one, one, one, other, own, yes)


def serial(organisation: str = "o") -> st.SearchStrategy[Step]:
    """The occurrences of one series of one client, made, moved and cancelled in bulk."""
    when = st.builds(After, st.sampled_from((0, 0, 0, 0, 1, 30, 60, 3600, 24 * 3600)))
    one = st.builds(
        Booking, when, st.just(organisation), st.sampled_from(("a", "b", "e", "f", "g")), st.just(1),
        st.sampled_from((True, True, True, False)), st.sampled_from((1, 2, 3, 4, 5, 6, 7, 0)),
        st.sampled_from(("11:00", "11:00", "11:00", "11:00", "07:30")), st.just(0.75),
        st.sampled_from((None, None, None, "De Linde")),
        st.sampled_from((_present, _present, _present, _present, _present, (("c", False),), ())), st.just("s"),
        st.sampled_from((None, None, None, None, None, "phone")), st.just(()), st.none(),
    )  # fmt: skip
    return st.one_of(one, one, one, one, one, one, one, near(organisation))


def openings() -> st.SearchStrategy[tuple[Step, ...]]:
    """What is known before the first appointment: mostly all that is needed to send something."""
    now = After(0)
    return st.builds(
        lambda *each: tuple(one for some in each for one in some),
        st.builds(
            lambda window, reminder, quiet: tuple(
                Settings(now, name, True, window, reminder, quiet, False) for name in ORGANISATIONS
            ),
            st.sampled_from(WINDOWS), st.sampled_from(REMINDERS), st.sampled_from(QUIETS),
        ),
        st.sampled_from((("sms",), ("email", "sms"))).map(
            lambda channels: tuple(Consent(now, o, c, True, channels) for o in ORGANISATIONS for c in CLIENTS)
        ),
        _mostly.map(lambda sms: tuple(Contact(now, o, c, sms, True) for o in ORGANISATIONS for c in CLIENTS)),
    )  # fmt: skip


def histories(step: st.SearchStrategy[Step] = steps, most: int = 18) -> st.SearchStrategy[History]:
    return st.builds(
        History,
        st.sampled_from(FIRST_DAYS),
        st.sampled_from(((ZONES[0], ZONES[1]), (ZONES[1], ZONES[0]), (ZONES[0], ZONES[0]))),
        st.builds(lambda opening, rest: (*opening, *rest), openings(), st.lists(step, min_size=4, max_size=most)),
        st.sampled_from((9 * 24 * 3600, 9 * 24 * 3600, 24 * 3600, 600, 30, 0)),
    )


def of_series(most: int = 14) -> st.SearchStrategy[History]:
    """Histories of a series, most of them with one that was told as such, or after as many single ones as days."""

    def told(history: History, occurrences: str, series: str | None) -> History:
        opening = sum(not isinstance(step, Booking) and step.when == After(0) for step in history.steps[:10])
        made = tuple(
            Booking(After(0), "o", id_, 1, True, day, "11:00", 0.75, None, _present, series)
            for day, id_ in enumerate(occurrences, 1)
        )
        return history._replace(steps=(*history.steps[:opening], *made, *history.steps[opening:]))

    openings = st.sampled_from((("", None), ("ab", "s"), ("abe", "s"), ("abefgh", "s"), ("abefg", None), ("abefgh", None)))
    return st.builds(lambda history, opening: told(history, *opening), histories(serial(), most), openings)


def busy(most: int = 24) -> st.SearchStrategy[History]:
    """Histories in which much is said to one client within minutes, and little stands in the way."""
    when = st.builds(After, st.sampled_from((0, 0, 1, 5, 30, 31, 60, 120, 600)))
    one = st.builds(
        Booking, when, st.just("o"), st.sampled_from(("a", "b", "e", "f", "g")), st.just(1),
        st.sampled_from((True, True, True, False)), st.sampled_from((2, 3, 4, 5, 6)),
        st.sampled_from(("11:00", "07:30", "18:00")),
        st.just(0.75), st.none(), st.sampled_from((_present, _present, _present, (("c", False),))), st.none(),
        _kind, _replaces, _notify,
    )  # fmt: skip
    asked = requests.map(lambda step: step._replace(when=After(1), organisation="o", client="c", send_in=None, expires_in=None))

    def open_to(history: History, window: tuple[int, int]) -> History:
        kept = tuple(
            step._replace(window=window, quiet=None) if isinstance(step, Settings) else
            step._replace(sms=True) if isinstance(step, Contact) else step
            for step in history.steps
        )  # fmt: skip
        return history._replace(steps=kept)

    windows = st.sampled_from(((0, 0), (0, 0), (5, 5), (30, 45)))
    return st.builds(open_to, histories(st.one_of(one, one, one, one, asked), most), windows)


def unheard(most: int = 14) -> st.SearchStrategy[History]:
    """Histories near the due moments of one client, who is told by SMS, and of whom reports come that some did not arrive.

    Then upstream may have other words of the number; else he is told by e-mail.
    """
    later = st.builds(After, st.sampled_from((0, 10, 60, 130, 130, 600, 3600, 8 * 3600, 24 * 3600)))
    report = st.builds(Report, later | _near_moments(), st.just("o"), st.just("c"), st.sampled_from((1, 1, 1, 2, 3)))
    contact = st.builds(Contact, later, st.just("o"), st.just("c"), st.booleans(), _mostly)
    asked = requests.map(lambda step: step._replace(organisation="o", client="c", send_in=None))
    booked = near_bookings().map(lambda step: step._replace(when=After(0), day=step.day + 1, booked=True, clients=_present))
    step = st.one_of(near(), near(), near(), report, report, report, contact, asked)
    both = ("sms", "email")

    def told(history: History, first: list[Booking]) -> History:
        steps = [
            each._replace(channels=both) if isinstance(each, Consent) else each._replace(sms=True)
            if isinstance(each, Contact) and each.when == After(0) else each for each in history.steps
        ]  # fmt: skip
        opening = sum(isinstance(each, Settings | Consent | Contact) and each.when == After(0) for each in steps[:10])
        return history._replace(steps=(*steps[:opening], *first, *steps[opening:]))

    return st.builds(told, histories(step, most), st.lists(booked, min_size=1, max_size=3))


def start(history: History) -> datetime:
    return datetime.combine(history.first_day, time(8), tzinfo=UTC)


def build(history: History) -> list[Event]:
    """The events of a history, in order of time."""
    events: list[Event] = []
    numbers: dict[str, int] = {}
    zones = dict(zip(ORGANISATIONS, history.zones, strict=True))
    now = start(history)
    for step in history.steps:
        now = moment(step.when, now)
        events.append(event(step, now, zones, numbers, events))
    return events


def moment(when: After | Next, now: datetime) -> datetime:
    if isinstance(when, After):
        return now + timedelta(seconds=when.seconds)
    day = local_day(now, when.zone)
    tries = (at_local(day + timedelta(days=n), time.fromisoformat(when.wall), when.zone) for n in range(3))
    return next(each for each in (one + timedelta(seconds=when.seconds) for one in tries) if each >= now)


def event(step: Step, now: datetime, zones: dict[str, str], numbers: dict[str, int], before: list[Event]) -> Event:
    if isinstance(step, Again):
        earlier = before[-step.back] if step.back <= len(before) else before[0]
        return earlier._replace(at=now)
    key = f"{step.organisation}/{getattr(step, 'client', getattr(step, 'appointment', ''))}"
    match step:
        case Booking():
            number = max(1, numbers.get(key, 0) + step.revision)
            numbers[key] = max(number, numbers.get(key, 0))
            return Event(now, "appointments", key, booking(step, number, now, zones[step.organisation]))
        case Deletion():
            return Event(now, "appointments", key, None)
        case Settings():
            return Event(now, "organisations", step.organisation, organisation(step, zones[step.organisation]))
        case Override():
            own = None if step.fields is None else {"organisation": step.organisation, **step.fields}
            return Event(now, "organisation-overrides", step.organisation, own)
        case Report():
            return Event(now, "delivery-reports", key, {"back": step.back})
        case Request():
            return Event(now, "requests", key, request(step, now))
        case OptOut():
            value: Json | None = {"channel": step.channel, "off": step.off, "source": "client"}
            topic = "opt-outs"
        case Contact():
            topic = "contacts"
            value = {
                channel: with_address(channel, step.client, yes) for channel, yes in (("sms", step.sms), ("email", step.email))
            }
        case Consent():
            topic = "consents"
            value = {"notifications": step.notifications, "channels": list(step.channels or ()), "source": "portal"}
            if step.channels is None:
                value = None
    return Event(now, topic, key, value and {"organisation": step.organisation, "client": step.client, **value})


def with_address(channel: str, client: str, confirmed: bool) -> Json:
    name, address = ADDRESS[channel]
    whole = f"{address}{CLIENTS.index(client)}" if channel == "sms" else f"{client}.{address}"
    return {name: whole, "confirmed": confirmed}


def booking(step: Booking, number: int, now: datetime, zone: str) -> Json:
    day = local_day(now, zone) + timedelta(days=step.day)
    begins = at_local(day, time.fromisoformat(step.wall), zone)
    ends = begins + timedelta(hours=step.hours)
    if step.hours == 24:
        ends = at_local(day + timedelta(days=1), time.fromisoformat(step.wall), zone)
    return {
        "organisation": step.organisation,
        "appointment": step.appointment,
        "revision": number,
        "status": "booked" if step.booked else "cancelled",
        "start": begins.isoformat(),
        "end": ends.isoformat(),
        "location": {"name": step.location} if step.location else None,
        "series": step.series,
        "kind": step.kind,
        "notify": step.notify,
        "replaces": list(step.replaces) or None,
        "clients": [{"client": client, "present": present} for client, present in step.clients],
    }


def organisation(step: Settings, zone: str) -> Json:
    return {
        "organisation": step.organisation,
        "name": f"Instelling {step.organisation}",
        "notifications": step.notifications,
        "time_zone": "Mars/Utopia" if step.bad else zone,
        "window": {"quiet_seconds": step.window[0], "max_seconds": step.window[1]},
        "reminder": {"days_before": step.reminder[0], "at": step.reminder[1], "not_within_hours": step.reminder[2]}
        if step.reminder
        else None,
        "quiet_hours": {"from": step.quiet[0], "until": step.quiet[1]} if step.quiet else None,
        "sms": {
            "originator": "Zorg",
            "before": f"Van {step.organisation}.",
            "after": "",
            "unit_price": "0.08",
            "currency": "EUR",
        },
        "email": {
            "from": "zorg@voorbeeld.example",
            "reply_to": None,
            "before": "Geachte,",
            "after": f"Groet van {step.organisation}",
        },
    }


def request(step: Request, now: datetime) -> Json:
    def in_seconds(seconds: int | None) -> str | None:
        return None if seconds is None else (now + timedelta(seconds=seconds)).isoformat()

    return {
        "organisation": step.organisation,
        "client": step.client,
        "request": step.request,
        "party": "roqua",
        "text": f"Er staat een vragenlijst klaar voor {step.client}. {step.link}".strip(),
        "subject": "Vragenlijst",
        "send_at": in_seconds(step.send_in),
        "expires_at": in_seconds(step.expires_in),
    }
