"""Bad input: a clear error at its place, and the next good event is handled."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from agents.engine.state.outbox import by_destination, decode_outputs, encode_outputs
from agents.engine.transport.producer import MAX_APPEND
from schemas.topics import INPUTS
from streams.intake.intake import HANDLERS, Intake
from streams.processing.turn import EVERY, Decision, Record, Turn
from tests.world import appointment, at, organisation

NOW = at("2026-03-02 09:00")
HELD_AT = "2026-03-02T07:00:00Z"
GOOD = appointment("2026-04-17 13:15")
CONSENT = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "source": "ecd"}
CONTACT = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31612345678", "confirmed": True}, "email": None}
OPT_OUT = {"organisation": "zorg", "client": "anna", "channel": "sms", "off": True, "source": "link"}
REQUEST = {"organisation": "zorg", "client": "anna", "request": "r", "party": "p", "text": "t", "subject": None}
MANY = [{"client": f"c{number}", "present": True} for number in range(1001)]


def take(topic: str, key: bytes | None, value: bytes | None, processor: Intake | None = None) -> Decision:
    intake = processor or Intake(4, {})
    return intake.decide(Turn(NOW, [Record(topic, 0, 7, key, value)]))


def without(value: dict[str, Any], *path: str) -> dict[str, Any]:
    changed: dict[str, Any] = orjson.loads(orjson.dumps(value))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return changed


def settings(**changes: Any) -> bytes:
    return orjson.dumps(organisation(**changes))


def sms(**changes: Any) -> bytes:
    return settings(sms=organisation()["sms"] | changes)


def email(**changes: Any) -> bytes:
    return settings(email=organisation()["email"] | changes)


def own(**fields: Any) -> bytes:
    return orjson.dumps({"organisation": "zorg", **fields})


A, C, O = b"zorg/a", b"zorg/anna", b"zorg"  # noqa: E741  # the keys of the three kinds of topics

NO_TIMES = [
    ("0001-01-01T00:00:00+14:00", "the year must be 1970 to 2199 - at `$.at`"),
    ("9999-12-31T23:59:59-14:00", "the year must be 1970 to 2199 - at `$.at`"),
    ("9999-12-31T23:59:59Z", "the year must be 1970 to 2199 - at `$.at`"),
    ("2199-12-31T23:59:59Z", "more than a day ahead - at `$.at`"),
]
"""An erasure of such a moment would stop whoever reckons with it, or forget the client for ever."""

REFUSED: list[tuple[str, bytes | None, bytes | None, str]] = [
    ("appointments", A, b"{", "not JSON: unexpected end of data at line 1, column 2"),
    ("appointments", A, b"\xff\xfe", "not JSON: "),
    ("appointments", A, b"[]", "Expected `object`, got `array`"),
    ("appointments", A, orjson.dumps(GOOD | {"revision": "1"}), "Expected `int`, got `str` - at `$.revision`"),
    ("appointments", A, orjson.dumps(GOOD | {"revision": True}), "Expected `int`, got `bool` - at `$.revision`"),
    ("appointments", A, orjson.dumps(GOOD | {"status": "geheim"}), "Invalid enum value - at `$.status`"),
    ("appointments", A, orjson.dumps(without(GOOD, "start")), "Object missing required field `start`"),
    ("appointments", A, orjson.dumps(GOOD | {"location": {}}), "Object missing required field `name` - at `$.location`"),
    ("appointments", A, orjson.dumps(GOOD | {"start": "2026-04-17T13:15:00"}), "with a timezone component - at `$.start`"),
    ("appointments", A, orjson.dumps(GOOD | {"end": "2026-04-17T10:00:00Z"}), "the end is before the start - at `$.end`"),
    ("appointments", A, orjson.dumps(GOOD | {"end": "9999-12-31T23:59:59-12:00"}), "the year must be 1970 to 2199 - at `$.end`"),
    ("appointments", A, orjson.dumps(GOOD | {"clients": MANY}), "more than 1000 clients - at `$.clients`"),
    (
        "appointments",
        A,
        orjson.dumps(GOOD | {"clients": [{"client": "a", "present": True}, {"client": "a", "present": False}]}),
        "a client is listed twice, present and not - at `$.clients[1]`",
    ),
    ("appointments", A, orjson.dumps(GOOD | {"clients": [{"client": "a/b", "present": True}]}), "at `$.clients[0].client`"),
    ("appointments", A, orjson.dumps(GOOD | {"revision": 2**63}), "a revision is at most 9223372036854775807 - at `$.revision`"),
    (
        "appointments",
        A,
        json.dumps(GOOD | {"revision": 20260117131559123456}).encode(),
        "a revision is at most 9223372036854775807",
    ),
    ("appointments", A, orjson.dumps(GOOD | {"appointment": "a\n"}), "at `$.appointment`"),
    ("appointments", A, orjson.dumps(GOOD | {"clients": None}), "Object missing required field `clients`"),
    ("appointments", A, orjson.dumps(GOOD | {"notify": "later"}), "Invalid enum value - at `$.notify`"),
    ("appointments", A, orjson.dumps(GOOD | {"replaces": ["a"] * 11}), "Expected `array` of length <= 10 - at `$.replaces`"),
    ("appointments", A, orjson.dumps(GOOD | {"replaces": ["a", ""]}), "Expected `str` of length >= 1 - at `$.replaces[1]`"),
    (
        "appointments",
        A,
        orjson.dumps(GOOD | {"clients": MANY[1:], "replaces": ["\U0001f9e1" * 199 + str(n) for n in range(10)]}),
        "more than 1048576 bytes for all clients together - at `$.replaces`",
    ),
    ("appointments", b"zorg/b", orjson.dumps(GOOD), "the key does not match the value: expected organisation/appointment"),
    ("appointments", None, orjson.dumps(GOOD), "the key does not match the value: expected organisation/appointment"),
    ("appointments", b"zorg", None, "the key does not have 2 ids joined by '/'"),
    ("appointments", b"\xff/a", None, "the key is not UTF-8"),
    *(("erasures", C, orjson.dumps({"organisation": "zorg", "client": "anna", "at": at}), why) for at, why in NO_TIMES),
    ("consents", b"zorg/bram", orjson.dumps(CONSENT), "the key does not match the value: expected organisation/client"),
    ("opt-outs", C, None, "a value is missing: null is not allowed here"),
    ("opt-outs", C, orjson.dumps(OPT_OUT | {"source": "mail"}), "Invalid enum value - at `$.source`"),
    ("requests", C, None, "a value is missing: null is not allowed here"),
    ("requests", C, orjson.dumps(REQUEST | {"text": ""}), "Expected `str` of length >= 1 - at `$.text`"),
    ("requests", C, orjson.dumps(REQUEST | {"text": " \n\t "}), "it says nothing - at `$.text`"),
    ("requests", C, orjson.dumps(REQUEST | {"text": "a\x1b[31m"}), "at `$.text`"),
    ("requests", C, orjson.dumps(REQUEST | {"subject": "a\nb"}), "at `$.subject`"),
    ("organisations", O, email(**{"from": "Zorg @ Huis"}), "what stands before its @ is none - at `$.email.from`"),
    ("organisations", O, email(**{"from": "Zorg a@b>"}), "at `$.email.from`"),
    ("organisations", O, email(**{"from": "@@@"}), "at `$.email.from`"),
    ("organisations", O, email(**{"from": "a@b, c@d"}), "at `$.email.from`"),
    ("organisations", O, email(**{"from": "a@" + "ü" * 100}), "its domain is none - at `$.email.from`"),
    ("organisations", O, email(**{"from": "\u2028@b"}), "at `$.email.from`"),
    ("organisations", O, email(**{"from": "é@zorg.nl"}), "must be ASCII - at `$.email.from`"),
    ("organisations", O, email(reply_to="<>@"), "at `$.email.reply_to`"),
    ("organisations", O, settings(alerts_to="beheer@zorg.nl, balie@zorg.nl"), "at `$.alerts_to`"),
    ("organisations", O, email(reply_to="info@zorg.nl, x@zorg.nl"), "at `$.email.reply_to`"),
    ("organisations", O, email(subject="a\nb"), "at `$.email.subject`"),
    ("organisations", O, email(before="a\x00"), "at `$.email.before`"),
    ("organisations", O, settings(time_zone="Europe/Nergens"), "unknown time zone - at `$.time_zone`"),
    ("organisations", O, settings(time_zone="../etc/passwd"), "unknown time zone - at `$.time_zone`"),
    ("organisations", O, settings(window={"quiet_seconds": -1, "max_seconds": 1}), "at `$.window.quiet_seconds`"),
    ("organisations", O, settings(reminder={"days_before": 1, "at": "24:00"}), "at `$.reminder.at`"),
    (
        "organisations",
        O,
        settings(reminder={"days_before": 1, "at": "09:00", "not_within_hours": 169}),
        "at `$.reminder.not_within_hours`",
    ),
    ("organisations", O, settings(reminder={"days_before": -1, "at": "09:00"}), "at `$.reminder.days_before`"),
    ("organisations", O, settings(quiet_hours={"from": "22:00"}), "missing required field `until` - at `$.quiet_hours`"),
    ("organisations", O, sms(before="x" * 201), "Expected `str` of length <= 200 - at `$.sms.before`"),
    ("organisations", O, sms(unit_price=-1), "not a price of 0 or more - at `$.sms.unit_price`"),
    ("organisations", O, sms(unit_price="veel"), "not a price of 0 or more - at `$.sms.unit_price`"),
    ("organisations", O, sms(originator="Thuiszorg Linde"), "at most 11 characters - at `$.sms.originator`"),
    ("organisations", O, sms(currency="euro"), "at `$.sms.currency`"),
    ("organisations", O, settings(name="x" * 201), "Expected `str` of length <= 200 - at `$.name`"),
    ("organisations", O, settings(nieuw="x" * (64 << 10)), "bytes; at most 65536 are taken"),
    ("organisation-overrides", O, own(nieuw="x" * (64 << 10)), "bytes; at most 65536 are taken"),
    ("consents", C, orjson.dumps(CONSENT | {"source": "x" * (1 << 20)}), "bytes; at most 1048576 are taken"),
    ("organisations", b"plein", settings(), "the key does not match the value: expected organisation"),
    ("organisations", O, settings(templates={"moved": {"email": {"subject": "a\nb"}}}), "at `$.templates.moved.email.subject`"),
    (
        "organisations",
        O,
        settings(labels={"a": {"templates": {"moved": {"sms": {"after": "a\0"}}}}}),
        "at `$.labels[...].templates",
    ),
    ("organisations", O, settings(labels={"a/b": {}}), "at `$.labels[...]`"),
    ("organisations", O, settings(labels={"a": {"notify": "later"}}), "Invalid enum value - at `$.labels[...].notify`"),
    ("organisations", O, settings(labels={f"a{n}": {} for n in range(51)}), "of length <= 50 - at `$.labels`"),
    ("organisation-overrides", O, own(labels={"a": {"notify": None}}), "at `$.labels[...].notify`"),
    ("organisation-overrides", O, own(sms={"before": "x" * 201}), "Expected `str` of length <= 200 - at `$.sms.before`"),
    ("organisation-overrides", O, own(email={"subject": "a\r\nBcc: b@c"}), "at `$.email.subject`"),
    ("organisation-overrides", O, own(email={"subject": None}), "Expected `str`, got `null` - at `$.email.subject`"),
    ("organisation-overrides", O, own(notifications=None), "Expected `bool`, got `null` - at `$.notifications`"),
    ("organisation-overrides", O, own(reminder={"days_before": 366, "at": "09:00"}), "at `$.reminder.days_before`"),
    ("organisation-overrides", O, own(quiet_hours={"from": "22:00", "until": "7:00"}), "at `$.quiet_hours.until`"),
    ("organisation-overrides", b"plein", own(), "the key does not match the value: expected organisation"),
    ("organisation-overrides", b"", None, "the key does not have 1 ids joined by '/'"),
    ("holds", O, own(), "Object missing required field `at`"),
    ("holds", b"plein", own(at=HELD_AT), "the key does not match the value: expected organisation"),
    ("holds", b"", None, "the key does not have 1 ids joined by '/'"),
    ("holds", O, own(at="2026-03-04T09:00:00Z"), "more than a day ahead - at `$.at`"),
    ("holds", O, own(at=HELD_AT, notices=False, seen_at="2026-03-04T09:00:00Z"), "more than a day ahead - at `$.seen_at`"),
    ("holds", O, own(at=HELD_AT, seen_at=HELD_AT), "only an end has nothing said of what was seen - at `$.seen_at`"),
    ("holds", O, own(at=HELD_AT, parties=["p"] * 21), "Expected `array` of length <= 20 - at `$.parties`"),
    ("nieuw", C, b"{}", "unknown topic nieuw"),
]


@pytest.mark.parametrize(("topic", "key", "value", "reason"), REFUSED)
def test_a_bad_event_goes_aside_with_its_bytes_and_the_reason(
    topic: str, key: bytes | None, value: bytes | None, reason: str
) -> None:
    decision = take(topic, key, value)
    (output,) = decision.outputs
    headers = dict(output.headers)
    assert (output.topic, output.key, output.value) == ("dead-letters", key, value)
    assert (headers["topic"], headers["partition"], headers["offset"]) == (topic.encode(), b"0", b"7")
    assert reason in headers["reason"].decode()
    assert (decision.taken, decision.rows) == (1, {})


def row_of(*values: dict[str, Any]) -> dict[str, Any]:
    """The row of an appointment after these events, one behind another."""
    rows: dict[bytes, bytes] = {}
    for value in values:
        intake = Intake(4, rows)
        decision = take("appointments", A, orjson.dumps(value), intake)
        rows |= {key: row for key, row in decision.rows.items() if row is not None}
    return dict(orjson.loads(rows[b"appointments/zorg/a"]))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("De Linde", "De Linde"),
        ("  De Linde ", "De Linde"),
        ("De Linde\n\tKamer 3\u2028", "De Linde Kamer 3"),
        ("De\u00a0Linde", "De Linde"),
        ("\u202eDe Linde\u202c", "De Linde"),
        ("\u2066De\u200e Lin\u00adde\u2069\ufeff", "De Linde"),
        ("Cafe\u0301", "Café"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("woord " * 50, ("woord " * 33).strip()),
        ("x" * 300, "x" * 200),
        ("", None),
        (" \n ", None),
        ("\u202e", None),
        (None, None),
    ],
)
def test_a_place_is_kept_as_it_is_said(name: str | None, kept: str | None) -> None:
    assert row_of(GOOD | {"location": {"name": name}})["view"].get("location") == kept


CANCELLED = {key: GOOD[key] for key in ("organisation", "appointment")} | {"revision": 2, "status": "cancelled"}


@pytest.mark.parametrize(
    ("last", "fields", "start", "end", "place"),
    [
        pytest.param(True, {}, "11:15", "12:15", "De Linde", id="without times and place those of the last revision count"),
        pytest.param(True, {"start": None, "end": None}, "11:15", "12:15", "De Linde", id="null is as absent"),
        pytest.param(True, {"location": {"name": "Noord"}}, "11:15", "12:15", "Noord", id="what it says itself counts"),
        pytest.param(False, {}, "08:00", "08:00", None, id="of one that was never seen it is now"),
        pytest.param(
            False, {"start": "2026-04-17T13:15:00Z"}, "13:15", "13:15", None, id="with one time alone there is no other"
        ),
    ],
)
def test_a_cancelled_appointment_may_leave_out_what_is_known(
    last: bool, fields: dict[str, Any], start: str, end: str, place: str | None
) -> None:
    before = [GOOD | {"location": {"name": "De Linde"}}] if last else []
    row = row_of(*before, CANCELLED | fields)
    assert (row["booked"], row["view"]["start"][11:16], row["view"]["end"][11:16]) == (False, start, end)
    assert (row["view"].get("location"), list(row["clients"])) == (place, ["anna"] if last else [])


def test_one_that_is_cancelled_still_says_what_it_replaces() -> None:
    """It may be a link between what was told and what is made now."""
    for fields, kept in (
        ({}, ["x", "y"]),
        ({"replaces": None}, ["x", "y"]),
        ({"replaces": "z"}, ["z"]),
        ({"replaces": []}, None),
    ):
        assert row_of(GOOD | {"replaces": ["x", "y", "x"]}, CANCELLED | fields).get("replaces") == kept


MOVED = GOOD | {"revision": 2, "start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z", "location": {"name": "Noord"}}
MOVED |= {"clients": [{"client": "bram", "present": True}]}


@pytest.mark.parametrize(
    ("keep", "start", "place", "clients"),
    [
        pytest.param([], "2026-05-01T10", "Noord", {"bram": True}, id="nothing: it is as it is told here"),
        pytest.param(["times"], "2026-04-17T11", "Noord", {"bram": True}, id="times, start and end"),
        pytest.param(["location"], "2026-05-01T10", "De Linde", {"bram": True}, id="the place"),
        pytest.param(["clients"], "2026-05-01T10", "Noord", {"anna": True}, id="the clients"),
        pytest.param(["clients", "location", "times"], "2026-04-17T11", "De Linde", {"anna": True}, id="all of it"),
    ],
)
def test_a_revision_may_keep_what_is_known(keep: list[str], start: str, place: str, clients: dict[str, bool]) -> None:
    row = row_of(GOOD | {"location": {"name": "De Linde"}}, MOVED | {"keep": keep})
    assert (row["view"]["start"][:13], row["view"]["location"], row["clients"]) == (start, place, clients)


def test_what_is_kept_need_not_be_told() -> None:
    bare = {key: GOOD[key] for key in ("organisation", "appointment", "status")}
    row = row_of(GOOD, bare | {"revision": 2, "keep": ["clients", "location", "times"]})
    assert (row["revision"], row["view"]["start"][:13], row["clients"]) == (2, "2026-04-17T11", {"anna": True})


def test_what_was_never_told_cannot_be_kept() -> None:
    (output,) = take("appointments", A, orjson.dumps(GOOD | {"keep": ["times"]})).outputs
    assert dict(output.headers)["reason"] == b"no revision is known from which to keep it - at `$.keep`"


@pytest.mark.parametrize(
    ("records", "place"),
    [
        pytest.param([(1, 5, "a"), (1, 6, "b")], "b", id="of one revision the higher order counts"),
        pytest.param([(1, 6, "b"), (1, 5, "a")], "b", id="in whichever order they come"),
        pytest.param([(2, 0, "b"), (1, 9, "a")], "b", id="and a higher revision over any order"),
    ],
)
def test_order_breaks_the_tie_of_equal_revisions(records: list[tuple[int, int, str]], place: str) -> None:
    events = [GOOD | {"revision": revision, "order": order, "location": {"name": name}} for revision, order, name in records]
    assert row_of(*events)["view"]["location"] == place


def test_a_client_who_is_listed_twice_alike_counts_once() -> None:
    assert row_of(GOOD | {"clients": [{"client": "anna", "present": True}] * 2})["clients"] == {"anna": True}


def again(**changes: Any) -> list[str]:
    """Where an event goes that repeats a revision, with these changes."""
    rows: dict[bytes, bytes] = {}
    good = GOOD | {"location": {"name": "De Linde"}, "replaces": "w"}
    for value in (good, good | changes):
        decision = take("appointments", A, orjson.dumps(value), Intake(4, rows))
        rows |= {key: row for key, row in decision.rows.items() if row is not None}
    return [output.topic for output in decision.outputs]


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        pytest.param({}, [], id="a repeat is silent"),
        pytest.param({"location": {"name": " De  Linde\n"}}, [], id="so is one that says the same in other characters"),
        pytest.param({"nieuw": 1}, [], id="and one with a field that nobody here knows"),
        pytest.param({"location": {"name": "Noord"}}, ["dead-letters"], id="another place"),
        pytest.param({"start": "2026-04-17T10:00:00Z"}, ["dead-letters"], id="another time"),
        pytest.param({"status": "cancelled"}, ["dead-letters"], id="cancelled"),
        pytest.param({"clients": []}, ["dead-letters"], id="other clients"),
        pytest.param({"replaces": "x"}, ["dead-letters"], id="it replaces another one"),
        pytest.param({"revision": 0, "clients": []}, [], id="an older revision is stale, whatever it says"),
    ],
)
def test_the_same_revision_with_other_content_is_set_aside(changes: dict[str, Any], goes: list[str]) -> None:
    assert again(**changes) == goes


@pytest.mark.parametrize("value", [None, b"", b"null", b" null\n"])
@pytest.mark.parametrize(("topic", "key"), [("consents", C), ("contacts", C), ("organisations", O)])
def test_null_in_any_form_deletes(topic: str, key: bytes, value: bytes | None) -> None:
    (output,) = take(topic, key, value).outputs
    assert output.topic == "client-events"
    assert b'"forget"' in (output.value or b"")


def test_a_deletion_in_any_form_cancels() -> None:
    for value in (None, b"", b"null"):
        rows: dict[bytes, bytes] = {}
        rows |= take("appointments", A, orjson.dumps(GOOD), Intake(4, rows)).rows  # type: ignore[arg-type]
        (output,) = take("appointments", A, value, Intake(4, rows)).outputs
        assert b'"deleted":true' in (output.value or b"")


def test_intake_has_a_handler_for_every_input_and_for_nothing_else() -> None:
    assert set(HANDLERS) == {topic.name for topic in INPUTS}


ERASE = {"organisation": "zorg", "client": "anna", "at": NOW.isoformat()}


@pytest.mark.parametrize(
    ("topic", "value"),
    [("consents", CONSENT), ("contacts", CONTACT), ("opt-outs", OPT_OUT), ("requests", REQUEST), ("erasures", ERASE)],
)
@pytest.mark.parametrize(("key", "goes"), [(b"zorg/anna", True), (b"zorg/bram", False), (b"plein/anna", False), (b"zorg", False)])
def test_a_record_counts_only_for_the_client_that_its_key_names(topic: str, value: Any, key: bytes, goes: bool) -> None:
    """By its key it lies with that client's other records, in their order; and who may write a key may write no other."""
    decision = take(topic, key, orjson.dumps(value))
    written = [(output.topic, output.key) for output in decision.outputs if output.topic != "erasures"]
    assert written == [("client-events", b"zorg/anna") if goes else ("dead-letters", key)]


