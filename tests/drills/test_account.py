"""The table of `make two-weeks`: what is lost, doubled or left behind makes a red row, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from .account import Account, Notice, Row, differences

TO = frozenset({"+31600000001", "a@o.example"})
SAID = "Er is een afspraak met u gemaakt op maandag 1 maart 2027 van 10:00 tot 11:00."
OTHER = "Uw afspraak op maandag 1 maart 2027 is geannuleerd."


def made(*rows: str) -> Account:
    """An account with a notice that was expected in the first of these operations; the last one goes on."""
    account = Account()
    for name in rows:
        account.rows.append(Row(name, "Scaling", seconds=3.0, status=0))
        if len(account.rows) == 1:
            account.expect(Notice("o", "a", "1", TO, SAID, account.row))
    return account


def test_a_notice_that_arrives_once_is_well_by_whatever_channel_and_with_words_around_it() -> None:
    account = made("scale")
    assert not account.is_free("o", "a")
    account.hear("a@o.example", f"Beste cliënt, {SAID} Groet")

    assert (account.verdict(0), account.is_well, account.waiting()) == ("well", True, [])
    assert account.is_free("o", "a")
    assert account.line(0) == "| scale | Scaling | 3 | 0 | none | 1 | 0 | 0 | 0 | well |"


def test_one_that_never_arrives_is_lost_and_red_in_the_row_of_its_event() -> None:
    account = made("scale", "roll")

    assert (account.verdict(0), account.verdict(1), account.is_well) == ("**RED** 1 lost", "well", False)
    assert "lost: o/a 1, of operation 1" in account.table()
    assert (
        "1 notices: 1 lost, 0 doubled, 0 named by the log, 0 strange; 0 told from what was said before a copy. NOT all is well."
        in account.table()
    )


def test_one_that_arrives_again_is_doubled_and_red_in_the_row_in_which_it_did() -> None:
    account = made("scale", "roll")
    account.rows.pop()
    account.hear("+31600000001", SAID)
    account.rows.append(Row("roll", "Scaling", seconds=1.0))
    account.hear("a@o.example", SAID)

    assert (account.verdict(0), account.verdict(1)) == ("well", "**RED** 1 doubled")
    assert "heard in [1, 2]: o/a 1, of operation 1" in account.table()


def test_what_nobody_expected_is_red() -> None:
    account = made("scale")
    account.hear("a@o.example", SAID)
    account.hear("a@o.example", OTHER)
    account.hear("stranger@o.example", SAID)

    assert account.verdict(0) == "**RED** 2 strange"
    assert f"strange, in operation 1: {OTHER}" in account.table()


def test_one_that_the_log_names_as_suppressed_is_neither_lost_nor_free_of_a_column() -> None:
    account = made("restore")
    account.name(account.notices[0])

    assert (account.verdict(0), account.is_free("o", "a")) == ("well", True)
    assert account.line(0) == "| restore | Scaling | 3 | 0 | none | 1 | 0 | 0 | 1 | well |"


def test_one_that_went_once_more_since_its_fate_was_unknown_is_named_and_no_other() -> None:
    account = made("kill")
    account.expect(Notice("o", "a", "2", TO, OTHER, account.row))
    for text in (SAID, SAID, OTHER, OTHER):
        account.hear("a@o.example", text)
    account.name(account.notices[0])

    assert (account.verdict(0), account.of(0)["named"]) == ("**RED** 1 doubled", 1)
    assert "heard in [1, 1]: o/a 2, of operation 1" in account.table()
    assert "heard in [1, 1]: o/a 1" not in account.table()


def test_one_may_start_from_what_a_restored_state_said_last() -> None:
    account = made("change after a restore")
    account.notices[0].other = OTHER
    account.hear("a@o.example", OTHER)

    assert account.verdict(0) == "well"
    assert "1 told from what was said before a copy" in account.table()


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ({"seconds": None}, "not well again"),
        ({"fired": {"WorkerDown", "InputBehind"}, "ended": {"InputBehind"}}, "still firing: WorkerDown"),
        ({"problems": ["two were refused"]}, "two were refused"),
    ],
)
def test_a_row_is_red_for_all_that_is_not_well(changes: dict[str, Any], red: str) -> None:
    account = made("scale")
    account.hear("a@o.example", SAID)
    for name, value in changes.items():
        setattr(account.rows[0], name, value)

    assert (account.verdict(0), account.is_well) == (f"**RED** {red}", False)


def test_an_account_without_rows_is_not_well() -> None:
    assert not Account().is_well


def entry(status: str, notice: str, appointment: str = "1") -> dict[str, Any]:
    return {"organisation": "o", "client": "a", "status": status, "notices": [{"id": notice, "appointment": appointment}]}


@pytest.mark.parametrize(
    ("log", "wrong"),
    [
        ([entry("sent", "n1"), entry("delivered", "n1")], []),
        ([entry("superseded", "n0"), entry("suppressed", "n1")], []),
        ([entry("retrying", "n1"), entry("failed", "n1")], ["o/a 1: 1 changes, the log has 0"]),
        ([entry("sent", "n1"), entry("sent", "n2")], ["o/a 1: 1 changes, the log has 2"]),
        ([entry("sent", "n1", "2")], ["o/a 1: 1 changes, the log has 0"]),
    ],
)
def test_the_log_has_an_end_for_each_change(log: list[dict[str, Any]], wrong: list[str]) -> None:
    assert differences(made("scale").notices, log) == wrong
