"""Personal data, marked, goes through a whole worker: it comes out at the providers, and nowhere else.

Logs, metrics and Kafka headers are copied, kept and read by people who have no business with a client. The ids of
organisation, client, appointment and message are pseudonyms and may be logged; what stands behind them may not.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest

from agents import providers
from agents.engine.worker import Worker
from agents.logs import configure
from agents.monitoring.metrics import Metrics
from agents.tokens import Tokens
from agents.worker.senders import EmailSender, SmsSender
from schemas.topics import DEAD_LETTERS
from streams.sending.outcomes import Outcome

from .memory_worker import NOON, MemoryWorker, Sender

NUMBER, ADDRESS = "+31687654321", "geheim.persoon@mark.example"
MARKS = (
    "31687654321", "687654321", "geheim", "persoon", "Mosterdhof", "Zeldzaamheid", "vragenlijst.example", "kuiper", "Beste",
)  # fmt: skip
"""What the events below say of people, and what is said to them: of each a part by which it is recognised."""

SETTINGS = {
    "organisation": "zorg", "name": "Stichting Kuiper", "notifications": True, "time_zone": "Europe/Amsterdam",
    "window": {"quiet_seconds": 0, "max_seconds": 0}, "reminder": {"days_before": 1, "at": "10:00"}, "quiet_hours": None,
    "sms": {"originator": "Kuiper", "before": "Beste Zeldzaamheid:", "after": "", "unit_price": 0.08, "currency": "EUR"},
    "email": {
        "from": "kuiper@example.org", "reply_to": None, "subject": "Zeldzaamheid", "before": "Beste Zeldzaamheid,", "after": "",
    },
}  # fmt: skip


def consent(client: str, channel: str) -> dict[str, Any]:
    return {"organisation": "zorg", "client": client, "notifications": True, "channels": [channel], "source": "ecd"}


def contact(client: str, **changes: Any) -> dict[str, Any]:
    ids = {"organisation": "zorg", "client": client}
    sms, email = {"number": NUMBER, "confirmed": True}, {"address": ADDRESS, "confirmed": True}
    return {**ids, "sms": sms, "email": email, **changes}


def visit(id_: str, client: str, day: int, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": "zorg", "appointment": id_, "revision": 1, "status": "booked",
        "start": f"2026-03-{day:02}T13:15:00+01:00", "end": f"2026-03-{day:02}T14:15:00+01:00",
        "location": {"name": "Mosterdhof"}, "series": None,
        "clients": [{"client": client, "present": True}], **changes,
    }  # fmt: skip


def request(client: str, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": "zorg", "client": client, "request": "r", "party": "roqua",
        "text": "Zeldzaamheid: https://vragenlijst.example/geheim", "subject": "Zeldzaamheid", "send_at": None,
        "expires_at": None,
        **changes,
    }  # fmt: skip


BROKEN: list[tuple[str, str, Any]] = [
    ("contacts", "zorg/c1", contact("c1", sms={"number": ["geheim 687654321"], "confirmed": True})),
    ("contacts", "zorg/c1", contact("c1", email={"address": {"geheim": "persoon"}, "confirmed": True})),
    ("contacts", "zorg/c1", contact("c1", email={"address": "geheim persoon", "confirmed": "persoon"})),
    ("contacts", "zorg/c1", contact("c1", sms={"number": "geheim", "confirmed": "geheim"})),
    ("contacts", "zorg/c1", b'{"organisation":"zorg","client":"c1","sms":{"number":"+31687654321"'),
    ("contacts", "zorg/c1", b"\xff geheim"),
    ("contacts", "zorg/c2", contact("c1")),
    ("appointments", "zorg/x", visit("x", "c1", 9, location={"name": ["Mosterdhof"]})),
    ("appointments", "zorg/x", visit("x", "c1", 9, location="Mosterdhof")),
    ("appointments", "zorg/x", visit("x", "c1", 9, start="Mosterdhof")),
    ("appointments", "zorg/x", visit("x", "c1", 9, status="geheim")),
    ("appointments", "zorg/x", visit("x", "c1", 9, clients=["persoon"])),
    ("requests", "zorg/c1", request("c1", text="http://vragenlijst.example/geheim")),
    ("requests", "zorg/c1", request("c1", text="geheim " * 200)),
    ("requests", "zorg/c1", request("c1", send_at="geheim")),
    ("organisations", "zorg", {**SETTINGS, "time_zone": "Mosterdhof/Zeldzaamheid"}),
    ("organisations", "zorg", {**SETTINGS, "sms": {**SETTINGS["sms"], "before": "geheim" * 50}}),  # type: ignore[dict-item]
    ("organisations", "zorg", {**SETTINGS, "email": {**SETTINGS["email"], "from": "geheim"}}),  # type: ignore[dict-item]
    ("opt-outs", "zorg/c1", {"organisation": "zorg", "client": "c1", "channel": "geheim", "off": True, "source": "persoon"}),
]


class Provider:
    """Everything that can become of a call, in turn; what it raises quotes what it was given, as libraries do."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def __call__(self, call: Any) -> Any:
        self.calls.append(call)
        said = f"{call.recipient} refused: {getattr(call, 'body', '') or call.data.decode(errors='replace')}"
        number = len(self.calls) % 6
        if number == 0:
            raise ValueError(said)
        if number == 1:
            raise ConnectionError(said) from KeyError(said)
        kinds: tuple[providers.AnswerKind, ...] = ("sent", "retry", "permanent_address", "stop")
        return providers.ProviderAnswer(kind=kinds[number - 2], detail="code 9")

    async def close(self) -> None: ...


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    out = io.StringIO()
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in ("engine", "agents.engine")}
    handlers, level = root.handlers[:], root.level
    configure("debug", "json", out)
    yield out
    root.handlers[:], root.level = handlers, level
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
    logging.captureWarnings(False)


