"""E-mail through the real client library and real sockets, against the fake server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.fakes.smtp import FakeSmtp, ScriptedAnswer
from agents.main import main
from agents.providers import EmailCall, ProviderAnswer, SmsCall, smtp
from agents.providers.smtp import Smtp

DATA = b"From: zorg@zorg.example\r\nSubject: Uw afspraak\r\nMessage-ID: <m1@zorg.example>\r\n\r\nTot dan.\r\n.\r\n..\r\n"
CALL = EmailCall(message="m1", mail_from="Zorg Oost <zorg@zorg.example>", recipient="jan@example.org", data=DATA)


def to(recipient: str) -> EmailCall:
    return msgspec.structs.replace(CALL, recipient=recipient)


@contextlib.asynccontextmanager
async def sender(fake: FakeSmtp, **settings: Any) -> AsyncIterator[Smtp]:
    defaults: dict[str, Any] = {"tls": "none", "timeout": 10.0, "local_hostname": "worker.example"}
    send = Smtp("127.0.0.1", fake.port, **{**defaults, **settings})
    yield send
    await send.close()


@pytest.fixture
async def fake() -> AsyncIterator[FakeSmtp]:
    async with FakeSmtp() as fake:
        yield fake


@pytest.fixture
async def send(fake: FakeSmtp) -> AsyncIterator[Smtp]:
    async with sender(fake, connections=1) as send:
        yield send


SENT = "smtp: 250 2.0.0 data"


async def test_a_mail_arrives_byte_by_byte(fake: FakeSmtp, send: Smtp) -> None:
    assert await send(CALL) == ProviderAnswer(kind="sent", detail=SENT, provider_id="FAKE000001")

    [message] = fake.received.messages
    assert (message["mail_from"], message["recipients"]) == ("zorg@zorg.example", ["jan@example.org"])
    assert fake.raw == [message["data"].encode()] == [DATA]


REFUSALS: list[tuple[ScriptedAnswer, ProviderAnswer]] = [
    (ScriptedAnswer(), ProviderAnswer(kind="permanent_address", detail="smtp: 550 5.1.1 rcpt")),
    (ScriptedAnswer(reply="450 4.1.1 user unknown"), ProviderAnswer(kind="retry", detail="smtp: 450 4.1.1 rcpt")),
    (ScriptedAnswer(reply="552 5.2.2 Mailbox full"), ProviderAnswer(kind="retry", detail="smtp: 552 5.2.2 rcpt")),
    (ScriptedAnswer(reply="550 5.7.1 Relaying denied"), ProviderAnswer(kind="stop", detail="smtp: 550 5.7.1 rcpt")),
    (ScriptedAnswer(reply="252 Perhaps"), ProviderAnswer(kind="retry", detail="smtp: -1 rcpt")),
    (ScriptedAnswer(reply="gibberish"), ProviderAnswer(kind="retry", detail="smtp: -1 rcpt")),
    (ScriptedAnswer(at="connect", reply="554 No service"), ProviderAnswer(kind="stop", detail="smtp: 554 connect")),
    (ScriptedAnswer(at="connect", reply="421 Busy"), ProviderAnswer(kind="retry", detail="smtp: 421 connect")),
    (ScriptedAnswer(at="ehlo", reply="550 Bad name"), ProviderAnswer(kind="stop", detail="smtp: 550 ehlo")),
    (
        ScriptedAnswer(at="mail", reply="550 5.1.8 Sender rejected"),
        ProviderAnswer(kind="stop", whose="organisation", detail="smtp: 550 5.1.8 mail"),
    ),
    (
        ScriptedAnswer(at="data", reply="554 5.5.1 No valid recipients"),
        ProviderAnswer(kind="stop", detail="smtp: 554 5.5.1 data"),
    ),
    (
        ScriptedAnswer(at="payload", reply="554 5.6.0 Bad header"),
        ProviderAnswer(kind="permanent_message", detail="smtp: 554 5.6.0 data"),
    ),
    (ScriptedAnswer(at="payload", reply="451 4.7.1 Later"), ProviderAnswer(kind="retry", detail="smtp: 451 4.7.1 data")),
    (ScriptedAnswer(at="payload", reply="421 Going down"), ProviderAnswer(kind="retry", detail="smtp: 421 data")),
    # After the message was handed over, what is no answer leaves it unknown.
    (ScriptedAnswer(at="payload", reply="gibberish", keep=True), ProviderAnswer(kind="unknown", detail="smtp: -1 data")),
    (
        ScriptedAnswer(at="payload", do="drop", keep=True),
        ProviderAnswer(kind="unknown", detail="smtp: SMTPServerDisconnected data"),
    ),
]


@pytest.mark.parametrize(("rule", "outcome"), REFUSALS, ids=[f"{rule.at} {rule.do} {rule.reply}" for rule, _ in REFUSALS])
async def test_a_refusal_becomes_an_outcome_and_the_next_mail_goes_out(
    fake: FakeSmtp, send: Smtp, rule: ScriptedAnswer, outcome: ProviderAnswer
) -> None:
    fake.program(msgspec.structs.replace(rule, times=1))

    assert await send(CALL) == outcome
    assert (await send(to("piet@example.org"))).detail == SENT
    assert [m["recipients"] for m in fake.received.messages] == [["jan@example.org"]] * rule.keep + [["piet@example.org"]]


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
async def test_a_connection_dropped_before_the_message_is_tried_once_more(fake: FakeSmtp, send: Smtp, at: Any) -> None:
    fake.program(ScriptedAnswer(at=at, do="drop", times=1))
    assert (await send(CALL)).kind == "sent"

    fake.program(ScriptedAnswer(at=at, do="drop", times=2))
    assert await send(CALL) == ProviderAnswer(kind="retry", detail=f"smtp: SMTPServerDisconnected {at}")
    assert len(fake.received.messages) == 1


async def test_a_connection_dropped_after_the_message_is_not_tried_again(fake: FakeSmtp, send: Smtp) -> None:
    fake.program(ScriptedAnswer(at="payload", do="drop", keep=True))

    assert (await send(CALL)).kind == "unknown"
    assert len(fake.received.messages) == 1


@pytest.mark.parametrize(("at", "kind"), [("connect", "retry"), ("mail", "retry"), ("data", "retry"), ("payload", "unknown")])
async def test_a_server_that_hangs_is_left_in_time(fake: FakeSmtp, at: Any, kind: str) -> None:
    fake.program(ScriptedAnswer(at=at, do="hang"))

    async with sender(fake, timeout=1.0) as send:
        assert (await send(CALL)).kind == kind


async def test_one_connection_serves_many_and_is_opened_anew_after_its_share(fake: FakeSmtp) -> None:
    async with sender(fake, connections=1, per_connection=2) as send:
        assert [(await send(CALL)).kind for _ in range(5)] == ["sent"] * 5

    assert fake.connections == 3


async def test_no_more_connections_than_allowed_and_none_without_need(fake: FakeSmtp) -> None:
    async with sender(fake, connections=3) as send:
        assert (await send(CALL)).kind == (await send(CALL)).kind == "sent"
        assert fake.connections == 1
        assert [outcome.kind for outcome in await asyncio.gather(*(send(CALL) for _ in range(20)))] == ["sent"] * 20

    assert fake.connections <= 3


async def test_who_waits_for_a_connection_in_vain_was_not_sent(fake: FakeSmtp) -> None:
    fake.program(ScriptedAnswer(at="payload", do="hang"))

    async with sender(fake, connections=1, timeout=4.0) as send:
        outcomes = await asyncio.gather(send(CALL), send(CALL))
    assert [outcome.kind for outcome in outcomes] == ["unknown", "retry"]


async def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew(fake: FakeSmtp, send: Smtp) -> None:
    assert (await send(CALL)).kind == "sent"
    fake.cut()

    assert (await send(CALL)).kind == "sent"
    assert fake.connections == 2


async def test_a_kept_connection_that_gets_421_is_opened_anew(fake: FakeSmtp, send: Smtp) -> None:
    assert (await send(CALL)).kind == "sent"
    fake.program(ScriptedAnswer(at="mail", reply="421 4.4.2 timeout exceeded", times=1))

    assert (await send(CALL)).kind == "sent"


async def test_an_idle_connection_is_opened_anew(fake: FakeSmtp, send: Smtp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.0)

    assert [(await send(CALL)).kind for _ in range(2)] == ["sent"] * 2
    assert fake.connections == 2


async def test_a_cancelled_send_does_not_spoil_the_next_one(fake: FakeSmtp, send: Smtp) -> None:
    fake.program(ScriptedAnswer(at="payload", do="hang", keep=True, times=1))
    cancelled = asyncio.create_task(send(CALL))
    while not fake.received.messages:
        await asyncio.sleep(0.01)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled

    assert await send(to("piet@example.org")) == ProviderAnswer(kind="sent", detail=SENT, provider_id="FAKE000002")


async def test_without_a_server_nothing_was_sent(fake: FakeSmtp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert await Smtp("127.0.0.1", port)(CALL) == ProviderAnswer(kind="retry", detail="smtp: SMTPConnectError connect")
    assert (await Smtp("no-such-host.invalid", 587, timeout=5.0)(CALL)).kind == "retry"


async def test_a_server_without_starttls_gets_nothing(fake: FakeSmtp) -> None:
    async with sender(fake, tls="starttls") as send:
        assert await send(CALL) == ProviderAnswer(kind="stop", detail="smtp: SMTPException starttls")
    async with sender(fake, tls="tls") as send:
        assert await send(CALL) == ProviderAnswer(kind="stop", detail="smtp: SSLError connect")


CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"


@pytest.fixture
async def encrypted() -> AsyncIterator[FakeSmtp]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    async with FakeSmtp(tls_context=context, users={"zorg": "geheim"}) as fake:
        yield fake


def trusting(fake: FakeSmtp, password: str) -> contextlib.AbstractAsyncContextManager[Smtp]:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    return sender(fake, tls="starttls", user="zorg", password=password, tls_context=context)


async def test_a_login_over_starttls(encrypted: FakeSmtp) -> None:
    async with trusting(encrypted, "geheim") as send:
        assert (await send(CALL)).kind == (await send(CALL)).kind == "sent"
    assert encrypted.connections == 1


async def test_a_wrong_password_stops(encrypted: FakeSmtp) -> None:
    async with trusting(encrypted, "fout") as send:
        assert await send(CALL) == ProviderAnswer(kind="stop", detail="smtp: 535 5.7.8 auth")


async def test_a_login_that_is_required_but_not_set_stops(encrypted: FakeSmtp) -> None:
    async with sender(encrypted) as send:
        assert await send(CALL) == ProviderAnswer(kind="stop", detail="smtp: 530 5.7.0 mail")


async def test_a_certificate_that_is_not_trusted_stops(encrypted: FakeSmtp) -> None:
    async with sender(encrypted, tls="starttls") as send:
        assert await send(CALL) == ProviderAnswer(kind="stop", detail="smtp: SSLCertVerificationError starttls")


ODD = """
jan
@example.org
jan@
jan jansen@example.org
Jan <jan@example.org>
jan@example.org,piet@example.org
jan>@example.org
"jan jansen"@example.org
jan@[192.0.2.1]
jan..j@example.org
jan@example..org"""


@pytest.mark.parametrize(
    "address", [*ODD.split("\n"), "jan@example.org\r\nRCPT TO:<piet@example.org>", "x" * 65 + "@example.org"]
)
async def test_what_is_no_address_reaches_no_server(fake: FakeSmtp, send: Smtp, address: str) -> None:
    assert await send(to(address)) == ProviderAnswer(kind="permanent_address", detail="smtp: not an address")
    assert fake.connections == 0


async def test_one_organisations_bad_sender_does_not_stop_the_others(fake: FakeSmtp, send: Smtp) -> None:
    outcome = await send(msgspec.structs.replace(CALL, mail_from="Zorg Oost"))
    assert (outcome.kind, outcome.whose) == ("stop", "organisation")


@pytest.mark.parametrize(
    ("mail_from", "sender"),
    [
        ("Zorg, Huis <post@noord.example>", "post@noord.example"),
        ("Zorg (Noord); [a] @ <post@noord.example>", "post@noord.example"),
        ("post@straße.nl", "post@xn--strae-oqa.nl"),
    ],
)
async def test_the_envelope_has_the_address_of_any_sender(fake: FakeSmtp, send: Smtp, mail_from: str, sender: str) -> None:
    assert (await send(msgspec.structs.replace(CALL, mail_from=mail_from))).kind == "sent"
    assert fake.received.messages[0]["mail_from"] == sender


async def test_the_envelope_names_a_domain_by_idna_2008(fake: FakeSmtp, send: Smtp) -> None:
    assert (await send(to("jan@faß.example"))).kind == "sent"
    assert fake.received.messages[0]["recipients"] == ["jan@xn--fa-hia.example"]


async def test_an_address_outside_ascii_needs_a_server_that_takes_it(fake: FakeSmtp, send: Smtp) -> None:
    assert (await send(to("zoë@example.org"))).kind == "sent"
    assert fake.received.messages[0]["recipients"] == ["zoë@example.org"]
    async with FakeSmtp(smtputf8=False) as plain, sender(plain) as other:
        assert (await other(to("zoë@example.org"))).kind == "permanent_address"
        assert (await other(to("jan@zoë.example"))).kind == "sent"
        assert plain.received.messages[0]["recipients"] == ["jan@xn--zo-ija.example"]


async def test_a_mail_over_the_servers_size_is_not_taken() -> None:
    async with FakeSmtp(size_limit=50) as small, sender(small) as send:
        assert await send(CALL) == ProviderAnswer(kind="permanent_message", detail="smtp: 552 mail")


def test_a_call_shows_neither_address_nor_text() -> None:
    sms = SmsCall(message="m1", reference="m1", originator="Zorg", recipient="+31612345678", body="Tot dan.", unicode=False)

    assert (repr(CALL), repr(sms)) == ("EmailCall(message='m1')", "SmsCall(message='m1', piece=0)")


async def test_what_was_received_is_on_disk_before_the_answer(tmp_path: Path) -> None:
    record = tmp_path / "received.jsonl"
    async with FakeSmtp(record=record) as fake, sender(fake) as send:
        await send(CALL)
        assert json.loads(record.read_bytes())["message_id"] == "<m1@zorg.example>"


def test_the_server_says_that_its_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["fake-smtp", "--port", str(taken.getsockname()[1])]) == 2
        assert main(["fake-smtp", "--rule", '{"at": "lunch"}']) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
