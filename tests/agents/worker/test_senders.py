"""From a claimed delivery to a provider: pieces, references, parts and signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace
from structlog.testing import capture_logs

from agents.fakes.smtp import FakeSmtp
from agents.providers import EmailCall, ProviderAnswer, SmsCall
from agents.providers.dkim import Dkim
from agents.providers.smtp import Smtp
from agents.tokens import Tokens
from agents.worker.senders import EmailSender, SmsSender
from agents.worker.wording import succeed
from renderers.gsm7 import measure
from schemas.deliveries import Delivery
from schemas.events import View
from schemas.inputs import Organisation
from schemas.notices import Notice
from schemas.wire import check
from streams.sending.outcomes import SendCall
from tests.world import at, organisation

TOKENS = Tokens(["a key of more than thirty-two characters"], "reference")
NOW = at("2026-03-02 09:00")


def a_call(channel: Any = "sms", notices: int = 1, **changes: Any) -> SendCall:
    view = View(
        at("2026-04-17 13:15"), at("2026-04-17 14:15"), "De Linde, een gebouw met een heel lange naam" if notices > 1 else None
    )
    many = tuple(Notice(id=str(number), kind="created", appointment=str(number), now=view) for number in range(notices))
    delivery = Delivery(
        message="m1", organisation="zorg", client="anna", channel=channel, reason="direct", decided=NOW, notices=many,
        useful_until=view.start,
    )  # fmt: skip
    address = "+31612345678" if channel == "sms" else "anna@example.org"
    said = {"delivery": delivery, "organisation": check(Organisation, organisation()), "address": address}
    return SendCall(**{**said, "attempt": 2, "piece": 0, "now": NOW, **changes})


class Gateway:
    """Answers as it is told, then takes everything; `parts`: what it bills."""

    def __init__(self, *answers: ProviderAnswer, parts: int | None = None) -> None:
        self.answers, self.parts = list(answers), parts
        self.calls: list[SmsCall] = []

    async def __call__(self, call: SmsCall) -> ProviderAnswer:
        self.calls.append(call)
        return (
            self.answers.pop(0) if self.answers else ProviderAnswer(kind="sent", detail="201", provider_id="p", parts=self.parts)
        )

    async def close(self) -> None:
        pass


def sms(gateway: Gateway, **changes: Any) -> SmsSender:
    return SmsSender(gateway, TOKENS, lambda: NOW, "https://afspraakbericht.example/webhooks/messagebird/", **changes)


async def test_an_sms_is_sent_with_its_reference_its_coding_and_an_end_to_its_use() -> None:
    gateway = Gateway()
    outcome = await sms(gateway)(a_call())
    (call,) = gateway.calls
    assert TOKENS.open(call.reference) == ["zorg", "anna", "m1", "2", "0"]
    assert (call.unicode, call.validity_seconds) == (False, (at("2026-04-17 13:15") - NOW).total_seconds())
    assert call.report_url == "https://afspraakbericht.example/webhooks/messagebird/"
    assert (outcome.kind, outcome.each, outcome.counted, outcome.piece, outcome.pieces) == ("sent", (1,), None, 1, 1)


async def test_pieces_go_in_order_each_with_a_reference_of_its_own() -> None:
    gateway = Gateway()
    outcome = await sms(gateway)(a_call(notices=20))
    assert len(gateway.calls) > 1
    assert [TOKENS.open(call.reference) for call in gateway.calls] == [
        ["zorg", "anna", "m1", "2", str(piece)] for piece in range(len(gateway.calls))
    ]
    assert outcome.each == tuple(measure(call.body).parts for call in gateway.calls)
    assert (outcome.piece, outcome.pieces) == (len(gateway.calls), len(gateway.calls))


async def test_the_first_piece_that_is_not_taken_decides_and_the_rest_follows_later() -> None:
    gateway = Gateway(ProviderAnswer(kind="sent", detail="201"), ProviderAnswer(kind="retry", detail="503", retry_after=7.0))
    outcome = await sms(gateway)(a_call(notices=20))
    assert (outcome.kind, outcome.piece, outcome.pieces, outcome.retry_after) == ("retry", 1, 2, 7.0)
    assert outcome.each == (measure(gateway.calls[0].body).parts,), "what went is billed, whatever comes of the rest"
    again = Gateway()
    outcome = await sms(again)(a_call(notices=20, piece=1, attempt=3))
    assert again.calls[0].piece == 1
    assert outcome.kind == "sent"


async def test_the_parts_are_those_that_are_billed() -> None:
    outcome = await sms(Gateway(parts=2))(a_call())
    assert (outcome.each, outcome.counted) == ((2,), 1)


@pytest.mark.parametrize("said", [-5, 0, 21, 10**30, 99_999_999_999, True, 1.5, "2", None])
async def test_a_count_of_parts_that_cannot_be_is_not_billed(said: Any) -> None:
    outcome = await sms(Gateway(parts=said))(a_call())
    assert (outcome.each, outcome.counted) == ((1,), None)


async def test_to_settle_is_to_say_what_was_sent_and_to_send_nothing() -> None:
    gateway = Gateway()
    outcome = await sms(gateway)(a_call(settle=True, piece=1, address=""))
    assert (outcome.kind, outcome.each, gateway.calls) == ("sent", (1,), [])
    assert outcome.text is not None
    outcome = await sms(gateway)(a_call(notices=20, settle=True, piece=1))
    assert (outcome.kind, outcome.piece, gateway.calls) == ("retry", 1, [])


async def test_a_provider_that_knows_repetitions_hears_the_same_each_time() -> None:
    gateway = Gateway()
    sender = sms(gateway, repeatable=True)
    for attempt in (1, 2):
        await sender(a_call(attempt=attempt))
    assert gateway.calls[0].reference == gateway.calls[1].reference


async def test_what_a_fault_is_and_whose_is_handed_on() -> None:
    outcome = await sms(Gateway(ProviderAnswer(kind="stop", detail="10", whose="organisation")))(a_call())
    assert (outcome.kind, outcome.whose) == ("stop", "organisation")
    outcome = await sms(Gateway(ProviderAnswer(kind="unknown", detail="x", repeatable=True)))(a_call())
    assert outcome.repeatable


# -- e-mail


@pytest.fixture(scope="module")
def pem() -> tuple[str, bytes]:
    """A private key, and its public one as DNS has it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])


