"""Status reports as they come in over HTTP: the query string, the reference in it, and the signature over it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from agents.fakes.sms import report_url, sign
from agents.providers.messagebird_webhook import UsedSignatures, parse, record, reference_tokens, unopened, verify
from agents.settings.settings import Settings
from agents.tokens import Tokens
from schemas.deliveries import Cost

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TOKENS = Tokens(["a key of more than thirty-two characters"], "reference")
REFERENCE = TOKENS.seal("zorg", "anna", "m1", "2", "1")

# As a real one, of a public client of the provider (nyaruka/courier): other ids, and our reference.
SAMPLE = (
    "datacoding=plain&id=b6aae1b5dfb2427a8f7ea6a717ba31a9&mccmnc=310010&messageLength=4&messagePartCount=1&ported=0"
    f"&price%5Bamount%5D=0.075&price%5Bcurrency%5D=EUR&recipient=31612345678&reference={REFERENCE}"
    "&statusDatetime=2026-03-02T07%3A57%3A12%2B00%3A00&status=sent"
)


def test_a_report_says_whose_message_it_is_about_and_what_became_of_it() -> None:
    said = parse(SAMPLE, TOKENS, NOW)
    assert said is not None
    assert (said.organisation, said.client, said.message, said.attempt, said.piece) == ("zorg", "anna", "m1", 2, 1)
    assert (said.status, said.parts, said.price) == ("sent", 1, Cost("0.075", "EUR"))
    assert said.provider == "b6aae1b5dfb2427a8f7ea6a717ba31a9"
    assert said.at == datetime(2026, 3, 2, 7, 57, 12, tzinfo=UTC)
    assert (said.error, said.reason) == (None, None)


def test_a_failure_has_its_code_and_reason() -> None:
    said = parse(
        SAMPLE.replace("status=sent", "status=delivery_failed&statusErrorCode=103&statusReason=opted%20out"), TOKENS, NOW
    )
    assert said is not None
    assert (said.status, said.error, said.reason) == ("delivery_failed", 103, "opted out")


def test_neither_number_nor_free_text_is_kept() -> None:
    said = parse(SAMPLE + "&statusReason=the%20number%20%2B31612345678%20%3Cb%3E", TOKENS, NOW)
    assert said is not None
    key, value = record(said)
    assert key == b"zorg/anna"
    assert b"31612345678" not in value


@pytest.mark.parametrize(
    "query",
    [
        "", "&&&", "reference=", f"reference={REFERENCE}", SAMPLE.replace("status=sent", "status=read"),
        SAMPLE.replace(REFERENCE, REFERENCE[:-2] + "AA"), SAMPLE.replace(REFERENCE, "m1"),
        SAMPLE.replace(REFERENCE, Tokens(["another key, of thirty-two characters"], "reference").seal("a", "b", "c", "1", "0")),
        SAMPLE.replace(REFERENCE, TOKENS.seal("zorg", "anna", "m1", "1")),
        SAMPLE.replace(REFERENCE, TOKENS.seal("zorg", "anna", "m1", "x", "0")),
        SAMPLE.replace(REFERENCE, TOKENS.seal("zorg", "anna", "m1", "-1", "0")),
        "reference=%ff%fe&status=sent",
    ],
)  # fmt: skip
def test_what_is_not_about_a_message_of_ours_is_none(query: str) -> None:
    assert parse(query, TOKENS, NOW) is None


@pytest.mark.parametrize(
    ("query", "is_it"),
    [
        pytest.param(SAMPLE, False, id="a reference of ours"),
        pytest.param(SAMPLE.replace("status=sent", "status=read"), False, id="a reference of ours with a status of next year"),
        pytest.param(SAMPLE.replace(REFERENCE, REFERENCE[:-2] + "AA"), True, id="a reference that a key of before sealed"),
        pytest.param("id=1&status=sent", False, id="no reference: somebody else's message"),
    ],
)
def test_a_reference_that_no_key_of_ours_sealed_is_told_apart(query: str, is_it: bool) -> None:
    assert unopened(query, TOKENS) is is_it


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("messagePartCount=1", "messagePartCount=many"), ("messagePartCount=1", "messagePartCount=-1"),
        ("price%5Bamount%5D=0.075", "price%5Bamount%5D=cheap"), ("currency%5D=EUR", "currency%5D=euro"),
        ("2026-03-02T07%3A57%3A12%2B00%3A00", "yesterday"), ("2026-03-02T07%3A57%3A12%2B00%3A00", "9999-12-31T23%3A59%3A59Z"),
        ("2026-03-02T07%3A57%3A12%2B00%3A00", "0001-01-01T00%3A00%3A00%2B14%3A00"),
        ("2026-03-02T07%3A57%3A12%2B00%3A00", "2026-03-02T07:57:12"), ("recipient=31612345678", "recipient="),
    ],
)  # fmt: skip
def test_what_is_odd_about_the_rest_does_not_lose_the_status(old: str, new: str) -> None:
    assert old in SAMPLE
    said = parse(SAMPLE.replace(old, new), TOKENS, NOW)
    assert said is not None
    assert said.status == "sent"
    assert said.at <= NOW


def test_references_open_with_the_settings_of_a_worker_or_of_the_web_service() -> None:
    settings = Settings(messagebird_key="live_x")
    assert reference_tokens(settings).open(reference_tokens(settings).seal("a", "b")) == ["a", "b"]
    rotated = Settings(unsubscribe_keys=("n" * 32, "o" * 32))
    assert reference_tokens(rotated).open(reference_tokens(Settings(unsubscribe_keys=("o" * 32,))).seal("a")) == ["a"]


def keys(reference: str = "", unsubscribe: str = "") -> Settings:
    """Settings with these keys, one letter each."""
    return Settings(reference_keys=tuple(key * 32 for key in reference), unsubscribe_keys=tuple(key * 32 for key in unsubscribe))


@pytest.mark.parametrize(
    ("web", "worker", "opens"),
    [
        pytest.param(keys("", "b"), keys("", "b"), True, id="before: the unsubscribe keys seal them"),
        pytest.param(keys("r", "b"), keys("", "b"), True, id="own keys, the web first: it opens what the workers still seal"),
        pytest.param(keys("r", "b"), keys("r", "b"), True, id="then the workers"),
        pytest.param(keys("", "b"), keys("r", "b"), False, id="the workers first: the web opens nothing"),
        pytest.param(keys("r", "c"), keys("r", "b"), True, id="new unsubscribe keys do not touch them"),
        pytest.param(keys("sr", "b"), keys("r", "b"), True, id="a new own key, the web first"),
        pytest.param(keys("sr", "b"), keys("sr", "b"), True, id="then the workers"),
        pytest.param(keys("r", "b"), keys("sr", "b"), False, id="the workers first"),
        pytest.param(keys("s", "b"), keys("sr", "b"), True, id="and the old one goes after three days"),
    ],
)
def test_a_rotation_of_keys_in_the_right_order_loses_no_report(web: Settings, worker: Settings, opens: bool) -> None:
    assert (reference_tokens(web).open(reference_tokens(worker).seal("linde", "anna")) is not None) is opens


KEY = "a-signing-key-of-thirty-two-bytes"
BASE = "https://afspraakbericht.example"
MESSAGE = {
    "reportUrl": f"{BASE}/webhooks/messagebird/",
    "datacoding": "plain",
    "id": "x",
    "body": "é+ë",
    "parts": 1,
    "reference": REFERENCE,
}


def signed(key: str = KEY, at: datetime | None = None) -> tuple[str, str]:
    """Path with query, and signature, of a report that comes in now: the SDK looks at the real clock."""
    url = report_url(MESSAGE, "31612345678", "delivered")
    return url.removeprefix(BASE), sign(url, key, at or datetime.now(UTC))


def check(path: str, signature: str | None, **changes: Any) -> str | None:
    said: dict[str, Any] = {"base": BASE, "keys": [KEY], "seen": UsedSignatures(), "now": datetime.now(UTC)} | changes
    return verify(signature, said["base"], path, said["keys"], said["seen"], said["now"])


def test_what_the_provider_signed_is_taken_once() -> None:
    path, signature = signed()
    seen = UsedSignatures()
    id_ = check(path, signature, seen=seen)
    assert id_
    assert check(path, signature, seen=seen) is None
    seen.forget(id_)
    assert check(path, signature, seen=seen) == id_


@pytest.mark.parametrize("base", [f"{BASE}/", f"{BASE}/webhooks/messagebird/", BASE])
def test_the_configured_address_counts_whatever_path_it_has(base: str) -> None:
    assert check(*signed(), base=base)


def test_any_of_our_keys_will_do_and_no_other() -> None:
    path, signature = signed()
    assert check(path, signature, keys=["z" * 32, KEY])
    assert check(path, signature, keys=["z" * 32]) is None
    assert check(path, signature, keys=[]) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [("delivered", "delivery_failed"), ("%2B", "+"), ("?", "?a=b&"), ("/webhooks", "/Webhooks"), ("=plain", "=unicode")],
)
def test_an_address_that_was_touched_is_refused(old: str, new: str) -> None:
    path, signature = signed()
    assert old in path
    assert check(path.replace(old, new, 1), signature) is None


@pytest.mark.parametrize("base", ["http://afspraakbericht.example", "https://other.example", "", "nonsense"])
def test_another_host_or_scheme_is_refused(base: str) -> None:
    assert check(*signed(), base=base) is None


@pytest.mark.parametrize("minutes", [-10, -2, 2])
def test_a_signature_is_good_for_a_minute(minutes: int) -> None:
    assert check(*signed(at=datetime.now(UTC) + timedelta(minutes=minutes))) is None


@pytest.mark.parametrize("signature", [None, "", "x", "a.b.c", "é"])
def test_what_is_no_signature_is_refused(signature: str | None) -> None:
    assert check(signed()[0], signature) is None


@pytest.mark.parametrize("missing", ["url_hash", "jti", "iss", "nbf", "exp"])
def test_a_signature_that_leaves_something_out_is_refused(missing: str) -> None:
    path, _ = signed()
    now = datetime.now(UTC)
    claims = {
        "iss": "MessageBird", "nbf": now, "exp": now + timedelta(seconds=60), "jti": "1",
        "url_hash": hashlib.sha256((BASE + path).encode()).hexdigest(),
    }  # fmt: skip
    assert check(path, jwt.encode(claims, KEY, "HS256"))
    assert check(path, jwt.encode({name: value for name, value in claims.items() if name != missing}, KEY, "HS256")) is None
    assert check(path, jwt.encode(claims, "", "none")) is None


def test_a_flood_of_signatures_does_not_fill_the_memory() -> None:
    seen = UsedSignatures()
    seen.MOST = 100
    assert all(seen.is_new(str(number), 1000.0, 0.0) for number in range(1000))
    assert not seen.is_new("999", 1000.0, 0.0)
    assert seen.is_new("999", 1000.0, 1001.0), "a signature that is over is refused by its own time"
