"""Mutations of what an employee hears of the own agenda."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

DIGEST = "tests/streams/employees/test_digest.py::"
TEAM = "tests/streams/employees/test_team.py::"

ROWS = (
    Mutation(
        "an employee is told the place of an address, or of what is at a client's home",
        "streams/intake/employees.py",
        "return replace(view, location=said_place(view.location, view.kind))",
        "return view",
        DIGEST + "test_no_address_is_said_nor_a_place_at_home",
    ),
    Mutation(
        "a revision by somebody else does not count where the employee revised it last",
        "streams/employees/digest.py",
        "if not change.own and event.appointment not in others:",
        "if change.own:\n        others = tuple(one for one in others if one != event.appointment)\n"
        "    elif event.appointment not in others:",
        DIGEST + "test_what_was_all_by_the_own_hand_is_left_out",
    ),
    Mutation(
        "who revised it counts since ever, not since it was told",
        "streams/employees/employees.py",
        "return told(row, goes, employee.zone) if goes else row",
        "return row",
        DIGEST + "test_who_revised_it_counts_anew_from_the_last_message_on",
    ),
    Mutation(
        "an author whom nobody knows is taken for the employee",
        "streams/intake/employees.py",
        "own=author == employee",
        "own=author in (None, employee)",
        DIGEST + "test_what_was_all_by_the_own_hand_is_left_out",
    ),
    Mutation(
        "what is of today or tomorrow waits for the digest",
        "streams/employees/digest.py",
        "closes = min(closes, row.urgent.closes)",
        "pass",
        DIGEST + "test_what_is_of_today_or_tomorrow_goes_after_the_quiet_seconds",
    ),
    Mutation(
        "a digest follows on another at once",
        "streams/employees/digest.py",
        "return at if row.last is None else max(at, row.last + APART)",
        "return at",
        DIGEST + "test_no_two_digests_go_within_15_minutes",
    ),
    Mutation(
        "a digest is a message for each day",
        "streams/employees/employees.py",
        "by_day=False",
        "by_day=True",
        DIGEST + "test_the_digest_is_net_and_one_message_whatever_its_days",
    ),
    Mutation(
        "employees get messages where the organisation has those of clients on",
        "streams/employees/levels.py",
        "return replace(settings, notifications=settings.tells_employees) if settings is not None else None",
        "return settings",
        DIGEST + "test_gates",
    ),
    Mutation(
        "who cannot be read on an appointment is taken off it",
        "streams/intake/intake.py",
        "if doubts.unclear:",
        "if False:",
        DIGEST + "test_a_bad_part_is_left_out_and_what_is_unclear_says_nothing",
    ),
    Mutation(
        "a hold lets digests go",
        "streams/employees/digest.py",
        "if found and not is_on(settings) else None",
        "if found else None",
        DIGEST + "test_a_hold_holds_digests_and_at_its_end_one_is_decided",
    ),
    Mutation(
        "an organisation's texts for its clients stand around what an employee reads",
        "schemas/templates.py",
        "if is_employee(recipient):",
        "if False:",
        DIGEST + "test_the_texts_for_clients_do_not_stand_around_it",
    ),
)  # fmt: skip
