"""Bad input: a clear error at its place, and the next good event is handled."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.intake import Intake
from streams.turn import Decision, Record, Turn
from tests.world import appointment, at, organisation

NOW = at("2026-03-02 09:00")
GOOD = appointment("2026-04-17 13:15")
CONSENT = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "source": "ecd"}
CONTACT = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31612345678", "confirmed": True}, "email": None}
OPT_OUT = {"organisation": "zorg", "client": "anna", "channel": "sms", "off": True, "source": "link"}
REQUEST = {"organisation": "zorg", "client": "anna", "request": "r", "party": "p", "text": "t", "subject": None}
MANY = [{"client": f"c{number}", "present": True} for number in range(1001)]


def take(topic: str, key: bytes | None, value: bytes | None, shard: Intake | None = None) -> Decision:
    intake = shard or Intake(4, {})
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


def own(**fields: Any) -> bytes:
    return orjson.dumps({"organisation": "zorg", **fields})


A, C, O = b"zorg/a", b"zorg/anna", b"zorg"  # noqa: E741  # the keys of the three kinds of topics

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
    ("appointments", A, orjson.dumps(GOOD | {"clients": MANY[:1] * 2}), "a client is listed twice - at `$.clients`"),
    ("appointments", A, orjson.dumps(GOOD | {"clients": [{"client": "a/b", "present": True}]}), "at `$.clients[0].client`"),
    ("appointments", b"zorg/b", orjson.dumps(GOOD), "the key does not match the value: expected organisation/appointment"),
    ("appointments", None, orjson.dumps(GOOD), "the key does not match the value: expected organisation/appointment"),
    ("appointments", b"zorg", None, "the key does not have 2 ids joined by '/'"),
    ("appointments", b"\xff/a", None, "the key is not UTF-8"),
    ("consents", C, orjson.dumps(CONSENT | {"channels": ["fax"]}), "Invalid enum value - at `$.channels[0]`"),
    ("consents", C, orjson.dumps(without(CONSENT, "notifications")), "Object missing required field `notifications`"),
    ("consents", b"zorg/bram", orjson.dumps(CONSENT), "the key does not match the value: expected organisation/client"),
    (
        "contacts",
        C,
        orjson.dumps(CONTACT | {"sms": {"number": "+31612345678"}}),
        "missing required field `confirmed` - at `$.sms`",
    ),
    ("contacts", C, orjson.dumps(CONTACT | {"email": {"address": "a b", "confirmed": True}}), "at `$.email.address`"),
    ("contacts", C, orjson.dumps(CONTACT | {"email": {"address": "a@b\r\nBcc: c@d", "confirmed": True}}), "at `$.email.address`"),
    ("opt-outs", C, None, "a value is missing: null is not allowed here"),
    ("opt-outs", C, orjson.dumps(OPT_OUT | {"source": "mail"}), "Invalid enum value - at `$.source`"),
    ("requests", C, None, "a value is missing: null is not allowed here"),
    ("requests", C, orjson.dumps(REQUEST | {"text": ""}), "Expected `str` of length >= 1 - at `$.text`"),
    ("organisations", O, settings(time_zone="Europe/Nergens"), "unknown time zone - at `$.time_zone`"),
    ("organisations", O, settings(time_zone="../etc/passwd"), "unknown time zone - at `$.time_zone`"),
    ("organisations", O, settings(window={"quiet_seconds": -1, "max_seconds": 1}), "at `$.window.quiet_seconds`"),
    ("organisations", O, settings(reminder={"days_before": 1, "at": "24:00"}), "at `$.reminder.at`"),
    ("organisations", O, settings(reminder={"days_before": -1, "at": "09:00"}), "at `$.reminder.days_before`"),
    ("organisations", O, settings(quiet_hours={"from": "22:00"}), "missing required field `until` - at `$.quiet_hours`"),
    ("organisations", O, sms(before="x" * 201), "Expected `str` of length <= 200 - at `$.sms.before`"),
    ("organisations", O, sms(unit_price=-1), "not a price of 0 or more - at `$.sms.unit_price`"),
    ("organisations", O, sms(unit_price="veel"), "not a price of 0 or more - at `$.sms.unit_price`"),
    ("organisations", O, sms(originator="Thuiszorg Linde"), "at most 11 characters - at `$.sms.originator`"),
    ("organisations", O, sms(currency="euro"), "at `$.sms.currency`"),
    ("organisations", b"plein", settings(), "the key does not match the value: expected organisation"),
    ("organisation-overrides", O, own(sms={"before": "x" * 201}), "Expected `str` of length <= 200 - at `$.sms.before`"),
    ("organisation-overrides", O, own(email={"subject": "a\r\nBcc: b@c"}), "at `$.email.subject`"),
    ("organisation-overrides", O, own(email={"subject": None}), "Expected `str`, got `null` - at `$.email.subject`"),
    ("organisation-overrides", O, own(notifications=None), "Expected `bool`, got `null` - at `$.notifications`"),
    ("organisation-overrides", O, own(reminder={"days_before": 366, "at": "09:00"}), "at `$.reminder.days_before`"),
    ("organisation-overrides", O, own(quiet_hours={"from": "22:00", "until": "7:00"}), "at `$.quiet_hours.until`"),
    ("organisation-overrides", b"plein", own(), "the key does not match the value: expected organisation"),
    ("organisation-overrides", b"", None, "the key does not have 1 ids joined by '/'"),
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


def test_the_next_good_event_is_handled() -> None:
    records = [Record("appointments", 0, 0, A, b"{"), Record("appointments", 0, 1, A, orjson.dumps(GOOD))]
    decision = Intake(4, {}).decide(Turn(NOW, records))
    assert [output.topic for output in decision.outputs] == ["dead-letters", "client-events"]


def test_unknown_fields_are_ignored() -> None:
    assert [output.topic for output in take("consents", C, orjson.dumps(CONSENT | {"nieuw": 1})).outputs] == ["client-events"]


def test_settings_go_to_every_partition() -> None:
    assert [output.partition for output in take("organisations", O, settings()).outputs] == [0, 1, 2, 3]
    assert [output.partition for output in take("organisation-overrides", O, own(notifications=False)).outputs] == [0, 1, 2, 3]
    assert [output.partition for output in take("organisation-overrides", O, None).outputs] == [0, 1, 2, 3]


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
