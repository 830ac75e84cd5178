"""`replay`: the order in which kept events are seen again, and what counts as a difference."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from agents.commands.replay import Replayed, as_json, lines, replay, settings_of
from agents.kafka.kept_events import is_copy, is_providers
from agents.worker.wording import succeed
from schemas.deliveries import LoggedNotice, LogRecord
from schemas.wire import BadRecordError
from streams.history.comparison import Comparison, Difference, compare
from streams.history.replay import Kept, Ordered, Replay, instead, ordered, spoken_of
from streams.intake.intake import Intake
from streams.notices.gates import mark_of
from streams.processing.turn import Record, Turn
from tests.world import appointment, at, organisation, person

NINE = at("2026-03-02 09:00")
CONSENT = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "source": "ecd"}
CONTACT = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31612345678", "confirmed": True}, "email": None}


def event(seconds: float, topic: str, key: str, value: Any, offset: int = 0, **more: Any) -> Kept:
    return Kept(NINE + timedelta(seconds=seconds), topic, 0, offset, key.encode(), orjson.dumps(value), **more)


SETUP = [
    event(1, "organisations", "zorg", organisation()), event(2, "consents", "zorg/anna", CONSENT),
    event(3, "contacts", "zorg/anna", CONTACT),
]  # fmt: skip
BOOK = event(10, "appointments", "zorg/a", appointment("2026-03-10 13:15"))
MOVE = event(300, "appointments", "zorg/a", appointment("2026-03-10 14:15", revision=2), 1)
END = NINE + timedelta(hours=1)


def ruled(*events: Kept) -> list[LogRecord]:
    return [msgspec.json.decode(one, type=LogRecord) for one in Replay(succeed).records(ordered(events).events, END)]


def record(status: str = "sent", **changes: Any) -> LogRecord:
    notices = changes.pop("notices", (LoggedNotice(id="n", kind="created", appointment="a"),))
    given = {
        "message": "m", "organisation": "zorg", "client": "anna", "channel": "sms", "reason": "direct", "status": status,
        "at": NINE, "notices": notices, "text": "Hallo" if status == "sent" else None, "attempt": 1,
    } | changes  # fmt: skip
    return LogRecord(**given)


# -- order -------------------------------------------------------------------------------------------------------------


def test_events_of_all_topics_come_by_their_timestamps() -> None:
    assert [one.topic for one in ordered([MOVE, BOOK, *reversed(SETUP)]).events] == [
        "organisations", "consents", "contacts", "appointments", "appointments",
    ]  # fmt: skip


def test_a_partition_keeps_its_order_where_timestamps_go_back() -> None:
    late = event(5, "appointments", "zorg/a", appointment("2026-03-10 15:15", revision=3), 2)
    events = ordered([late, MOVE, BOOK]).events

    assert [one.offset for one in events] == [0, 1, 2]
    assert events[2].at == MOVE.at


def test_what_was_there_before_the_first_start_was_taken_in_then_early_topics_first() -> None:
    early = BOOK._replace(at=NINE - timedelta(hours=3))
    began = NINE + timedelta(minutes=1)
    events = ordered([early, *SETUP, MOVE], began).events

    assert [one.topic for one in events][-2:] == ["appointments", "appointments"]
    assert [one.at for one in events] == [began] * 4 + [MOVE.at]


def test_the_oldest_value_counts_from_the_start_where_older_ones_are_gone() -> None:
    consent = event(200, "consents", "zorg/anna", CONSENT, 7, gap=True)
    later = event(400, "consents", "zorg/anna", {**CONSENT, "notifications": False}, 8, gap=True)
    found = ordered([SETUP[0], SETUP[2], BOOK, consent, later])

    assert found.moved == 1
    assert found.events[0].offset == 7
    assert found.events[-1].offset == 8
    assert found.events[0].at == SETUP[0].at


def test_a_new_client_stays_new_where_nothing_is_gone() -> None:
    consent = event(200, "consents", "zorg/anna", CONSENT)

    assert ordered([SETUP[0], SETUP[2], BOOK, consent]).moved == 0
    assert [one.detail for one in ruled(SETUP[0], SETUP[2], BOOK, consent)] == ["client_off"]


def test_what_a_provider_said_of_an_address_counts_again() -> None:
    assert [one.detail for one in ruled(*SETUP, BOOK, MOVE)] == [None, None]
    bounce = event(60, "client-events", "zorg/anna", {
        "organisation": "zorg", "client": "anna", "bounce": {"channel": "sms", "mark": mark_of("+31612345678")},
    })  # fmt: skip
    assert [one.detail for one in ruled(*SETUP, BOOK, bounce, MOVE)] == [None, "contact_unconfirmed"]


PEOPLE = event(4, "representatives", "zorg/anna", {"organisation": "zorg", "client": "anna", "people": [person("moeder")]})


def test_those_who_act_for_a_client_count_again_with_what_a_provider_said_of_their_address() -> None:
    def fates(*events: Kept) -> list[tuple[str, str | None]]:
        return [(one.recipient or "", one.detail) for one in ruled(*SETUP, PEOPLE, BOOK, *events)]

    bounce = event(60, "client-events", "zorg/anna", {
        "organisation": "zorg", "client": "anna", "recipient": "p:moeder",
        "bounce": {"channel": "sms", "mark": mark_of("+31622345678")},
    })  # fmt: skip
    assert fates(MOVE) == [("", None), ("p:moeder", None)] * 2
    assert fates(bounce, MOVE)[2:] == [("", None), ("p:moeder", "contact_unconfirmed")]


def test_a_difference_says_whose_it_is() -> None:
    """What one who acts for the client is told otherwise is no difference of the client's."""
    both, alone = ruled(*SETUP, PEOPLE, BOOK), ruled(*SETUP, BOOK)
    (one,) = compare(both, alone).differences
    assert (one.what, one.client, one.recipient) == ("only_in_log", "anna", "p:moeder")
    replayed = Replayed(Comparison([one], 1), 5, 0, 0, None, END)
    assert "zorg/anna/p:moeder" in lines(replayed)
    assert orjson.loads(as_json(replayed))["differences"][0]["recipient"] == "p:moeder"