@pytest.mark.parametrize(("stage", "goes"), [(None, True), ("copied", True), ("done", False)])
def test_the_word_that_an_erasure_is_done_erases_nothing(stage: str | None, goes: bool) -> None:
    """It stands on the same topic, and the client may be back by then."""
    rows: dict[bytes, bytes] = {}
    intake = Intake(4, rows)
    taken = take("appointments", A, orjson.dumps(GOOD), intake)
    rows |= {key: row for key, row in taken.rows.items() if row is not None}
    value = ERASE if stage is None else {**ERASE, "stage": stage}
    decision = take("erasures", C, orjson.dumps(value), intake)
    assert (bool(decision.rows), bool(decision.outputs)) == (goes, goes)


def test_the_next_good_event_is_handled() -> None:
    records = [Record("appointments", 0, 0, A, b"{"), Record("appointments", 0, 1, A, orjson.dumps(GOOD))]
    decision = Intake(4, {}).decide(Turn(NOW, records))
    assert [output.topic for output in decision.outputs] == ["dead-letters", "client-events"]


def test_unknown_fields_are_ignored() -> None:
    assert [output.topic for output in take("consents", C, orjson.dumps(CONSENT | {"nieuw": 1})).outputs] == ["client-events"]


def test_settings_go_to_every_partition() -> None:
    assert [output.partition for output in take("organisations", O, settings()).outputs] == [EVERY]
    assert [output.partition for output in take("organisation-overrides", O, own(notifications=False)).outputs] == [EVERY]
    assert [output.partition for output in take("organisation-overrides", O, None).outputs] == [EVERY]