async def everything(metrics: Metrics) -> tuple[MemoryWorker, Provider]:
    """All that a worker meets: good events and bad ones, on both channels, and providers at their worst."""
    provider = Provider()
    tokens = Tokens(("k" * 32,), "unsubscribe")
    senders: dict[str, Sender] = {
        "sms": SmsSender(provider, tokens, lambda: NOON),
        "email": EmailSender(provider, tokens, "mail.example", "https://afspraakbericht.example/u/"),
    }
    worker = MemoryWorker(senders, metrics, NOON)

    def feed(topic: str, key: str, value: Any) -> None:
        worker.feed(topic, key.encode(), value if value is None or isinstance(value, bytes) else orjson.dumps(value))

    feed("organisations", "zorg", SETTINGS)
    for client, channel in (("c1", "sms"), ("c2", "email")):
        feed("consents", f"zorg/{client}", consent(client, channel))
        feed("contacts", f"zorg/{client}", contact(client))
        for number in range(8):
            feed("appointments", f"zorg/{client}-{number}", visit(f"{client}-{number}", client, 10 + number))
        feed("requests", f"zorg/{client}", request(client))
    await worker.settle()
    for topic, key, value in BROKEN:
        feed(topic, key, value)
    for _ in range(12):
        await worker.settle(minutes=11)
    for _ in range(8):
        await worker.settle(days=1)
    await worker.stop()
    return worker, provider


async def test_what_is_personal_is_in_no_log_metric_or_header(logged: io.StringIO) -> None:
    metrics = Metrics()
    worker, provider = await everything(metrics)
    logs, figures = logged.getvalue(), generate_latest(metrics.registry).decode()
    headers = b" ".join(part for output in worker.written for pair in output.headers for part in (pair[0].encode(), pair[1]))

    sent = " ".join(f"{call.recipient} {getattr(call, 'body', '')}" for call in provider.calls)
    assert NUMBER in sent, "the marked data did go through"
    assert ADDRESS in sent
    assert "Mosterdhof" in sent
    assert "ConnectionError" in logs, "what a provider does wrong is logged"
    dead = [output for output in worker.written if output.topic == DEAD_LETTERS.name]
    assert len(dead) >= len(BROKEN) - 3, "what is bad is set aside"
    assert 'provider_calls_failed_total{channel="sms"}' in figures
    for mark in MARKS:
        assert mark.lower() not in logs.lower(), f"{mark} is in the log"
        assert mark.lower() not in figures.lower(), f"{mark} is in the metrics"
        assert mark.lower().encode() not in headers.lower(), f"{mark} is in a header"


async def test_addresses_in_the_delivery_log_are_masked() -> None:
    worker, _ = await everything(Metrics())
    said = b"".join(output.value or b"" for output in worker.written if output.topic == "delivery-log")

    assert b'"sent"' in said
    assert b"687654321" not in said
    assert b"geheim.persoon" not in said
    assert b"vragenlijst.example" not in said, "a request's link may be a secret"


def test_what_a_library_says_is_masked(logged: io.StringIO) -> None:
    log = logging.getLogger("engine")
    log.warning("cannot reach %s nor %s nor 06 12345678", NUMBER, ADDRESS)
    try:
        raise ValueError(f"no such mailbox: <{ADDRESS}>, call {NUMBER}")
    except ValueError:
        log.exception("it failed")

    said = logged.getvalue()
    assert "cannot reach (number) nor (address) nor (number)" in said
    assert "ValueError: no such mailbox: <(address)>, call (number)" in said


@pytest.mark.parametrize(
    "line", ["deliveries-sms/3 ends at 612345678901", "offset 31612", "took 8 partitions in 0.47 s", "2026-03-02T12:00:00+01:00"]
)
def test_what_is_no_number_stays(logged: io.StringIO, line: str) -> None:
    logging.getLogger("engine").warning(line)

    assert line in logged.getvalue()


def test_an_outcome_has_no_field_for_what_was_sent_to_whom() -> None:
    assert set(Outcome.__struct_fields__) >= {"kind", "detail", "text", "each", "piece", "provider", "retry_after"}
    assert not {"address", "recipient", "number"} & set(Outcome.__struct_fields__)


def test_a_signal_does_not_print_local_variables(capfd: pytest.CaptureFixture[str]) -> None:
    """Those of mode would: SIGUSR1 all of every task, SIGUSR2 a debugger that has them."""
    secret = NUMBER
    Worker._on_sigusr1(Worker.__new__(Worker))
    Worker._on_sigusr2(Worker.__new__(Worker))

    said = capfd.readouterr().err
    assert "test_privacy.py" in said, "it says where everything is"
    assert secret not in said
