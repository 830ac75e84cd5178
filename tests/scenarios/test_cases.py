"""Small inputs from public reports of people who do this job, names made up: each file of `cases` with what must come of it.

A row: the file, until when, the sentences that go out, what does not go out and why, and how many lines are refused.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from datetime import datetime
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from agents.commands.simulate import Run
from agents.fakes.smtp import FakeSmtp
from agents.providers.smtp import Smtp
from agents.worker.senders import EmailSender
from agents.worker.wording import succeed
from streams.sending.outcomes import Outcome, SendCall
from streams.simulation import Provider, Simulation

CASES = Path(__file__).parent / "cases"
FRIDAY = "vrijdag 17 januari 2020"
SUBJECT = "Bericht over uw afspraak"
CREATED = f"Er is een afspraak met u gemaakt op {FRIDAY} van 13:15 tot 14:15."
SERIES = f"Er zijn herhalende afspraken met u gemaakt op {FRIDAY} van 13:15 tot 14:15 en de daarop volgende."


class Case(NamedTuple):
    until: str
    sent: list[str]
    not_sent: tuple[str, ...] = ()
    refused: int = 0


def later(day: str) -> str:
    return f"Er is een afspraak met u gemaakt op {day} van 13:15 tot 14:15."


RESTORED = [
    SERIES, "Uw afspraak op vrijdag 24 januari 2020 is geannuleerd.", later("vrijdag 24 januari 2020"),
]  # fmt: skip
EXPECTED: dict[str, Case] = {
    "series-reissued-with-new-ids": Case("2020-01-07T11:00:00+01:00", [SERIES], ("same",)),
    "series-occurrence-restored": Case("2020-01-07T12:00:00+01:00", RESTORED),
    "group-series-client-taken-off-and-back": Case("2020-01-07T12:00:00+01:00", RESTORED),
    "series-made-while-contact-unconfirmed": Case(
        "2020-01-08T10:00:00+01:00", [later("vrijdag 7 februari 2020")], ("contact_unconfirmed",)
    ),
    "series-over-then-extended": Case("2020-01-29T00:00:00+01:00", [SERIES, later("vrijdag 7 februari 2020")]),
    "location-becomes-blank": Case(
        "2020-01-07T13:00:00+01:00",
        [f"{CREATED} Locatie: De Linde.", f"Er is een afspraak met u gemaakt op {FRIDAY} van 14:15 tot 15:15."],
    ),
    "location-trailing-space": Case("2020-01-07T11:00:00+01:00", [f"{CREATED} Locatie: De Linde."]),
    "moved-by-seconds": Case("2020-01-07T11:00:00+01:00", [CREATED]),
    "two-on-a-day-one-cancelled": Case(
        "2020-01-07T11:00:00+01:00",
        [
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 09:00 tot 09:30. {CREATED}",
            f"Uw afspraak op {FRIDAY} van 09:00 tot 09:30 is geannuleerd.",
        ],
    ),
    "replaced-by-a-new-id-same-time": Case("2020-01-07T11:00:00+01:00", [CREATED], ("same",)),
    "booked-twice-upstream": Case(
        "2020-01-17T00:00:00+01:00", [CREATED, "U heeft een afspraak op 17 januari om 13:15."], ("same",)
    ),
    "zone-changed-after-the-reminder": Case(
        "2020-01-19T00:00:00+01:00",
        [
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 23:30 tot 23:45.",
            "U heeft een afspraak op 17 januari om 23:30.",
            f"Uw afspraak op {FRIDAY} van 23:30 tot 23:45 is verplaatst naar zaterdag 18 januari 2020 van 00:30 tot 00:45.",
            "U heeft een afspraak op 18 januari om 00:30.",
        ],
    ),
    "zone-corrected-after-it-was-told": Case(
        "2020-01-07T14:00:00+01:00",
        [
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 12:15 tot 13:15.",
            f"Uw afspraak op {FRIDAY} van 12:15 tot 13:15 is verplaatst naar {FRIDAY} van 13:15 tot 14:15.",
        ],
    ),
    "two-whole-days": Case(
        "2020-01-07T10:00:00+01:00", ["Er is een afspraak met u gemaakt van vrijdag 17 tot en met zaterdag 18 januari 2020."]
    ),
    "no-duration": Case("2020-01-07T10:00:00+01:00", [f"Er is een afspraak met u gemaakt op {FRIDAY} om 13:15."]),
    "window-zero-series": Case(
        "2020-01-07T10:00:00+01:00",
        [
            CREATED,
            *map(later, (
                "vrijdag 24 januari 2020", "vrijdag 31 januari 2020", "vrijdag 7 februari 2020", "vrijdag 14 februari 2020",
                "vrijdag 21 februari 2020",
            )),
        ],
    ),
    "cancelled-without-times": Case("2020-01-07T11:00:00+01:00", [CREATED, f"Uw afspraak op {FRIDAY} is geannuleerd."]),
    "client-listed-twice-in-a-group": Case("2020-01-07T10:00:00+01:00", [CREATED, CREATED]),
    "consent-withdrawn-with-an-unknown-channel": Case("2020-01-07T10:00:00+01:00", [], ("client_off",)),
    "contact-email-emptied-number-null": Case("2020-01-07T10:00:00+01:00", [], ("contact_unconfirmed",), 1),
    "contact-new-number-and-a-bad-email": Case("2020-01-07T10:00:00+01:00", [CREATED], (), 1),
    "created-with-an-empty-location-name": Case("2020-01-07T10:00:00+01:00", [CREATED]),
    "location-name-with-a-line-break": Case("2020-01-07T10:00:00+01:00", [f"{CREATED} Locatie: De Linde Kamer 3."]),
    "location-with-a-direction-override": Case("2020-01-07T10:00:00+01:00", [f"{CREATED} Locatie: ednil eD."]),
    "request-of-blanks": Case("2020-01-07T10:00:00+01:00", [], (), 1),
    "same-revision-other-content": Case("2020-01-07T11:00:00+01:00", [CREATED], (), 1),
    "revision-of-20-digits": Case("2020-01-07T10:00:00+01:00", [], (), 1),
    "number-with-two-trunk-zeros": Case("2020-01-07T10:00:00+01:00", [CREATED]),
    "made-a-minute-before-its-reminder": Case("2020-01-17T00:00:00+01:00", [CREATED], ("just_told",)),
    "sender-name-with-a-comma": Case("2020-01-07T10:00:00+01:00", [CREATED]),
    "subject-with-a-trailing-newline": Case("2020-01-07T10:00:00+01:00", [CREATED]),
    "sender-with-a-stray-bracket": Case("2020-01-07T10:00:00+01:00", [], ("organisation_off",), 1),
    "address-in-an-idn-with-sharp-s": Case("2020-01-07T10:00:00+01:00", [CREATED]),
    "address-with-a-trailing-newline": Case("2020-01-07T10:00:00+01:00", [CREATED]),
}  # fmt: skip

MAILED: dict[str, tuple[str, str, str]] = {
    "sender-name-with-a-comma": ("post@noord.example", "c1@example.org", SUBJECT),
    "subject-with-a-trailing-newline": ("noreply@noord.example", "c1@example.org", SUBJECT),
    "address-in-an-idn-with-sharp-s": ("noreply@noord.example", "jan@xn--fa-hia.example", SUBJECT),
    "address-with-a-trailing-newline": ("noreply@noord.example", "c1@example.org", SUBJECT),
}
"""Of those that are about an e-mail: the sender and the recipient on its envelope, and its subject."""


def test_every_case_has_its_row() -> None:
    assert {file.stem for file in CASES.glob("*.jsonl")} == set(EXPECTED)


def played(name: str, provider: Provider) -> list[dict[str, Any]]:
    """The delivery log of a case."""
    run = Run(Simulation(provider), datetime.fromisoformat(EXPECTED[name].until))
    return [orjson.loads(record) for record in run.records(io.BytesIO((CASES / f"{name}.jsonl").read_bytes()))]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_people_reported_comes_out_right(name: str) -> None:
    case, errors = EXPECTED[name], io.StringIO()
    with redirect_stderr(errors):
        log = played(name, succeed)
    sent = [record["text"] for record in log if record["status"] == "sent"]
    not_sent = tuple(record["detail"] or record["status"] for record in log if record["status"] != "sent")
    assert (sent, not_sent, errors.getvalue().count("line ")) == case[1:]


@pytest.mark.parametrize("name", MAILED)
async def test_an_email_arrives_for_whom_it_is_meant(name: str) -> None:
    calls: list[SendCall] = []

    def provider(call: SendCall) -> Outcome:
        calls.append(call)
        return succeed(call)

    played(name, provider)
    async with FakeSmtp() as fake:
        server = Smtp("127.0.0.1", fake.port, tls="none")
        outcomes = [(await EmailSender(server, None, "bericht.example")(call)).kind for call in calls]
        await server.close()
    (mail,) = fake.received.messages
    subject = message_from_string(mail["data"], policy=default)["Subject"]
    assert (outcomes, mail["mail_from"], *mail["recipients"], subject) == (["sent"], *MAILED[name])