class Server:
    """Keeps what it was given."""

    data = b""

    async def __call__(self, call: EmailCall) -> ProviderAnswer:
        self.data = call.data
        return ProviderAnswer(kind="sent", detail="250")

    async def close(self) -> None:
        pass


LINK = "https://afspraakbericht.example/u/"


def verifies(data: bytes, public: bytes) -> bool:
    def txt(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"sel._domainkey.zorg.example."
        return public

    try:
        return bool(dkim.DKIM(data).verify(dnsfunc=txt))
    except dkim.ValidationError:  # the body's hash
        return False


async def test_an_e_mail_is_signed_over_both_unsubscribe_headers(pem: tuple[str, bytes]) -> None:
    private, public = pem
    server = Server()
    sender = EmailSender(server, TOKENS, "zorg.example", LINK, Dkim("zorg.example", "sel", private))
    await sender(a_call("email"))
    head, _, rest = server.data.partition(b"\r\n\r\n")
    signature = b"".join(head.partition(b"\r\nFrom:")[0].split())
    assert signature.startswith(b"DKIM-Signature:")
    assert b"list-unsubscribe:list-unsubscribe-post" in signature.lower()
    assert verifies(server.data, public)
    for old, new in ((b"One-Click", b"Two-Click"), (LINK.encode(), b"https://evil.example/u/"), (b"afspraak", b"Afspraak")):
        assert old in server.data
        assert not verifies(server.data.replace(old, new), public)
    assert not verifies(b"From: evil@example.org\r\n" + server.data, public)
    assert rest


async def test_the_signature_holds_for_what_a_server_got_over_the_wire(pem: tuple[str, bytes]) -> None:
    private, public = pem
    async with FakeSmtp() as fake:
        server = Smtp("127.0.0.1", fake.port, "none", local_hostname="test")
        sender = EmailSender(server, TOKENS, "zorg.example", LINK, Dkim("zorg.example", "sel", private))
        for notices in (1, 20):
            assert (await sender(a_call("email", notices))).kind == "sent"
        await server.close()
        assert len(fake.raw) == 2
        assert all(verifies(data, public) for data in fake.raw)


async def test_without_a_key_nothing_is_signed() -> None:
    server = Server()
    await EmailSender(server, TOKENS, "zorg.example", LINK)(a_call("email"))
    assert b"DKIM" not in server.data


@pytest.mark.parametrize("key", ["", None, "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"])
def test_a_key_that_cannot_be_read_is_refused_at_once(key: str | None) -> None:
    with pytest.raises(ValueError, match="DKIM"):
        Dkim("zorg.example", "sel", key)


def test_the_validity_is_at_least_a_minute() -> None:
    late = SmsSender(Gateway(), TOKENS, lambda: datetime(2026, 4, 17, 11, 14, 50, tzinfo=UTC))
    assert late._validity(at("2026-04-17 13:15")) == 60


class TestWhatCannotBeWorded:
    """A notice that no renderer can word, as one that lacks what it is about: it must not take others with it."""

    @staticmethod
    def call(channel: str, *kinds: str, **changes: Any) -> SendCall:
        """Notices by kind: `created` can be worded, `moved` lacks where from."""
        view = View(at("2026-04-17 13:15"), at("2026-04-17 14:15"), None)
        notices = tuple(Notice(id=f"n{number}", kind=kind, appointment="a", now=view) for number, kind in enumerate(kinds))  # type: ignore[arg-type]
        made = a_call(channel)
        return replace(made, delivery=replace(made.delivery, notices=notices), **changes)

    @staticmethod
    def sender(channel: str, gateway: Gateway) -> SmsSender | EmailSender:
        """A sender that reaches this provider."""
        sms = SmsSender(gateway, TOKENS, lambda: NOW)
        return sms if channel == "sms" else EmailSender(gateway, TOKENS, "zorg.example")  # type: ignore[arg-type]

    @pytest.mark.parametrize("channel", ["sms", "email"])
    @pytest.mark.parametrize(
        ("kinds", "wordless"),
        [
            (("moved",), ("n0",)), (("created", "moved"), ("n1",)), (("moved", "created", "moved"), ("n0", "n2")),
        ],
    )  # fmt: skip
    async def test_it_is_named_and_nothing_is_sent(self, channel: str, kinds: tuple[str, ...], wordless: tuple[str, ...]) -> None:
        gateway = Gateway()
        with capture_logs() as lines:
            outcome = await self.sender(channel, gateway)(self.call(channel, *kinds))
        assert (outcome.kind, outcome.wordless, gateway.calls) == ("no_words", wordless, [])
        (line,) = [line for line in lines if line["event"] == "notices cannot be worded"]
        assert (line["message"], line["notices"], "sentences.py" in line["error"]) == ("m1", len(wordless), True)

    def test_where_only_all_together_cannot_be_worded_all_are_named(self) -> None:
        call = self.call("email", "created", "created")
        nowhere = replace(call, organisation=replace(call.organisation, time_zone="Nowhere/At_All"))
        assert succeed(nowhere).wordless == ("n0", "n1")

    def test_the_simulation_answers_as_the_senders_do(self) -> None:
        assert (succeed(self.call("sms", "created", "moved")).wordless) == ("n1",)
        assert succeed(self.call("sms", "created")).kind == "sent"
