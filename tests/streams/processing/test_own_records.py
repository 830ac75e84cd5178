"""Records of our own topics that nobody should have written: each is set aside, changes nothing, and the next one is handled."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any, get_args

import msgspec
import pytest

from schemas.events import (
    AgendaChange,
    AppointmentEvent,
    Bounce,
    ClientEvent,
    Erased,
    EventBody,
    Forget,
    KnownContact,
    KnownPeople,
    Landed,
    View,
)
from schemas.holds import Hold, Urgent
from schemas.inputs import Consent, OptOut, Organisation, OrganisationOverride, Request
from schemas.topics import LEDGERS
from schemas.wire import encode
from streams.employees.employees import Employees
from streams.intake.intake import Intake
from streams.notices.notices import Notices
from streams.processing.own_records import body_of
from streams.processing.turn import Decision, Output, Record, Result, Turn
from streams.sending.sender import Sending
from tests.streams.sending.test_reports import report
from tests.streams.sending.test_sending import SENT, desk
from tests.world import World, at, organisation

NOW = at("2026-03-02 09:00")
IDS: dict[str, Any] = {"organisation": "zorg", "client": "anna"}
CONSENT = {**IDS, "notifications": True, "channels": ["sms"]}
REQUEST = {**IDS, "request": "r", "party": "p", "text": "t"}
VIEW = {"start": "2026-04-17T11:15:00Z", "end": "2026-04-17T12:15:00Z"}
VISIT = {"appointment": "a", "revision": 1, "booked": True, "present": True, "view": VIEW}
NOTICE = {"id": "n", "kind": "created", "appointment": "a", "now": VIEW}
DELIVERY = {
    **IDS, "message": "m", "channel": "sms", "reason": "direct", "decided": "2026-03-02T08:00:00Z", "notices": [NOTICE],
}  # fmt: skip
DEEP = (  # Python 3.14 goes as deep as its stack has room
    b'{"organisation":"zorg","client":"anna","x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"
)
MOST = 2**63 - 1
ZONELESS = "Expected `datetime` with a timezone component - at `$.appointment.view.end`"
WHOSE = "it is of a client where it must be of an organisation, or the other way round"
OTHERS = "it holds what is of another client, or of another organisation"
NOT_UTF8 = b'{"organisation":"zorg","client":"\xff"}'


def value(base: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**base, **changes}).encode()  # it writes any number


def event(**fields: Any) -> bytes:
    return value(IDS, **fields)


def of_organisation(**fields: Any) -> bytes:
    return value({"organisation": "zorg"}, **fields)


JUNK: list[tuple[bytes | None, bytes | None, str]] = [
    (b"zorg/anna", b"", "Input data was truncated"),
    (b"zorg/anna", b"junk", "JSON is malformed: invalid character (byte 0)"),
    (b"zorg/anna", b"[]", "Expected `object`, got `array`"),
    (b"zorg/anna", b"null", "Expected `object`, got `null`"),
    (b"zorg/anna", NOT_UTF8, "it is not UTF-8"),
    (b"zorg/anna", DEEP, "it is nested too deeply"),
]


def visit(**view: str) -> bytes:
    return event(appointment={**VISIT, "view": {**VIEW, **view}})


KEY = "the key does not match the value"
EVENTS: list[tuple[bytes | None, bytes | None, str]] = [
    *JUNK,
    (b"zorg/anna", None, "a value is missing: null is not allowed here"),
    (b"zorg/bram", event(consent=CONSENT), KEY),
    (b"zorg", event(consent=CONSENT), KEY),
    (None, event(consent=CONSENT), KEY),
    (b"\xff\xfe", event(consent=CONSENT), KEY),
    (b"zorg/a/b", value({**IDS, "client": "a/b"}, forget="consent"), KEY),
    (b"/anna", value({**IDS, "organisation": ""}, forget="consent"), KEY),
    (b"zorg/anna", event(), "it has no kind of event that this version knows"),
    (b"zorg/anna", event(tomorrows_kind={}), "it has no kind of event that this version knows"),
    (b"zorg/anna", event(consent=CONSENT, forget="contact"), "it has several kinds of event"),
    (b"zorg/anna", event(forget="all"), "Invalid enum value - at `$.forget`"),
    (b"zorg/anna", event(consent={**CONSENT, "organisation": "elders"}), OTHERS),
    (b"zorg/anna", event(request={**REQUEST, "client": "bram"}), OTHERS),
    (b"zorg", of_organisation(forget="consent"), WHOSE),
    (b"zorg/anna", event(forget="settings"), WHOSE),
    (b"zorg", of_organisation(settings=organisation(time_zone="Mars/Base")), "unknown time zone - at `$.settings.time_zone`"),
    (b"zorg/anna", event(appointment={**VISIT, "revision": 2**63}), f"Expected `int` <= {MOST} - at `$.appointment.revision`"),
    (b"zorg/anna", visit(start="0001-01-01T00:00:00+14:00"), "the year must be 1970 to 2199 - at `$.start`"),
    (b"zorg/anna", visit(end="2026-04-17T12:15:00"), ZONELESS),
    (b"zorg/anna", event(written=10**30, appointment=VISIT), f"Expected `int` <= {MOST} - at `$.written`"),
]  # fmt: skip

DELIVERIES: list[tuple[bytes | None, bytes | None, str]] = [
    *JUNK,
    (b"zorg", None, "the key does not have 2 ids joined by '/'"),
    (b"zorg/", None, "the key does not have 2 ids joined by '/'"),
    (b"zorg/anna/m", None, "not a recipient - at `$.recipient`"),
    (b"zorg/anna/p:", None, "not a recipient - at `$.recipient`"),
    (b"zorg/anna/p:moeder/m", None, "the key does not have 3 ids joined by '/'"),
    (b"\xff/anna", None, "the key is not UTF-8"),
    (None, None, "the key does not have 2 ids joined by '/'"),
    (b"zorg/bram", value(DELIVERY), KEY),
    (b"zorg/anna", value(DELIVERY, channel="email"), "it is of another channel - at `$.channel`"),
    (b"zorg/anna", value(DELIVERY, message="m/n"), "not a message's id - at `$.message`"),
    (b"zorg/anna", value(DELIVERY, notices=[]), "it tells nothing - at `$.notices`"),
    (b"zorg/anna", value(DELIVERY, reason="request"), "a request is missing, or there is one too many - at `$.request`"),
    (b"zorg/anna", value(DELIVERY, useful_until="9999-12-31T23:59:59Z"), "the year must be 1970 to 2199 - at `$.useful_until`"),
]

NOTED = {**IDS, "message": "m", "attempt": 1, "status": "delivered", "at": "2026-03-02T09:00:00Z"}
REPORTS: list[tuple[bytes | None, bytes | None, str]] = [
    *JUNK,
    (b"zorg/anna", None, "a value is missing: null is not allowed here"),
    (b"zorg/bram", value(NOTED), KEY),
    (b"zorg/anna", value(NOTED, parts=10**30), f"Expected `int` <= {MOST} - at `$.parts`"),
    (b"zorg/anna", value(NOTED, at="9999-12-31T23:59:59-14:00"), "the year must be 1970 to 2199 - at `$.at`"),
]


def set_aside(decision: Decision, topic: str, key: bytes | None, value: bytes | None, reason: str) -> None:
    """The decision set aside this record, and did nothing else."""
    place = (("topic", topic.encode()), ("partition", b"0"), ("offset", b"7"), ("written", b"0"))
    assert decision.outputs == [Output("dead-letters", key, value, headers=(*place, ("reason", reason.encode())))]
    assert decision.remarks == [f"set aside {topic}/0, offset 7: {reason}"]
    assert decision.tally == {("poison", topic): 1}
    assert (decision.rows, decision.calls, decision.scrub) == ({}, [], set())


@pytest.mark.parametrize(("key", "junk", "reason"), EVENTS, ids=[row[2] for row in EVENTS])
def test_a_client_event_that_cannot_be_used_is_set_aside_and_the_next_one_is_handled(
    key: bytes | None, junk: bytes | None, reason: str
) -> None:
    rows: MutableMapping[bytes, bytes] = {}
    processor = Notices(0, rows)
    bad, good = Record("client-events", 0, 7, key, junk), Record("client-events", 0, 8, b"zorg/anna", event(consent=CONSENT))
    decision = processor.decide(Turn(NOW, [bad, good]))
    assert list(decision.rows) == [b"consents/zorg/anna"]
    assert decision.taken == 2
    decision.rows.clear()
    set_aside(decision, "client-events", key, junk, reason)


@pytest.mark.parametrize(("key", "junk", "reason"), DELIVERIES, ids=[row[2] for row in DELIVERIES])
def test_a_delivery_that_cannot_be_used_is_set_aside_and_the_next_one_waits(
    key: bytes | None, junk: bytes | None, reason: str
) -> None:
    processor = Sending("sms", LEDGERS["sms"], 0, {}, Notices(0, {}), Employees(0, {}, Notices(0, {})))
    bad, good = Record("deliveries-sms", 0, 7, key, junk), Record("deliveries-sms", 0, 8, b"zorg/anna", value(DELIVERY))
    decision = processor.decide(Turn(NOW, [bad, good]))
    assert list(decision.rows) == [b"ledger/zorg/anna/m"]
    decision.rows.clear()
    set_aside(decision, "deliveries-sms", key, junk, reason)


@pytest.mark.parametrize(("key", "junk", "reason"), REPORTS, ids=[row[2] for row in REPORTS])
def test_a_status_report_that_cannot_be_used_is_set_aside_and_the_next_one_is_heard(
    key: bytes | None, junk: bytes | None, reason: str
) -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00")
    one.turn("2026-03-02 09:00", results=[Result(call.key, SENT)])
    heard = Record("delivery-reports", 0, 8, b"zorg/anna", encode(report(call, "delivered")))
    decision = one.processor.decide(Turn(at("2026-03-02 09:01"), [Record("delivery-reports", 0, 7, key, junk), heard]))
    one.keep(decision)
    assert one.outcomes == [("sent", 1), ("delivered", 1)]
    assert decision.remarks == [f"set aside delivery-reports/0, offset 7: {reason}"]


def test_a_null_delivery_with_the_key_of_an_organisation_erases_none_of_its_clients() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    one.turn("2026-03-02 09:00", room=0)
    before = dict(one.rows)
    one.keep(one.processor.decide(Turn(NOW, [Record("deliveries-sms", 0, 7, b"zorg", None)])))
    assert before
    assert one.rows == before


@pytest.mark.parametrize(
    ("topic", "key", "tally"), [("client-events", b"zorg/anna", "poison"), ("consents", b"zorg/anna", "refused")]
)
def test_a_record_that_an_operator_has_skipped_is_set_aside_unread(topic: str, key: bytes, tally: str) -> None:
    processor = Notices(0, {}) if topic == "client-events" else Intake(4, {})
    value = event(consent=CONSENT) if topic == "client-events" else json.dumps(CONSENT).encode()
    decision = processor.decide(Turn(NOW, [Record(topic, 0, 7, b"zorg/anna", value)], skipped={(topic, 0, 7), (topic, 1, 8)}))
    assert [(output.topic, output.value, dict(output.headers)["reason"]) for output in decision.outputs] == [
        ("dead-letters", value, b"an operator has it skipped")
    ]
    assert (decision.taken, decision.rows, decision.tally) == (1, {}, {(tally, topic): 1})


BODIES: dict[str, Any] = {
    "appointment": AppointmentEvent(
        appointment="a",
        revision=1,
        booked=True,
        present=True,
        view=View(start=at("2026-04-17 13:15"), end=at("2026-04-17 14:15")),
    ),
    "consent": Consent(**IDS, notifications=True, channels=["sms"]),
    "contact": KnownContact(organisation="zorg", client="anna"),
    "opt_out": OptOut(**IDS, channel="sms", off=True, source="client"),
    "settings": msgspec.convert(organisation(), Organisation),
    "override": OrganisationOverride(organisation="zorg"),
    "request": msgspec.convert(REQUEST, Request),
    "forget": "consent",
    "bounce": Bounce("sms", "mark"),
    "erased": Erased(),
    "outcome": Landed(message="m", became="out"),
    "agenda": AgendaChange(()),
    "hold": Hold(organisation="zorg", at=at("2026-03-02 09:00")),
    "urgent": Urgent(client="anna", at=at("2026-03-02 09:00"), messages=1),
    "people": KnownPeople(organisation="zorg", client="anna"),
}
"""A value of each member of an event that says something."""


@pytest.mark.parametrize(
    "member", [name for name in ClientEvent.__struct_fields__ if name not in ("organisation", "client", "recipient", "written")]
)
def test_whatever_an_event_says_is_its_body(member: str) -> None:
    body = body_of(ClientEvent(**{"organisation": "zorg", member: BODIES[member]}))
    assert body == (Forget("consent") if member == "forget" else BODIES[member])
    assert type(body) in get_args(EventBody)


def test_a_fault_of_ours_names_the_record_that_it_met() -> None:
    class Broken(Notices):
        def _take_request(self, *_: Any, **__: Any) -> Any:
            raise LookupError("a fault")

    processor = Broken(0, {})
    wanted = Record("client-events", 0, 8, b"zorg/anna", event(request=REQUEST))
    with pytest.raises(LookupError) as raised:
        processor.decide(Turn(NOW, [Record("client-events", 0, 7, b"zorg/anna", event(consent=CONSENT)), wanted]))
    assert raised.value.__notes__ == ["at client-events/0, offset 8"]


def test_what_our_own_nodes_write_is_never_set_aside() -> None:
    """Every kind of event and delivery, through the whole graph; `simulate` raises what is set aside."""
    world = World().settings().override(notifications=True).consent().contact().opt_out(off=False)
    world.book("2026-04-17 13:15").request().wait("2026-03-03 09:00")
    world.feed("erasures", "zorg/anna", {**IDS, "at": "2026-03-03T09:00:00Z"})
    for topic, key in (
        ("consents", "zorg/anna"),
        ("contacts", "zorg/anna"),
        ("organisation-overrides", "zorg"),
        ("organisations", "zorg"),
    ):
        world.feed(topic, key, None)
    assert world.refused == []