def test_what_surely_did_not_arrive_is_decided_anew_again() -> None:
    """By its notices: under other settings its message is another one."""
    (sent,) = [one for one in ruled(*SETUP, BOOK) if one.status == "sent"]
    back = event(60, "client-events", "zorg/anna", {
        "organisation": "zorg", "client": "anna",
        "outcome": {"message": "of that time", "became": "back", "notices": {sent.notices[0].id: "created"}},
    })  # fmt: skip
    assert [[notice.kind for notice in one.notices] for one in ruled(*SETUP, BOOK, back)] == [["created"], ["created"]]
    assert is_providers(back.value)
    assert not is_providers(b'{"organisation":"zorg","client":"anna","outcome":{"message":"m","became":"out"}}')


def test_what_intake_refuses_is_counted_and_the_rest_goes_on() -> None:
    rules = Replay(succeed)
    bad = event(20, "appointments", "zorg/x", {"organisation": "zorg"}, 1)

    assert len(list(rules.records([*SETUP, BOOK, bad], END))) == 1
    assert rules.refused == 1


# -- what differs ------------------------------------------------------------------------------------------------------


def test_the_same_rules_over_the_same_events_say_the_same() -> None:
    assert compare(ruled(*SETUP, BOOK, MOVE), ruled(*SETUP, BOOK, MOVE)) == ([], 2)


@pytest.mark.parametrize("status", ["sent", "retrying", "failed", "unknown", "delivered"])
def test_what_a_provider_made_of_it_is_no_difference(status: str) -> None:
    assert compare([record(status)], [record()]).differences == []


def test_a_retry_that_was_dropped_afterwards_was_told_by_the_rules() -> None:
    log = [record("retrying"), record("superseded", at=NINE + timedelta(minutes=1))]

    assert compare(log, [record()]).differences == []


