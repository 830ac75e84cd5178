"""Status reports of the new API: signatures against the provider's own SDK, and what its events say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from agents.fakes.bird import event, sign
from agents.providers.bird_webhook import TOLERANCE_SECONDS, parse, unopened, verify
from agents.providers.messagebird_webhook import UsedSignatures
from agents.settings.settings import Settings, SettingsError
from agents.tokens import Tokens
from schemas.deliveries import Cost

TOKENS = Tokens(("a-key-of-the-tests-that-is-long-enough",), "reference")
SECRET, WRITTEN = b"a secret of the endpoint, 32 by.", "whsec_YSBzZWNyZXQgb2YgdGhlIGVuZHBvaW50LCAzMiBieS4="
NOW = datetime.now(UTC).replace(microsecond=0)


def content(type_: str, error: str = "unknown", **changes: Any) -> bytes:
    """An event on the first piece of message m1 of linde/anna; `changes` to its data."""
    body = {"metadata": {"reference": TOKENS.seal("linde", "anna", "m1", "0", "0")}}
    answer = {
        "id": "sms_01krdgeqcxet5s7t44vh8rt9mg", "to": "+31612345678", "from": "Zorg Oost",
        "segments": {"count": 2, "encoding": "GSM_7BIT", "characters": 170},
    }  # fmt: skip
    found = event(type_, body, answer, error, NOW)
    return orjson.dumps({**found, "data": {**found["data"], **changes}})


def accepted(headers: dict[str, str], body: bytes, secret: bytes = SECRET, now: datetime = NOW) -> bool:
    return verify(headers, body, [b"x" * 32, secret], UsedSignatures(), now) is not None


@pytest.fixture(autouse=True)
def sdk_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK looks at a clock of its own: it shows NOW, however long ago the tests were collected."""
    monkeypatch.setattr("bird.resources.webhooks.time", SimpleNamespace(time=NOW.timestamp))


def accepted_by_sdk(headers: dict[str, str], body: bytes, secret: str = WRITTEN) -> bool:
    from bird import Bird, WebhookVerificationError  # takes two seconds, in each process that collects the tests

    client = Bird(api_key="bk_eu1_x")
    try:
        client.webhooks.unwrap(body, headers, secret=secret)
    except WebhookVerificationError:
        return False
    finally:
        client.close()
    return True


@pytest.mark.parametrize(
    ("type_", "error", "status", "number", "reason"),
    [
        ("sms.accepted", "", "buffered", None, None),
        ("sms.sent", "", "sent", None, None),
        ("sms.delivered", "", "delivered", None, None),
        ("sms.expired", "unreachable", "expired", 27, "unreachable"),
        ("sms.failed", "invalid_destination", "delivery_failed", 1, "invalid_destination"),
        ("sms.failed", "landline_unreachable", "delivery_failed", 11, "landline_unreachable"),
        ("sms.failed", "provider_unavailable", "delivery_failed", 34, "provider_unavailable"),
        ("sms.undelivered", "unreachable", "delivery_failed", 27, "unreachable"),
        ("sms.undelivered", "blocked_by_carrier", "delivery_failed", None, "blocked_by_carrier"),
        ("sms.rejected", "recipient_opted_out", "delivery_failed", 103, "recipient_opted_out"),
        ("sms.rejected", "a code of next year", "delivery_failed", None, "a code of next year"),
    ],
)
def test_what_an_event_says(type_: str, error: str, status: str, number: int | None, reason: str | None) -> None:
    body = content(type_, error)
    report = parse(body, TOKENS, NOW)

    assert accepted_by_sdk(sign(body, SECRET, NOW), body), "the fake sends what the SDK reads"
    assert report is not None
    assert (report.status, report.error, report.reason) == (status, number, reason)
    assert (report.organisation, report.client, report.message, report.attempt, report.piece) == ("linde", "anna", "m1", 0, 0)
    assert (report.provider, report.parts, report.at) == ("sms_01krdgeqcxet5s7t44vh8rt9mg", 2, NOW)
    assert report.price == Cost("0.15200", "EUR")


