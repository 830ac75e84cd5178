"""Consents and contacts, part by part: what can be used counts, what cannot is unknown, and the record goes aside."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.intake.intake import Intake
from streams.processing.turn import Record, Turn
from tests.world import at

NOW = at("2026-03-02 09:00")
KEY = b"zorg/anna"
IDS = {"organisation": "zorg", "client": "anna"}
SMS = {"number": "+31612345678", "confirmed": True}
EMAIL = {"address": "anna@zorg.example", "confirmed": True}


def taken(topic: str, **fields: Any) -> tuple[dict[str, Any] | None, str | None]:
    """What counts of a record, and why the rest was set aside."""
    decision = Intake(4, {}).decide(Turn(NOW, [Record(topic, 0, 7, KEY, orjson.dumps(IDS | fields))]))
    found: dict[str, Any] | None = None
    reason = None
    for output in decision.outputs:
        if output.topic == "dead-letters":
            reason = dict(output.headers)["reason"].decode()
        else:
            found = orjson.loads(output.value or b"")[topic.removesuffix("s")]
    return found, reason


@pytest.mark.parametrize(
    ("fields", "notifications", "channels", "reason"),
    [
        pytest.param({"notifications": True, "channels": ["sms"]}, True, ["sms"], None, id="a good one"),
        pytest.param({"notifications": True, "channels": ["fax", "sms"]}, True, ["sms"], None, id="one unknown is skipped"),
        pytest.param({"notifications": True, "channels": ["fax"]}, True, [], None, id="and with no other there is none"),
        pytest.param({"notifications": False, "channels": ["fax"]}, False, [], None, id="off is off beside an unknown channel"),
        pytest.param(
            {"notifications": False, "channels": "sms"}, False, [], "Expected `array`, got `str` - at `$.channels`",
            id="off is off whatever else is wrong",
        ),
        pytest.param(
            {"notifications": False}, False, [], "Object missing required field `channels`", id="off is off with nothing else",
        ),
        pytest.param(
            {"notifications": "ja", "channels": ["sms"]}, False, ["sms"], "Expected `bool`, got `str` - at `$.notifications`",
            id="what is no yes is no",
        ),
        pytest.param(
            {"channels": ["sms"]}, False, ["sms"], "Object missing required field `notifications`", id="without a yes it is no",
        ),
        pytest.param(
            {"notifications": True, "channels": ["sms", 1]}, True, ["sms"], "Expected `str` - at `$.channels[1]`",
            id="a channel that is no text is named by its place",
        ),
        pytest.param(
            {"notifications": True, "channels": ["sms"], "source": 7}, True, ["sms"],
            "Expected `str | null`, got `int` - at `$.source`", id="who said so is not needed",
        ),
    ],
)  # fmt: skip
def test_a_consent(fields: dict[str, Any], notifications: bool, channels: list[str], reason: str | None) -> None:
    found, why = taken("consents", **fields)
    assert found is not None
    assert (found["notifications"], found["channels"], why) == (notifications, channels, reason)


@pytest.mark.parametrize(
    ("fields", "number", "address", "reason"),
    [
        pytest.param({"sms": SMS, "email": EMAIL}, "+31612345678", "anna@zorg.example", None, id="a good one"),
        pytest.param({}, None, None, None, id="what is absent is unknown"),
        pytest.param(
            {"sms": {"number": " 06-12345678\n", "confirmed": True}, "email": EMAIL | {"address": "anna@zorg.example\n"}},
            "+31612345678", "anna@zorg.example", None, id="white space around them says nothing",
        ),
        pytest.param(
            {"sms": SMS, "email": {"address": "anna", "confirmed": True}}, "+31612345678", None, "at `$.email.address`",
            id="a bad address leaves the new number",
        ),
        pytest.param(
            {"sms": SMS, "email": {"address": "", "confirmed": True}}, "+31612345678", None, "at `$.email.address`",
            id="an empty address is none",
        ),
        pytest.param(
            {"sms": {"number": None, "confirmed": True}, "email": EMAIL}, None, "anna@zorg.example",
            "Expected `str`, got `null` - at `$.sms.number`", id="a number of null is none",
        ),
        pytest.param(
            {"sms": {"number": "+31612345678"}, "email": EMAIL}, None, "anna@zorg.example",
            "Object missing required field `confirmed` - at `$.sms`", id="nobody says that the number is the client's",
        ),
        pytest.param({"sms": "06-12345678", "email": 3}, None, None, "at `$.sms`", id="both are wrong"),
        pytest.param(
            {"email": {"address": "a@b\r\nBcc: c@d", "confirmed": True}}, None, None, "at `$.email.address`",
            id="a line break within",
        ),
        pytest.param(
            {"email": {"address": '"anna b"@zorg.example', "confirmed": True}}, None, None, "at `$.email.address`",
            id="a quoted one, to which nothing is sent",
        ),
    ],
)  # fmt: skip
def test_a_contact(fields: dict[str, Any], number: str | None, address: str | None, reason: str | None) -> None:
    found, why = taken("contacts", **fields)
    assert found is not None
    assert (found.get("sms", {}).get("address"), found.get("email", {}).get("address")) == (number, address)
    assert (why is None) == (reason is None)
    assert (reason or "") in (why or "")


@pytest.mark.parametrize("topic", ["consents", "contacts"])
@pytest.mark.parametrize("ids", [{"client": "bram"}, {"client": None}, {"client": "anna\n"}, {"organisation": 3}])
def test_without_the_ids_of_its_key_nothing_of_it_counts(topic: str, ids: dict[str, Any]) -> None:
    found, why = taken(topic, **({"notifications": False, "channels": []} | ids))
    assert found is None
    assert why is not None
