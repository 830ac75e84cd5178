"""What a client who reads only our messages believes, is what is so: the one invariant of the rules (`streams/README.md`).

CI plays 4,000 random histories, always the same ones; `make properties` plays a million. A wrong one is shown, and made short, by
`python -m tests.belief --show SEED`.
"""

from __future__ import annotations

import pytest

from tests.belief.runs import count

EACH = 1000


@pytest.mark.parametrize("start", range(0, EACH, EACH))
def test_at_rest_the_client_believes_what_is_so_if_each_message_goes_out_at_once(start: int) -> None:
    found = count(start, EACH, at_once=True)
    assert found.wrong == [], found.line()


@pytest.mark.parametrize("start", range(0, 2 * EACH, EACH))
def test_at_rest_the_client_believes_what_is_so(start: int) -> None:
    found = count(start, EACH)
    assert found.wrong == [], found.line()


def test_at_rest_the_client_believes_what_is_so_of_appointments_of_all_kinds() -> None:
    found = count(0, EACH // 2, frozenset({"kinds"}))
    assert found.wrong == [], found.line()


def test_at_rest_the_client_believes_what_is_so_after_holds() -> None:
    found = count(0, EACH // 2, frozenset({"holds"}))
    assert found.wrong == [], found.line()


def test_at_rest_the_client_believes_what_is_so_with_arrivals_and_several_reminders() -> None:
    found = count(0, EACH // 2, frozenset({"arrival", "lists"}))
    assert found.wrong == [], found.line()
