"""Every operation of the RUNBOOK, once, by the test that does it for real, and a table of what came of it. `make operations`.

Its test says what it counts (lost, doubled, refused) and fails where that is not nothing. Of one that failed the last
lines are printed below the table; exit code 1. What is no operation of a person (faults of all kinds) is `make chaos`'s.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
LONGEST = 1200
"""Seconds that one operation may take."""


class Operation(NamedTuple):
    """What is done, the section of the RUNBOOK that says how, the test that does it, and what that holds to."""

    done: str
    section: str
    test: str
    holds: str


BROKER, WEB = "tests/broker/", "tests/agents/web/"
OPERATIONS = (
    Operation(
        "topics are made, once",
        "First start",
        f"{BROKER}test_topics.py::test_creates_all_once_and_leaves_them_alone_after_that",
        "a second run changes nothing",
    ),
    Operation(
        "a first start on full topics",
        "First start",
        f"{BROKER}test_outage.py::test_at_a_first_start_settings_come_before_the_appointments_that_were_written_before_them",
        "consents before appointments: nobody is missed or told wrongly",
    ),
    Operation(
        "each process by its own Kafka user",
        "First start",
        f"{BROKER}test_rights.py::test_worker_web_and_commands_do_their_whole_work_with_their_own_rights",
        "all of its work, nothing else",
    ),
    Operation(
        "who looked at a client",
        "Users of the overview",
        f"{BROKER}test_access_log.py",
        "every look is there, and stays its time",
    ),
    Operation(
        "three brokers with TLS and SCRAM",
        "TLS",
        f"{BROKER}test_tls.py::test_a_worker_on_three_brokers_with_tls_and_scram",
        "everything is told",
    ),
    Operation(
        "an organisation with FHIR and HL7 v2",
        "FHIR and HL7 v2",
        f"{BROKER}test_ways_in.py::test_what_comes_as_fhir_and_hl7_is_told_once_whatever_happens_to_the_worker",
        "0 lost, 0 doubled",
    ),
    Operation(
        "the MLLP listener is killed",
        "FHIR and HL7 v2",
        f"{BROKER}test_mllp.py::test_each_message_is_acknowledged_once_and_none_is_lost",
        "0 lost",
    ),
    Operation(
        "one worker more, one less",
        "Scaling",
        f"{BROKER}test_engine.py::test_a_second_worker_takes_its_share_and_gives_it_back",
        "each record once",
    ),
    Operation(
        "three workers replaced under load",
        "Upgrade without a gap",
        "tests/drills/test_rolling_upgrade.py::test_three_workers_are_replaced_under_load_and_nothing_is_lost_or_doubled",
        "0 lost, 0 doubled",
    ),
    Operation(
        "workers that read a new topic",
        "Upgrade without a gap",
        f"{BROKER}test_engine_group.py::test_stopped_workers_are_replaced_at_once_by_such_that_read_a_new_topic",
        "nothing unread",
    ),
    Operation(
        "rows of 61a36ae",
        "Upgrade without a gap",
        "tests/schemas/test_golden_rows.py",
        "read with all that they say",
    ),
    Operation(
        "junk on our topics and changelogs",
        "Poison",
        f"{BROKER}test_poison.py",
        "set aside or refused with its place; mended by a command",
    ),
    Operation(
        "dead letters given again",
        "DeadLetters",
        f"{BROKER}test_poison.py::test_a_letter_is_listed_shown_to_whom_it_is_logged_and_given_again_once_what_refused_it_is_mended",
        "told once",
    ),
    Operation(
        "partitions added to a live topic",
        "Partitions added",
        f"{BROKER}test_lost.py::test_partitions_that_somebody_adds_stop_a_worker_with_the_true_reason",
        "nothing goes on silently",
    ),
    Operation(
        "a move to another prefix",
        "Another prefix",
        f"{BROKER}test_topic_prefix.py::test_an_installation_moves_to_another_prefix_with_all_it_knows",
        "0 lost, 0 doubled",
    ),
    Operation(
        "keys of status reports",
        "Keys",
        "tests/agents/providers/test_reports.py::test_a_rotation_of_keys_in_the_right_order_loses_no_report",
        "0 reports lost",
    ),
    Operation(
        "keys of unsubscribe links",
        "Keys",
        f"{WEB}test_unsubscribe.py::test_after_a_change_of_keys_old_links_still_work",
        "old links work",
    ),
    Operation(
        "one broker of three killed",
        "Restore",
        f"{BROKER}test_cluster.py::test_a_broker_may_be_killed_and_come_back",
        "0 lost",
    ),
    Operation(
        "all topics from a mirror",
        "Restore",
        f"{BROKER}test_topic_ids.py::test_after_a_restore_from_a_mirror_of_all_topics_every_new_event_is_told_and_none_twice",
        "0 lost, 0 doubled",
    ),
    Operation(
        "a changelog is gone",
        "Restore",
        f"{BROKER}test_engine_changelog.py::test_a_changelog_that_was_made_anew_is_refused",
        "no start: nothing is told anew",
    ),
    Operation(
        "all brokers away, and back",
        "CommitsStuck",
        f"{BROKER}test_supervised.py::test_a_worker_is_back_by_itself_after_the_brokers_were_away",
        "back by itself",
    ),
    Operation(
        "the overview made anew",
        "Overview",
        "tests/agents/projection/test_projection.py::test_a_rebuild_is_the_same",
        "the same figures",
    ),
    Operation(
        "one request from nginx to its lines",
        "Following one event",
        "tests/deploy/test_proxy.py::test_each_request_has_an_id_of_the_proxys_own_which_its_log_has_too",
        "one id",
    ),
    Operation(
        "both clock changes of a year",
        "Clock change",
        "tests/scenarios/test_field.py::test_a_reminder_at_half_past_two_goes_once_at_both_clock_changes",
        "each reminder once",
    ),
    Operation(
        "an outage that ends too late for some",
        "Provider outage",
        f"{BROKER}test_outage.py::test_after_an_outage_the_cancellation_goes_out_and_the_reminder_does_not",
        "what is true then is told",
    ),
    Operation(
        "a client is erased",
        "Erasure",
        f"{BROKER}test_erasure.py::test_after_an_erasure_no_topic_table_file_or_database_has_the_client",
        "0 places left",
    ),
    Operation(
        "retention, once a month",
        "Erasure",
        f"{BROKER}test_erasure.py::test_audit_facts_go_after_their_time_and_not_before",
        "none too early",
    ),
    Operation(
        "texts kept for a shorter time",
        "Erasure",
        f"{BROKER}test_topics.py::test_texts_are_kept_as_long_as_the_setting_says_and_shortened_only_when_asked_for",
        "only when asked for",
    ),
    Operation(
        "a mistake is held and mended",
        "OrganisationBusy",
        f"{BROKER}test_holds.py::test_a_mistake_that_is_held_and_mended_sends_nothing_though_each_side_is_killed",
        "0 sent",
    ),
)


def tried(one: Operation) -> tuple[str, float, str]:
    """Run its test; returns what came of it, the seconds, and its last lines where it is not well."""
    begin = time.monotonic()
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", one.test]
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return f"not over after {LONGEST} s", time.monotonic() - begin, ""
    counts = re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout)
    well = done.returncode == 0 and {what for _, what in counts} == {"passed"}
    outcome = "well" if well else ", ".join(f"{number} {what}" for number, what in counts) or f"exit {done.returncode}"
    return outcome, time.monotonic() - begin, "" if well else (done.stdout + done.stderr)[-3000:]


def main() -> int:
    """Print a row as soon as it is known."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills.operations", description="Every operation of the RUNBOOK, once."
    )
    parser.add_argument("words", nargs="*", help="only those with one of these words in their operation or section")
    chosen = parser.parse_args().words
    print("| operation | RUNBOOK | held to | came of it | s |\n|---|---|---|---|---|", flush=True)
    wrong = {}
    for one in OPERATIONS:
        if chosen and not any(word.lower() in f"{one.done} {one.section}".lower() for word in chosen):
            continue
        outcome, seconds, lines = tried(one)
        print(f"| {one.done} | {one.section} | {one.holds} | {outcome} | {seconds:.0f} |", flush=True)
        if outcome != "well":
            wrong[one.test] = lines
    for test, lines in wrong.items():
        print(f"\n{test}\n{lines}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
