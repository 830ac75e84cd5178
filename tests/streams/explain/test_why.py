"""What `why` says, by rows: what happened to a client, and the sentences that must (not) be on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agents.commands.why import as_json, lines
from schemas.deliveries import LogRecord
from schemas.keys import ClientKey
from streams.explain.client import ClientSnapshot, Explanation, explain, is_wanted, snapshot_of
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World, at

REMINDER = {"days_before": 1, "at": "10:00"}
NIGHT = {"from": "21:00", "until": "08:00"}


def known(world: World, client: str = "anna") -> ClientSnapshot:
    rows = {
        store: {key: value for key, value in kept.items() if is_wanted(key, ClientKey("zorg", client))}
        for store, kept in world.simulation.rows.items()
    }
    return snapshot_of(rows, [msgspec.convert(one, LogRecord) for one in world.log], ClientKey("zorg", client))


def explained(world: World, **wanted: Any) -> Explanation:
    return explain(known(world), world.now, **wanted)


def screen(world: World, **wanted: Any) -> str:
    return "\n".join(lines(explained(world, **wanted)))


def answering(world: World, outcome: Callable[[SendCall], Outcome]) -> World:
    world.simulation.provider = outcome
    return world


def booked(**settings: Any) -> World:
    return World(**settings).book("2026-03-10 13:15", location="De Linde")


def bounced() -> World:
    told = answering(World(), lambda call: Outcome(kind="permanent_address", detail="messagebird: 9"))
    return told.book("2026-03-10 13:15").wait("2026-03-02 09:01")


LABELS: dict[str, Any] = {"desk": {"notify": "none"}, "intake": {"notify": "reminder"}}
TWO: dict[str, Any] = {"reminders": [{"days_before": 2, "at": "10:00", "days": "working"}, REMINDER], "free_days": ["2026-03-09"]}

ROWS: dict[str, tuple[World, list[str], list[str]]] = {
    "a label of which nothing is to be said": (
        World(labels=LABELS).book("2026-03-10 13:15", label="desk").wait("2026-03-02 09:01"),
        ["label desk, notify none by its label (revision 1)", "not told yet: created, and is not to be"], [],
    ),
    "a label that its reminder is the first to tell": (
        World(labels=LABELS, reminder=REMINDER).book("2026-03-10 13:15", label="intake").wait("2026-03-02 09:01"),
        ["label intake, notify reminder by its label", "reminder of 2026-03-10: due at 2026-03-09 10:00:00"], [],
    ),
    "a telephone appointment between two times": (
        World().book(
            "2026-03-10 13:15", kind="phone",
            arrival={"from": "2026-03-10T13:30:00+01:00", "until": "2026-03-10T14:00:00+01:00"},
        ).wait("2026-03-02 09:01"),
        [
            "a: 2026-03-10 13:30 to 14:00 (arrival), phone (revision 1)",
            "“Er is een telefonische afspraak met u gemaakt op dinsdag 10 maart 2026 tussen 13:30 en 14:00. U wordt gebeld.”",
        ],
        [],
    ),
    "a client of another language": (
        World(languages=["nl", "en"]).feed("consents", "zorg/anna", {
            "organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "language": "en-GB",
        }).book("2026-03-10 13:15").wait("2026-03-02 09:01"),
        ["language en-GB", "“An appointment has been made for you on Tuesday 10 March 2026 from 13:15 to 14:15.”"], [],
    ),
    "two reminders of which one counts working days": (
        World(**TWO).book("2026-03-10 13:15").wait("2026-03-02 09:01"),
        ["reminder 1 of 2 of 2026-03-10: due at 2026-03-05 10:00:00", "reminder 2 of 2 of 2026-03-10: due at 2026-03-09 10:00:00",
         "free days: 2026-03-09"],
        [],
    ),
    "a place that is an address": (
        World().book("2026-03-10 13:15", location="Kerkstraat 12").wait("2026-03-02 09:01"),
        ["a: 2026-03-10 13:15 to 14:15, Kerkstraat 12 (an address: it is not said) (revision 1)", "13:15 to 14:15; sent by sms"],
        [],
    ),
    "told and sent": (
        booked().wait("2026-03-02 09:01"),
        [
            "consent: notifications by sms (says ecd)",
            "sms: +31*******78, confirmed",
            "a: 2026-03-10 13:15 to 14:15, De Linde (revision 1)",
            "counts as told: 2026-03-10 13:15 to 14:15, De Linde; sent by sms on 2026-03-02 09:00:30",
            "so a message decided now would go by sms",
            "2026-03-02 09:00:30 sent by sms to +31*******78: created a",
            "“Er is een afspraak met u gemaakt op dinsdag 10 maart 2026 van 13:15 tot 14:15. Locatie: De Linde.”",
            "no reminders: the organisation sends none",
        ],
        ["not told yet", "open window"],
    ),
    "an open window": (
        booked(),
        ["what changed (a) is decided at 2026-03-02 09:00:30", "told: nothing yet", "not told yet: created"],
        ["counts as told"],
    ),
    "a window of when notifications were off": (
        World("2026-03-02 20:59:50", quiet_hours=NIGHT, notifications=False).book("2026-03-10 13:15")
        .settings(quiet_hours=NIGHT, notifications=True),
        ["an open window of when notifications were off: what changed (a) counts as known at 2026-03-02 21:00:20"],
        ["quiet hours, so"],
    ),
    "a window that closes in quiet hours": (
        World("2026-03-02 20:59:50", quiet_hours=NIGHT).book("2026-03-10 13:15"),
        ["decided at 2026-03-02 21:00:20", "that is in quiet hours, so it is held until 2026-03-03 08:00:00"],
        [],
    ),
    "held by quiet hours": (
        World("2026-03-02 23:00", quiet_hours=NIGHT).book("2026-03-10 13:15").wait("2026-03-02 23:05"),
        ["held by quiet hours until 2026-03-03 08:00:00 (a)", "not told yet: created"],
        ["open window"],
    ),
    "opted out by the link of an e-mail": (
        World().consent(channels=["email"]).contact(email=True).opt_out("email")
        .book("2026-03-10 13:15").wait("2026-03-02 09:01"),
        [
            "opted out of email, by the unsubscribe link of an e-mail",
            "client_off: closed – every listed channel is opted out: email by link",
            "contact_unconfirmed: not reached",
            "a message decided now would be suppressed: client_off",
            "counts as told: 2026-03-10 13:15 to 14:15; but the client did not get that: suppressed (client_off)",
            "client_off – the client's notifications were off, no channel was listed, or each listed one was opted out when",
        ],
        [],
    ),
    "opted out of the first channel": (
        World().consent(channels=["email", "sms"]).contact(email=True).opt_out("email"),
        ["client_off: open – left of the listed channels: sms; opted out: email by link", "would go by sms"],
        [],
    ),
    "the client came before the move was told": (
        booked().wait("2026-03-02 09:01").book("2026-03-10 15:00", rev=2, status="arrived").wait("2026-03-02 09:02"),
        [
            "a: 2026-03-10 15:00 to 16:00, De Linde, the client is there: nothing more is said or reminded (revision 2)",
            "counts as told: 2026-03-10 15:00 to 16:00",
            "outcome – the client came, or stayed away, before this was told: it is known as it then was",
        ],
        ["not told yet", "reminder of 2026-03-10"],
    ),
    "the client did not come": (
        booked(reminder=REMINDER).wait("2026-03-02 09:01").book("2026-03-10 13:15", rev=2, status="noshow"),
        ["a: 2026-03-10 13:15 to 14:15, De Linde, the client did not come (revision 2)"],
        ["reminder of 2026-03-10"],
    ),
    "no consent is known": (
        World(bare=True).settings().contact(),
        ["consent: not known, and what is unknown is off", "client_off: closed – no consent is known"],
        [],
    ),
    "notifications are off": (
        World().consent(notifications=False),
        ["consent: no notifications; channels listed: sms (says ecd)", "client_off: closed – the client wants no notifications"],
        [],
    ),
    "no channel is listed": (World().consent(channels=[]), ["client_off: closed – no channel is listed"], []),
    "a number that was not confirmed then and is now": (
        World().contact(sms=False).book("2026-03-10 13:15").wait("2026-03-02 09:01").contact(),
        [
            "contact_unconfirmed: open – sms is the first that can be used",
            "counts as told: 2026-03-10 13:15 to 14:15; but the client did not get that: suppressed (contact_unconfirmed)",
            "contact_unconfirmed – no listed channel had a number or address that was confirmed and can get messages when",
        ],
        ["contact_unconfirmed: closed"],
    ),
    "a number that is not confirmed": (World().contact(sms=False), ["contact_unconfirmed: closed – sms: not confirmed"], []),
    "a number that a provider refused": (
        bounced(),
        [
            "sms: +31*******78, confirmed, a provider said that it takes no messages",
            "contact_unconfirmed: closed – sms: a provider said that it takes no messages",
            "it was refused for good (messagebird: 9)",
            "rerouted – nobody can have got it there",
            "but the client did not get that: suppressed (contact_unconfirmed)",
        ],
        [],
    ),
    "the organisation is off": (
        World(notifications=False).book("2026-03-10 13:15").wait("2026-03-02 09:01"),
        [
            "organisation_off: closed – the organisation's notifications are off",
            "organisation_off – the organisation's notifications were off, or its settings not known when it was decided",
        ],
        [],
    ),
    "the organisation is not known": (
        World(bare=True).consent().contact(),
        ["organisation: its settings are not known", "organisation_off: closed – the organisation's settings are not known"],
        [],
    ),
    "the client is not present": (
        World().book("2026-03-10 13:15", clients=[{"client": "anna", "present": False}]).wait("2026-03-02 09:01"),
        [
            "absent: closed – the client is not present on a",
            "a: 2026-03-10 13:15 to 14:15, client not present",
            "told: nothing yet",
            "not told yet: created, held back until the client is present",
            "absent – the client was not present on the appointment",
        ],
        [],
    ),
    "a reminder to come": (
        booked(reminder=REMINDER).wait("2026-03-02 09:01"),
        ["reminder: 1 day before, at 10:00", "reminder of 2026-03-10: due at 2026-03-09 10:00:00"],
        ["suppressed"],
    ),
    "a reminder to come of a client who is off by now": (
        booked(reminder=REMINDER).wait("2026-03-02 09:01").consent(notifications=False),
        ["reminder of 2026-03-10: due at 2026-03-09 10:00:00; as things are now it would be suppressed: client_off"],
        [],
    ),
    "a reminder that quiet hours hold back": (
        booked(reminder={"days_before": 2, "at": "07:00"}, quiet_hours=NIGHT).wait("2026-03-02 09:01"),
        ["due at 2026-03-08 08:00:00 (quiet hours hold it back from 2026-03-08 07:00:00)"],
        [],
    ),
    "a reminder that was sent": (
        booked(reminder=REMINDER).wait("2026-03-09 10:00"),
        ["reminder of 2026-03-10: sent by sms on 2026-03-09 10:00:00"],
        ["due at"],
    ),
    "a reminder to come of what was told hours before": (
        World("2026-03-02 09:00", reminder=REMINDER).wait("2026-03-09 08:00").book("2026-03-10 13:15").wait("2026-03-09 08:01"),
        [
            "reminder: 1 day before, at 10:00, unless a message told all of it less than 12 hours before",
            "reminder of 2026-03-10: due at 2026-03-09 10:00:00; as things are now it would be suppressed: just_told",
        ],
        [],
    ),
    "a reminder that said nothing new": (
        World("2026-03-02 09:00", reminder=REMINDER).wait("2026-03-09 08:00").book("2026-03-10 13:15").wait("2026-03-09 10:00"),
        [
            "reminder of 2026-03-10: not sent on 2026-03-09 10:00:00: a message that went out shortly before said all of it",
            "just_told – a message that went out shortly before said all that the reminder would have said",
        ],
        ["did not get", "due at"],
    ),
    "reminders whatever was told": (
        booked(reminder={**REMINDER, "not_within_hours": 0}).wait("2026-03-02 09:01"),
        ["reminder: 1 day before, at 10:00; quiet hours: none"],
        ["unless"],
    ),
    "a reminder that settings came too late for": (
        booked().wait("2026-03-09 11:00").settings(reminder=REMINDER),
        ["reminder of 2026-03-10: none: 2026-03-09 10:00:00 is not after the last change of the settings (2026-03-09 11:00:00)"],
        [],
    ),
    "an appointment that was made too late for a reminder": (
        World("2026-03-09 11:00", reminder=REMINDER).book("2026-03-10 13:15").wait("2026-03-09 11:01"),
        ["none: 2026-03-09 10:00:00 is not after the last change of the settings"],
        ["due at"],
    ),
    "the same under settings that were there before": (
        World("2026-03-02 09:00", reminder=REMINDER).wait("2026-03-09 11:00").book("2026-03-10 13:15").wait("2026-03-09 11:01"),
        ["none: nothing of the day had been told when it fell due, at 2026-03-09 10:00:00"],
        ["due at"],
    ),
    "a series": (
        World()
        .book("2026-03-10 13:15", id="s1", series="fysio")
        .book("2026-03-17 13:15", id="s2", series="fysio")
        .wait("2026-03-02 09:01")
        .book("2026-03-24 13:15", id="s3", series="fysio")
        .wait("2026-03-02 09:02"),
        [
            "sent by sms to +31*******78: series_created s1, s2",
            "s2: 2026-03-17 13:15 to 14:15, series fysio",
            "series – an earlier message about the series says it already: “en de daarop volgende”",
        ],
        [],
    ),
    "expired": (
        World().book("2026-03-01 13:15").wait("2026-03-02 09:01"),
        ["expired: created a", "nothing that it would have said was still ahead"],
        [],
    ),
    "a request that waits": (
        World().request(send_at=at("2026-03-02 12:00").isoformat()),
        ["request roqua/r1: waits until 2026-03-02 12:00:00"],
        ["Wilt u de lijst invullen"],
    ),
    "an SMS of which nobody knows whether it went": (
        answering(World(), lambda call: Outcome(kind="unknown", detail="messagebird: no answer in time"))
        .book("2026-03-10 13:15").wait("2026-03-02 09:01"),
        [
            "sms message (created a, attempt 1): perhaps sent at 2026-03-02 09:00:30",
            "it waits for the provider's report until 2026-03-02 09:10:30",
            "the call ended without an answer: it may have been sent (messagebird: no answer in time)",
            "perhaps sent by sms on 2026-03-02 09:00:30, nobody knows",
        ],
        ["did not get"],
    ),
    "tried again later, and one behind it": (
        answering(World(), lambda call: Outcome(kind="retry", detail="messagebird: 99"))
        .book("2026-03-10 13:15").book("2026-03-12 13:15", id="b").wait("2026-03-02 09:00:35"),
        [
            "sms message (created a, attempt 1): the last attempt did not succeed (2026-03-02 09:00:30); tried again at",
            "sms message (created b, attempt 0): waiting since 2026-03-02 09:00:30, behind an earlier message of this client",
            "told: nothing yet\n"
            "    under way, and not known yet; not sent yet: an attempt by sms did not succeed on 2026-03-02 09:00:30",
            "under way since 2026-03-02 09:00:30, and not known yet: a",
        ],
        ["counts as told"],
    ),
    "a channel that is paused": (
        answering(World(), lambda call: Outcome(kind="stop", detail="messagebird: 25"))
        .book("2026-03-10 13:15").wait("2026-03-02 09:00:35"),
        ["retrying since 2026-03-02 09:00:30; next to go. If that lasts, the channel is paused"],
        [],
    ),
    "went in part": (
        answering(World(), lambda call: Outcome(kind="permanent_address", detail="9", piece=2, pieces=3, each=(9, 9)))
        .book("2026-03-10 13:15")
        .wait("2026-03-02 09:01"),
        ["failed by sms", "it was refused for good (9); 2 of 3 pieces had gone out", "it was decided anew"],
        [],
    ),
    "superseded": (
        answering(World(), lambda call: Outcome(kind="retry", detail="messagebird: 99") if call.now < at("2026-03-02 09:05")
                  else Outcome(kind="sent", text="x", each=(1,)))
        .book("2026-03-10 13:15").wait("2026-03-02 09:00:35").book("2026-03-10 14:15", rev=2).wait("2026-03-02 09:20"),
        ["superseded: created a", "not all of it was still so when it was about to be sent: what is so was decided anew"],
        [],
    ),
    "cancelled": (
        booked().wait("2026-03-02 09:01").book("2026-03-10 13:15", rev=2, status="cancelled").wait("2026-03-02 09:02"),
        [
            "a: 2026-03-10 13:15 to 14:15, De Linde, cancelled (revision 2)",
            "counts as told: nothing that is still so; sent by sms"],
        ["not told yet"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_screen_says(row: str) -> None:
    world, wanted, unwanted = ROWS[row]
    shown = screen(world)

    assert [text for text in wanted if text not in shown] == [], shown
    assert [text for text in unwanted if text in shown] == [], shown


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_no_address_is_shown_in_full(row: str) -> None:
    world = ROWS[row][0]
    shown = screen(world) + as_json(explained(world))

    assert "612345678" not in shown
    assert "anna@" not in shown


def test_one_appointment_only() -> None:
    world = World().book("2026-03-10 13:15").book("2026-03-12 13:15", id="b7").wait("2026-03-02 09:01")
    shown = screen(world, appointment="a")

    assert "created a" in shown
    assert "b7" not in shown


def test_history_from_a_moment_on() -> None:
    world = booked().wait("2026-03-02 09:01").book("2026-03-10 14:15", rev=2).wait("2026-03-02 09:05")
    history = explained(world, since=at("2026-03-02 09:01")).sections["History, from the delivery log"]

    assert [fact.data["notices"][0].kind for fact in history] == ["moved"]


def test_a_record_that_was_written_twice_is_told_once() -> None:
    world = booked().wait("2026-03-02 09:01")
    world.log *= 2

    assert len(known(world).log) == 1


def test_it_is_for_programs_too() -> None:
    plain = msgspec.json.decode(as_json(explained(booked(reminder=REMINDER)), behind=3))

    assert list(plain) == [
        "organisation", "client", "now", "time_zone", "behind", "known", "gates", "appointments", "knowledge", "pending",
        "history",
    ]  # fmt: skip
    assert plain["appointments"][0]["actual"]["start"] == "2026-03-10T12:15:00Z"
    assert [gate.get("gate") for gate in plain["gates"][:4]] == [
        "absent", "client_off", "contact_unconfirmed", "organisation_off",
    ]  # fmt: skip
    assert [one["what"] for one in plain["pending"]] == ["window", "reminder"]
    assert plain["behind"] == 3


def test_of_an_unknown_client_nothing_is_kept() -> None:
    world = booked().wait("2026-03-02 09:01")

    assert known(world, "anne").is_nobody
    assert not known(world).is_nobody


def test_rows_of_others_are_not_wanted() -> None:
    wanted = [
        b"consents/zorg/anna", b"contacts/zorg/anna", b"opt-outs/zorg/anna", b"agendas/zorg/anna", b"organisations/zorg",
        b"ledger/zorg/anna/1f",
    ]  # fmt: skip
    others = [
        b"agendas/zorg/anna2",
        b"agendas/zorg2/anna",
        b"organisations/zorg2",
        b"ledger/zorg/anna2/1f",
        b"ledger/zorg/ann/1f",
    ]

    assert all(is_wanted(key, ClientKey("zorg", "anna")) for key in wanted)
    assert not any(is_wanted(key, ClientKey("zorg", "anna")) for key in others)
