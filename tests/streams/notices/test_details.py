"""What only a reminder says of an appointment: whom it is with, what to prepare by, a link; and where it never is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agents.worker.wording import succeed, word
from schemas.deliveries import Delivery
from schemas.events import Details
from schemas.inputs import Organisation
from schemas.notices import Notice
from schemas.wire import check
from streams.sending.outcomes import Outcome, SendCall
from tests.renderers.samples import AT_13, SENT
from tests.renderers.samples import delivery as delivered
from tests.streams.notices.test_notify import THURSDAY, after_the_reminder, book, told
from tests.world import World, organisation

FIELDS = {
    "practitioner": "Anna de Vries", "instructions": "Neem uw medicijnen mee", "link": "https://video.linde.example/a?b=1&c",
}  # fmt: skip
EVENING = {"days_before": 1, "at": "18:00"}
ALL: dict[str, Any] = {"say": {"practitioner": True, "instructions": True}, "link_hosts": ["Video.linde.example"]}


def test_a_reminder_says_them_as_they_are_when_it_is_sent_and_nothing_else_does() -> None:
    world = World("2026-03-02 09:00", reminder=EVENING, **ALL)
    world.play([book(**FIELDS), book(rev=2, **FIELDS | {"practitioner": "Bram Smit"}), after_the_reminder])
    assert [status for status, *_ in told(world)] == ["sent", "sent"]  # a change of them is no news
    assert not any("Bram" in record or "Anna" in record for record in (orjson.dumps(one).decode() for one in world.log))
    details = world.agenda().appointments["a"].details
    assert details == Details(practitioner="Bram Smit", instructions=FIELDS["instructions"], link=FIELDS["link"])


SAID: list[tuple[str, str, dict[str, Any], str]] = [
    ("by default nothing", "email", {}, ""),
    ("whom it is with, in an SMS too", "sms", ALL, " U heeft de afspraak met Anna de Vries."),
    ("all of it in an e-mail", "email", ALL, "\nU heeft de afspraak met Anna de Vries.\nNeem uw medicijnen mee."
     "\nLink bij uw afspraak: https://video.linde.example/a?b=1&c"),
    ("a link of another host never", "email", {"link_hosts": ["linde.example"]}, ""),
    ("what to prepare by alone", "email", {"say": {"instructions": True}}, "\nNeem uw medicijnen mee."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "channel", "settings", "then"), SAID, ids=[row[0] for row in SAID])
def test_what_is_said(name: str, channel: Any, settings: dict[str, Any], then: str) -> None:
    delivery = delivered(reminder(**FIELDS), channel=channel)
    worded = word(call(delivery, settings))
    said = worded.sms.text if worded.sms is not None else worded.email.plain.strip() if worded.email is not None else ""
    assert said == f"U heeft een afspraak op 17 januari om 13:15.{then}"
    assert worded.text == "U heeft een afspraak op 17 januari om 13:15."


def reminder(**details: str) -> Notice:
    return Notice(id="n", kind="reminder", now=AT_13, appointment="a", details=Details(**details))


def call(delivery: Delivery, settings: dict[str, Any]) -> SendCall:
    counts = check(Organisation, organisation(**settings))
    return SendCall(delivery=delivery, organisation=counts, address="x", attempt=1, piece=0, now=SENT)


def test_a_link_is_a_link_in_html_and_what_a_name_holds_is_no_html() -> None:
    delivery = delivered(reminder(practitioner="A <b>", link=FIELDS["link"]), channel="email")
    worded = word(call(delivery, ALL))
    assert worded.email is not None
    assert "<p>U heeft de afspraak met A &lt;b&gt;.</p>" in worded.email.html
    assert '<a href="https://video.linde.example/a?b=1&amp;c">' in worded.email.html


def test_a_reminder_of_several_says_none_of_them() -> None:
    world = World("2026-03-02 09:00", reminder=EVENING, **ALL)
    texts: list[str] = []

    def remember(request: SendCall) -> Outcome:
        texts.append(sms.text if (sms := word(request).sms) is not None else "")
        return succeed(request)

    world.simulation.provider = remember
    world.play([book(**FIELDS), book("2026-03-05 15:00", id="b", **FIELDS), after_the_reminder])
    assert texts[-1] == "U heeft 2 afspraken op 5 maart om 11:00."


BAD = [
    ("practitioner", "x" * 101, "of length <= 100 - at `$.practitioner`"),
    ("practitioner", "zie linde.nl", "it must have no link - at `$.practitioner`"),
    ("instructions", "x" * 161, "of length <= 160 - at `$.instructions`"),
    ("instructions", "Kijk op https://linde.example", "it must have no link - at `$.instructions`"),
    ("instructions", 7, "Expected `str | null`, got `int` - at `$.instructions`"),
    ("link", "http://linde.example", "at `$.link`"),
    ("link", "https://anna@linde.example/", "at `$.link`"),
    ("link", "https://linde.example/\n", None),
    ("link", "https://linde.example/a b", "at `$.link`"),
    ("link", "javascript:alert(1)", "at `$.link`"),
    ("instructions", "Neem\nuw pas mee", None),
    ("instructions", " ", None),
    ("label", "a/b", "at `$.label`"),
    ("label", "Een hele tekst. " * 20, "of length <= 200 - at `$.label`"),
    ("label", {"id": "intake"}, "Expected `str | null`, got `object` - at `$.label`"),
    ("label", " ", None),
    ("series", "s" * 201, "of length <= 200 - at `$.series`"),
    ("series", 12, "Expected `str | null`, got `int` - at `$.series`"),
    ("series", "", None),
]


@pytest.mark.parametrize(("field", "value", "why"), BAD)
def test_one_that_cannot_be_used_is_set_aside_and_the_appointment_counts(field: str, value: Any, why: str | None) -> None:
    world = World().play([book(**{field: value})])
    assert [status for status, *_ in told(world)] == ["sent"]
    assert [why is not None and why in one for one in world.refused] == [True] * (why is not None)
    polled = {"appointment": "1", "start": "2026-03-06T11:00:00+01:00", "end": "2026-03-06T12:00:00+01:00", field: value}
    snapshot = {
        "organisation": "zorg", "client": "anna", "from": "2026-03-01T00:00:00+01:00", "to": "2026-04-01T00:00:00+02:00",
        "revision": 1, "appointments": [polled],
    }  # fmt: skip
    world.refused.clear()
    world.play([lambda world: world.feed("agenda-snapshots", "zorg/anna", snapshot)])
    assert [status for status, *_ in told(world)] == ["sent", "sent"]
    assert [f"appointments[0].{field}" in one for one in world.refused] == [True] * (why is not None)
    world.refused.clear()
    data = {
        "organisation": "zorg", "appointment": "c", "revision": 1, "status": "booked", "start": "2026-03-09T11:00:00+01:00",
        "end": "2026-03-09T12:00:00+01:00", "clients": [{"client": "anna", "present": True}], field: value,
    }  # fmt: skip
    event = {"specversion": "1.0", "id": "1", "source": "x" * 5000, "type": "appointment", "subject": 7, "data": data}
    world.play([lambda world: world.feed("appointments", "zorg/c", event)])
    assert [status for status, *_ in told(world)] == ["sent"] * 3
    assert [why is not None and why in one for one in world.refused] == [True] * (why is not None)


def test_another_link_at_the_same_revision_is_another_content() -> None:
    world = World().play([book(**FIELDS)]).book(THURSDAY, **FIELDS | {"link": "https://x.example/"})
    assert world.refused == ["same revision, other content"]