def test_null_and_absent_are_told_apart() -> None:
    """Null turns a reminder off; without the field upstream's counts."""
    for fields in ({"reminder": None}, {"sms": {"before": ""}}, {}):
        event = orjson.loads(take("organisation-overrides", O, own(**fields)).outputs[0].value or b"")
        assert event["override"] == {"organisation": "zorg", **fields}


def test_a_reason_holds_no_value_of_the_event() -> None:
    """It stands in a header, and headers are no place for personal data."""
    value = orjson.dumps(GOOD | {"status": "Jan Jansen' - at home"})
    assert b"Jansen" not in dict(take("appointments", A, value).outputs[0].headers)["reason"]


def test_a_decision_that_is_full_leaves_the_rest_for_the_next_turn() -> None:
    clients = [{"client": f"c{number}", "present": True} for number in range(1000)]
    records = [
        Record(
            "appointments",
            0,
            number,
            f"zorg/a{number}".encode(),
            orjson.dumps(GOOD | {"appointment": f"a{number}", "clients": clients}),
        )
        for number in range(30)
    ]
    decision = Intake(4, {}).decide(Turn(NOW, records))
    assert 0 < decision.taken < 30
    assert decision.size < Decision.FULL + (1 << 20)


def test_the_widest_event_after_an_almost_full_turn_fits_into_one_append() -> None:
    """1,000 clients are taken off and 1,000 put on, with ids, place and series as long and as wide as they may be."""
    wide = "\U0001f9e1" * 199
    value: dict[str, Any] = GOOD | {
        "organisation": wide, "appointment": wide, "location": {"name": wide}, "series": "\x01" * 200,
        "replaces": [f"{'y' * 100}{number}" for number in range(10)],
    }  # fmt: skip
    intake = Intake(64, {})
    for revision in (1, 2):
        clients = [{"client": f"{wide[revision:-2]}{number:03}", "present": True} for number in range(1000)]
        event = orjson.dumps(value | {"revision": revision, "clients": clients})
        decision = intake.decide(Turn(NOW, [Record("appointments", 0, revision, f"{wide}/{wide}".encode(), event)]))
        intake.rows.base.update({key: row for key, row in decision.rows.items() if row is not None})

    assert len(decision.outputs) == 2000
    assert Decision.FULL + decision.size < MAX_APPEND


def test_settings_stand_once_in_the_outbox_whatever_the_number_of_partitions() -> None:
    """64 copies of the largest settings are 4 MiB, and of 700 kB, as they once were taken, more than an append."""
    decision = Intake(64, {}).decide(Turn(NOW, [Record("organisations", 0, 0, O, settings())]))
    box = encode_outputs(decision.outputs)
    (output,) = decision.outputs

    assert len(box or b"") < 2 * len(settings())
    assert by_destination(decode_outputs(box), 5, 64) == {("client-events", p): [output] for p in range(64)}