ROWS: dict[str, tuple[list[LogRecord], list[LogRecord], list[str]]] = {
    "only in the log": ([record()], [], ["only_in_log"]),
    "only by the rules": ([], [record()], ["only_by_rules"]),
    "suppressed there, told here": ([record("suppressed", detail="client_off", channel=None)], [record()], ["status"]),
    "suppressed by another gate": (
        [record("suppressed", detail="client_off")], [record("suppressed", detail="organisation_off")], ["status"],
    ),
    "another channel": ([record(channel="email")], [record()], ["channel"]),
    "another text": ([record(text="Dag")], [record()], ["text"]),
    "a text that is not kept": ([record(text=None)], [record()], []),
    "another message with the same notice and other words": ([record(message="k", text="Hallo. Dag")], [record()], ["message"]),
    "suppressed on both sides, of which one knew the channel": (
        [record("suppressed", detail="organisation_off", channel="sms")],
        [record("suppressed", detail="organisation_off", channel=None)], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_difference_has_its_name(row: str) -> None:
    logged, by_rules, wanted = ROWS[row]

    assert [one.what for one in compare(logged, by_rules).differences] == wanted


def test_notices_of_one_message_are_one_difference() -> None:
    notices = tuple(LoggedNotice(id=name, kind="created", appointment=name) for name in "ab")
    (found,) = compare([record(notices=notices)], []).differences

    assert [one.appointment for one in found.notices] == ["a", "b"]


def test_what_came_of_events_that_are_gone_is_marked() -> None:
    events = [BOOK]
    old = record(notices=(LoggedNotice(id="o", kind="created", appointment="old"),), message="o")
    found = compare([record(), old], [], kept=spoken_of(events)).differences

    assert {one.notices[0].appointment: one.gone for one in found} == {"a": False, "old": True}


def test_what_both_have_meets_across_an_edge_of_the_period() -> None:
    log, rules = [record(at=NINE + timedelta(seconds=2))], [record(at=NINE - timedelta(seconds=2))]

    assert compare(log, rules, since=NINE) == ([], 1)
    assert compare(log, rules, until=NINE) == ([], 0)


def test_a_request_is_known_by_its_ids() -> None:
    asked = {"organisation": "zorg", "client": "anna", "request": "r", "party": "p", "text": "Dag"}
    request = event(20, "requests", "zorg/anna", {**asked, "subject": None, "send_at": None, "expires_at": None})
    (found,) = ruled(*SETUP, request)

    assert f"zorg/{found.notices[0].id}" in spoken_of([request])
    assert spoken_of([event(20, "requests", "zorg/anna", {"no": "request"})]) == frozenset()


# -- other settings ----------------------------------------------------------------------------------------------------


def test_other_settings_hold_from_the_start_and_for_one_organisation_only() -> None:
    other = event(3, "organisations", "elders", organisation(organisation="elders"), 1)
    late = event(200, "organisations", "zorg", organisation(name="Later"), 2)
    events = instead(ordered([*SETUP, other, late, BOOK]).events, {"zorg": orjson.dumps(organisation(name="Anders"))})

    assert [(one.key, orjson.loads(one.value or b"")["name"]) for one in events if one.topic == "organisations"] == [
        (b"zorg", "Anders"), (b"elders", "Zorggroep"),
    ]  # fmt: skip
    assert events[0].at == SETUP[1].at


def test_what_a_reminder_would_do() -> None:
    until = at("2026-03-11 00:00")
    log = ruled(*SETUP, BOOK)
    other = {"zorg": orjson.dumps(organisation(reminder={"days_before": 1, "at": "10:00"}))}
    shown = "\n".join(lines(replay(ordered([*SETUP, BOOK]), log, other, None, until)))

    assert "2026-03-09 09:00:00 reminder a: by the current rules; the log has nothing of it" in shown
    assert "U heeft een afspraak op 10 maart om 13:15." in shown
    assert "1 notice is the same; differences:" in shown


AFTER = {"sms": {"after": "Neem uw pas mee."}}
ENGLISH = {**CONSENT, "language": "en"}
ON_PHONE = appointment("2026-03-10 13:15", kind="phone", label="intake", arrival={
    "from": "2026-03-10T13:15:00+01:00", "until": "2026-03-10T13:45:00+01:00",
})  # fmt: skip
OTHER_SETTINGS: dict[str, tuple[list[Kept], dict[str, Any], str]] = {
    "texts of a kind of message": ([BOOK], {"templates": {"created": AFTER}}, "14:15. Neem uw pas mee."),
    "texts of a label": (
        [event(10, "appointments", "zorg/a", ON_PHONE)], {"labels": {"intake": {"templates": {"created": AFTER}}}},
        "Er is een telefonische afspraak met u gemaakt op dinsdag 10 maart 2026 tussen 13:15 en 13:45. U wordt gebeld. "
        "Neem uw pas mee.",
    ),
    "a label that says nothing first": (
        [event(10, "appointments", "zorg/a", ON_PHONE)], {"labels": {"intake": {"notify": "none"}}}, "suppressed notify",
    ),
    "a second language": (
        [event(5, "consents", "zorg/anna", ENGLISH, 1), BOOK], {"languages": ["nl", "en"]},
        "An appointment has been made for you on Tuesday 10 March 2026 from 13:15 to 14:15.",
    ),
    "no place": (
        [event(10, "appointments", "zorg/a", appointment("2026-03-10 13:15", location={"name": "De Linde"}))],
        {"say": {"location": False}},
        "gemaakt op dinsdag 10 maart 2026 van 13:15 tot 14:15.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "settings", "said"), OTHER_SETTINGS.values(), ids=OTHER_SETTINGS)
def test_what_other_settings_would_say_of_words_that_fit(events: list[Kept], settings: dict[str, Any], said: str) -> None:
    log, other = ruled(*SETUP, *events), {"zorg": orjson.dumps(organisation(**settings))}
    shown = "\n".join(lines(replay(ordered([*SETUP, *events]), log, other, None, END)))
    assert said in shown
    assert "differences:" in shown
    assert lines(replay(ordered([*SETUP, *events]), log, {}, None, END))[-1] == "1 notice is the same."


def test_what_a_list_of_reminders_would_do() -> None:
    until, log = at("2026-03-11 00:00"), ruled(*SETUP, BOOK)
    rules = [{"days_before": 2, "at": "10:00", "days": "working"}, {"days_before": 1, "at": "18:00"}]
    other = {"zorg": orjson.dumps(organisation(reminders=rules, free_days=["2026-03-09"]))}
    shown = "\n".join(lines(replay(ordered([*SETUP, BOOK]), log, other, None, until)))
    found = [line for line in shown.splitlines() if "reminder a" in line]
    assert [line.strip()[:19] for line in found] == ["2026-03-05 09:00:00", "2026-03-09 17:00:00"]


def test_without_differences_it_says_so() -> None:
    shown = lines(replay(Ordered([*SETUP, BOOK], 0), ruled(*SETUP, BOOK), {}, None, END))

    assert shown[-1] == "1 notice is the same."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (orjson.dumps({**organisation(), "time_zone": "Europe/Nergens"}), "item 1: unknown time zone - at `$.time_zone`"),
        (orjson.dumps([organisation(), {"organisation": "x"}]), "item 2: Object missing required field `name`"),
        (orjson.dumps(organisation()) + b"\n\n{", "line 3: not JSON: "),
        (b"\n", "anders.json: it has no organisation's settings"),
        (b"[]", "anders.json: it has no organisation's settings"),
        (orjson.dumps([organisation(), organisation()]), "item 2: organisation zorg is there twice"),
    ],
)
def test_wrong_settings_are_named_by_their_place(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "anders.json"
    file.write_bytes(content)

    with pytest.raises(BadRecordError, match=r"anders\.json[,:] ") as raised:
        settings_of(file)
    assert said in str(raised.value)


@pytest.mark.parametrize("shape", ["object", "list", "lines"])
def test_settings_may_be_an_object_a_list_or_lines(tmp_path: Path, shape: str) -> None:
    one, two = organisation(), organisation(organisation="elders")
    content = {
        "object": orjson.dumps(one, option=orjson.OPT_INDENT_2),
        "list": orjson.dumps([one, two]),
        "lines": orjson.dumps(one) + b"\n" + orjson.dumps(two) + b"\n",
    }
    file = tmp_path / "anders.json"
    file.write_bytes(content[shape])

    assert list(settings_of(file)) == (["zorg"] if shape == "object" else ["zorg", "elders"])


def test_moments_are_utc() -> None:
    assert isinstance(ruled(*SETUP, BOOK)[0].at, datetime)
    assert ruled(*SETUP, BOOK)[0].at == NINE + timedelta(seconds=40)


def test_intakes_own_copies_of_an_erasure_are_told_from_the_erasure() -> None:
    value = orjson.dumps({"organisation": "zorg", "client": "anna", "at": "2026-03-02T09:00:00Z"})
    decision = Intake(4, {}).decide(Turn(at("2026-03-02 09:00"), [Record("erasures", 1, 0, b"zorg/anna", value)]))
    copies = [output.value for output in decision.outputs if output.topic == "erasures"]
    assert len(copies) == 3
    assert [is_copy(one) for one in (value, *copies)] == [False, True, True, True]


def test_the_tally_comes_first_and_so_many_differences_as_are_asked_for() -> None:
    found = [
        Difference(
            "text", "zorg", f"c{number}", "", "direct", (LoggedNotice(id="n", kind="created", appointment="a"),), NINE, None, None
        )
        for number in range(3)
    ]
    replayed = Replayed(Comparison(found, 1), 1, 1, 0, None, END)
    shown = lines(replayed, 2)
    assert shown[:5] == [shown[0], "Refused, as by intake: 1 event.", "", "1 notice is the same; differences:", shown[4]]
    assert shown[0].startswith("1 event through the current rules; ")
    assert shown[4].split(maxsplit=1)[0] == "3"
    assert [line for line in shown if line.startswith("zorg/")] == ["zorg/c0", "zorg/c1"]
    assert shown[-1] == "1 more difference: --limit 3 shows all"
    assert not any(line.startswith("zorg/") or "more difference" in line for line in lines(replayed, 0))
    assert len(orjson.loads(as_json(replayed, 2))["differences"]) == 2
    assert sum(orjson.loads(as_json(replayed, 2))["counts"].values()) == 3
