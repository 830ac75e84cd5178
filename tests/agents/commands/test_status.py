"""`afspraakbericht status`: which code it ends with, and what it says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.errors import GroupAuthorizationFailedError

from agents.commands.status import Seen, judge, lines, members_of
from agents.main import main

ROWS: list[tuple[str, Seen, int, list[str]]] = [
    ("all is well", Seen(workers=3), 0, ["all is well: 3 workers, nothing is late, and nothing waits for a person"]),
    ("nobody is there", Seen(), 2, ["no worker is there: nobody is told anything"]),
    ("something is late", Seen(1, {"appointments": 1}), 2, ["late: 1 record of appointments"]),
    (
        "dead letters wait for a person",
        Seen(1, dead_letters={"consents": 2}), 1, ["2 dead letters of consents in 24 hours: `afspraakbericht dead-letters`"],
    ),
    ("so does a hold", Seen(1, holding=1), 1, ["1 organisation on hold: `afspraakbericht hold`"]),
    (
        "so do snapshots that are not believed", Seen(1, doubted=2), 1,
        ["snapshots of 2 organisations miss too much to be believed: `afspraakbericht hold`"],
    ),
    (
        "the worst comes first, and is the code",
        Seen(0, {"fhir": 5}, {"fhir": 1}, 2), 2,
        [
            "no worker is there: nobody is told anything", "late: 5 records of fhir",
            "1 dead letter of fhir in 24 hours: `afspraakbericht dead-letters`",
            "2 organisations on hold: `afspraakbericht hold`",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "seen", "code", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_how_it_is(what: str, seen: Seen, code: int, said: list[str]) -> None:
    assert (judge(seen), lines(seen)) == (code, said)


def test_a_broker_that_does_not_tell_us_the_members_is_no_group_without_any() -> None:
    def answer(code: int, members: list[object]) -> SimpleNamespace:
        return SimpleNamespace(groups=[(code, "afspraakbericht", "Stable", "consumer", "range", members, -1)])

    assert (members_of(answer(0, [])), members_of(answer(0, [1, 2]))) == (0, 2)
    with pytest.raises(GroupAuthorizationFailedError):
        members_of(answer(30, []))


def test_what_cannot_be_seen_is_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    assert main(["status"]) == 3
    assert capsys.readouterr().err == "no Kafka answers at 127.0.0.1:1: start one, or set AFSPRAAKBERICHT_BOOTSTRAP\n"
    assert main(["status", "--json"]) == 3
    assert '"code":3' in capsys.readouterr().out