@pytest.mark.parametrize(
    ("told", "body"),
    [
        ("an SMS that came in", content("sms.received")),
        ("an opt-out", content("sms_suppression.created")),
        ("an event of next year", content("sms.read")),
        ("a message of somebody else", content("sms.delivered", metadata={"reference": "order-12"})),
        ("a message without a reference", content("sms.delivered", metadata=None)),
        ("a reference that is no text", content("sms.delivered", metadata={"reference": 12})),
        ("no data", b'{"type":"sms.delivered","timestamp":"2026-03-02T10:00:00Z"}'),
        ("a list", b"[]"),
        ("no JSON", b"sms.delivered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_says_nothing_of_a_message_of_ours(told: str, body: bytes) -> None:
    assert parse(body, TOKENS, NOW) is None, told
    assert unopened(body, TOKENS) is (told == "a message of somebody else"), told


@pytest.mark.parametrize(
    "changes",
    [{"segments": {"count": count}} for count in ("two", -5, 0, 256, 2**63, 2**64 - 1, 1.5, True, None, [2])]
    + [{"cost": {"amount": amount, "currency_code": "EUR"}} for amount in (None, 0.1, "-1", "NaN", "9" * 40, ["1"])]
    + [{"cost": {"amount": "1.0", "currency_code": currency}} for currency in (None, "EUR\n", "euro", 5)],
    ids=str,
)
def test_a_count_or_a_price_that_cannot_be_is_left_out_and_the_report_counts(changes: dict[str, Any]) -> None:
    """Found: -5 parts, and 2^63, stood in `delivery-reports`; a count in words took the whole report with it."""
    report, right = (parse(content("sms.delivered", **given), TOKENS, NOW) for given in (changes, {}))
    assert right is not None
    assert report == replace(right, **{"parts" if "segments" in changes else "price": None})


def test_a_price_that_is_not_there_yet_is_none() -> None:
    report = parse(content("sms.sent", cost=None), TOKENS, NOW)
    assert report is not None
    assert report.price is None


def test_what_the_sdk_does_not_know_yet_is_read() -> None:
    plain = orjson.loads(content("sms.delivered"))
    del plain["data"]["requested_language"]
    body = orjson.dumps(plain)
    headers = sign(body, SECRET, NOW)

    assert not accepted_by_sdk(headers, body)
    assert accepted(headers, body)
    assert parse(body, TOKENS, NOW) is not None


BODY = content("sms.delivered")
GOOD = sign(BODY, SECRET, NOW)


@pytest.mark.parametrize(
    ("told", "headers", "good"),
    [
        ("as the provider sends it", GOOD, True),
        ("among other signatures", {**GOOD, "webhook-signature": f"v1a,AAAA v1,AAAA {GOOD['webhook-signature']}"}, True),
        ("by another secret", sign(BODY, b"another secret of another sender", NOW), False),
        ("of another body", sign(BODY + b" ", SECRET, NOW), False),
        ("of another moment", {**GOOD, "webhook-timestamp": str(int(NOW.timestamp()) + 1)}, False),
        ("of another id", {**GOOD, "webhook-id": "msg_0"}, False),
        ("by another scheme", {**GOOD, "webhook-signature": GOOD["webhook-signature"].replace("v1,", "v2,")}, False),
        ("cut", {**GOOD, "webhook-signature": GOOD["webhook-signature"][:-4]}, False),
        ("not ASCII", {**GOOD, "webhook-signature": "v1,é"}, False),
        ("too old", sign(BODY, SECRET, NOW - timedelta(seconds=TOLERANCE_SECONDS + 5)), False),
        ("of tomorrow", sign(BODY, SECRET, NOW + timedelta(days=1)), False),
        ("a moment that is none", {**GOOD, "webhook-timestamp": "now"}, False),
        ("no id", {name: value for name, value in GOOD.items() if name != "webhook-id"}, False),
        ("no moment", {name: value for name, value in GOOD.items() if name != "webhook-timestamp"}, False),
        ("no signature", {name: value for name, value in GOOD.items() if name != "webhook-signature"}, False),
        ("nothing", {}, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_signature_counts_for_us_as_for_the_sdk(told: str, headers: dict[str, str], good: bool) -> None:
    assert accepted(headers, BODY) is good, told
    if "é" not in headers.get("webhook-signature", ""):  # at which the SDK raises TypeError
        assert accepted_by_sdk(headers, BODY) is good, told


def test_without_a_secret_nothing_is_good() -> None:
    assert verify(GOOD, BODY, [], UsedSignatures(), NOW) is None


def test_a_signature_is_good_once_and_the_same_report_sent_again_is_another() -> None:
    seen = UsedSignatures()
    again = sign(BODY, SECRET, NOW + timedelta(seconds=2))
    first = verify(GOOD, BODY, [SECRET], seen, NOW)
    assert first is not None
    assert verify(GOOD, BODY, [SECRET], seen, NOW + timedelta(seconds=TOLERANCE_SECONDS)) is None
    assert verify(again, BODY, [SECRET], seen, NOW) is not None
    seen.forget(first)
    assert verify(GOOD, BODY, [SECRET], seen, NOW) == first


def test_secrets_are_decoded_when_settings_are_read() -> None:
    read = Settings.from_env({"AFSPRAAKBERICHT_BIRD_WEBHOOK_SECRETS": f"{WRITTEN}, {WRITTEN.removeprefix('whsec_')}"})
    assert read.bird_webhook_secrets == (SECRET, SECRET)


@pytest.mark.parametrize("raw", ["whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", f"{WRITTEN},"])
def test_what_is_no_secret_is_refused_and_not_shown(raw: str) -> None:
    with pytest.raises(SettingsError, match="BIRD_WEBHOOK_SECRETS") as refused:
        Settings.from_env({"AFSPRAAKBERICHT_BIRD_WEBHOOK_SECRETS": raw})
    assert raw.removeprefix("whsec_") == "" or raw not in str(refused.value)
