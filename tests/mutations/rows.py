"""The mutations: in each a sentence says what is wrong with the program, and a test is named that must fail."""

from __future__ import annotations

from tests.mutations import belief, employees, people
from tests.mutations.mutation import Mutation

STREAMS = "tests/streams/"
AGENDA, SERIES, LEDGER, RECHECK = (
    STREAMS + "notices/test_agenda.py::",
    STREAMS + "notices/test_series.py::",
    STREAMS + "sending/test_ledger.py::",
    STREAMS + "sending/test_recheck.py::",
)
SETTINGS, REMINDERS, VALVE, INTAKE = (
    STREAMS + "notices/test_settings.py::",
    STREAMS + "notices/test_reminders.py::",
    STREAMS + "sending/test_valve.py::",
    STREAMS + "intake/test_intake.py::",
)  # fmt: skip
LISTS = STREAMS + "notices/test_reminder_lists.py::test_a_client_is_reminded"
QUIET, CONTACTS = STREAMS + "notices/test_quiet_hours.py::", STREAMS + "notices/test_contacts.py::"
FINAL = STREAMS + "sending/test_final_reports.py::"
FLIGHTS, PIECES = STREAMS + "notices/test_flights.py::", STREAMS + "sending/test_pieces.py::"
GENERATIONS, SEEKING = "tests/agents/engine/test_generations.py::", "tests/agents/engine/transport/test_seeking.py::"

CLIENTS = (
    Mutation(
        "an appointment that becomes longer opens no window, and nobody is told",
        "streams/notices/agenda.py",
        "so = (actual.start, actual.end, said_place(actual.location, actual.kind),",
        "so = (actual.start, said_place(actual.location, actual.kind),",
        AGENDA + "test_one_that_becomes_longer_is_told",
    ),
    Mutation(
        "a day that was reminded is forgotten after two days: a second record, of a reminder that was sent",
        "streams/notices/agenda.py",
        "(now - KEPT - timedelta(days=2))",
        "(now - timedelta(days=2))",
        AGENDA + "TestKeeping::test_a_day_that_was_reminded_is_remembered_as_long_as_an_appointment_of_it_is",
    ),
    Mutation(
        "moves by one, two, three days become one sentence on a series",
        "streams/notices/gathering.py",
        "    shift = ordinal(now.day) - ordinal(was.day) if was is not None and now is not None else 0\n",
        "    shift = 0\n",
        SERIES + "test_what_is_changed_of_four_that_were_told_as_one",
    ),
    Mutation(
        "settings behind a booking in one batch: the client gets no reminder",
        "streams/notices/organisations.py",
        "for key in sorted(changed | {key for key, _ in self.rows.scan(AGENDAS, start)}):",
        "for key in sorted(key for key, _ in self.rows.scan(AGENDAS, start)):",
        SETTINGS + "test_settings_count_for_a_client_who_came_just_before_them",
    ),
    Mutation(
        "what came while an organisation was off is told once it is on",
        "streams/notices/windows.py",
        'eligibility = eligibility._replace(closed_gate=eligibility.closed_gate or "organisation_off")',
        "pass",
        "tests/streams/notices/test_switched_on.py::test_what_is_told_after_an_organisation_is_switched_on",
    ),
    Mutation(
        "what came before an organisation was off is not told once it is on",
        "streams/notices/windows.py",
        "marks = off and (old is None or old.off)",
        "marks = off",
        "tests/streams/notices/test_switched_on.py::test_what_is_told_after_an_organisation_is_switched_on",
    ),
    Mutation(
        "a change after an organisation was switched on is not told, for it came beside what was loaded",
        "streams/notices/notices.py",
        "old, now = self._settled(client), client.now",
        "old, now = client.agenda, client.now",
        "tests/streams/notices/test_switched_on.py::test_what_is_told_after_an_organisation_is_switched_on",
    ),
    Mutation(
        "each sync of the settings says that they are new: reminders that are late are lost",
        "streams/notices/settings.py",
        "since = old.since if same and old is not None else now",
        "since = now",
        SETTINGS + "test_a_reminder_that_is_late_when_settings_come",
    ),
    Mutation(
        "another time zone moves no reminder",
        "streams/notices/settings.py",
        "return (moments, free, organisation.quiet_hours, organisation.time_zone, by_label)",
        "return (moments, free, organisation.quiet_hours, by_label)",
        SETTINGS + "test_a_change_of_zone_moves_the_reminders_that_are_ahead",
    ),
    Mutation(
        "a day that came late has its last reminder again and again",
        "streams/notices/due_moments.py",
        "if number > due.place or due.wall in walls or at <= settings.since:",
        "if number > due.place or at <= settings.since:",
        LISTS,
    ),
    Mutation(
        "a day has one reminder too few",
        "streams/notices/due_moments.py",
        "if number > due.place or due.wall in walls or at <= settings.since:",
        "if number >= due.place > 1 or number > due.place or due.wall in walls or at <= settings.since:",
        LISTS,
    ),
    Mutation(
        "a list that is changed has one reminder more",
        "streams/notices/due_moments.py",
        "if number > due.place or due.wall in walls or at <= settings.since:",
        "if due.wall in walls or at <= settings.since:",
        LISTS,
    ),
    Mutation(
        "days with one due moment have a message each",
        "streams/notices/due_moments.py",
        "        if when == at:\n",
        "        if when == at and not found:\n",
        LISTS,
    ),
    Mutation(
        "a reminder goes hours after another one of its day",
        "streams/notices/reminders.py",
        "one.went is not None and is_within(due.hours, one.went, at)",
        "one.went is None and is_within(due.hours, at, at)",
        LISTS,
    ),
    Mutation(
        "a reminder that comes back again and again is decided anew for ever",
        "streams/notices/returns.py",
        "        if times >= MOST_BACKS:\n            return Reopening(agenda, tuple(",
        "        if times < 0:\n            return Reopening(agenda, tuple(",
        STREAMS + "notices/test_flights.py::TestItComesBack",
    ),
    Mutation(
        "a reminder of several days that comes back is decided anew of one",
        "streams/notices/returns.py",
        "for name in (outcome.day, *outcome.days) if",
        "for name in (outcome.day,) if",
        STREAMS + "notices/test_reminder_lists.py::TestOneThatComesBack",
    ),
    Mutation(
        "a free day is a working day",
        "streams/processing/working_days.py",
        "and day not in free and",
        "and",
        LISTS,
    ),
    Mutation(
        "what began for its source is cancelled before it begins for the client",
        "schemas/state.py",
        "return self.starts or self.view.start",
        "return self.view.start",
        STREAMS + "notices/test_arrival.py::test_a_snapshot_has_it_and_its_bounds_are_of_starts",
    ),
    Mutation(
        "a place that an organisation has none said is compared all the same",
        "streams/notices/agenda.py",
        "view, unsaid = placed(event.view, None, says=says_places)",
        "view, unsaid = event.view, None",
        STREAMS + "notices/test_unsaid_places.py::test_another_place_opens_no_window_and_is_nothing_where_there_is_none",
    ),
    Mutation(
        "a reminder that is sent late names what has begun",
        "streams/notices/reminders.py",
        "in on if entry.actual.start > now]",
        "in on]",
        RECHECK + "test_a_reminder_that_is_late_at_its_sending",
    ),
    Mutation(
        "the record of a reminder that comes when all is over names the first appointment alone",
        "streams/notices/reminders.py",
        'withheld, ahead = "expired", speaks_of',
        'withheld, ahead = "expired", speaks_of[:1]',
        REMINDERS + "test_one_that_an_outage_makes_late",
    ),
    Mutation(
        "a reminder is left out after messages that told some of the day each",
        "streams/notices/reminders.py",
        "told.pop() if len(told) == 1 else None",
        "min(told, key=str)",
        REMINDERS + "test_within_hours_of_a_message_that_told_the_day",
    ),
    Mutation(
        "two messages that went out at one moment count as one that told the day",
        "streams/notices/flights.py",
        "last + datetime.resolution",
        "went",
        REMINDERS + "test_within_hours_of_a_message_that_told_the_day",
    ),
    Mutation(
        "a message that perhaps never went out takes the place of a reminder",
        "streams/notices/flights.py",
        'outcome.became == "out" and not outcome.unsure',
        'outcome.became == "out"',
        FLIGHTS + "TestAReminder::test_goes_after_a_message_of_which_nobody_knows_whether_it_went",
    ),
    Mutation(
        "quiet hours hold back what begins within 24 hours",
        "streams/notices/quiet_hours.py",
        "SOON = timedelta(hours=24)",
        "SOON = timedelta(hours=0)",
        QUIET + "test_what_is_held_and_what_is_not",
    ),
    Mutation(
        "an address that was refused before upstream took it back stays refused, though it is confirmed anew",
        "streams/notices/contacts.py",
        "withdrawn=not found.confirmed",
        "withdrawn=False",
        CONTACTS + "test_whether_a_message_may_go_there_after",
    ),
    Mutation(
        "a request counts for a client whom its key does not name",
        "streams/intake/intake.py",
        "        event = request_of(loads(present(record)))\n        match_key(record, event.organisation, event.client)\n",
        "        event = request_of(loads(present(record)))\n",
        INTAKE + "test_a_record_counts_only_for_the_client_that_its_key_names",
    ),
    Mutation(
        "the word that an erasure is done erases the client who is back",
        "streams/intake/forgetting.py",
        '        if event.stage == "done":\n            return\n',
        "",
        INTAKE + "test_the_word_that_an_erasure_is_done_erases_nothing",
    ),
)

SENDERS = (
    Mutation(
        "a late answer leaves the message in its lane, and the worker ends on it",
        "streams/sending/sender.py",
        "        self.queues.remove(client, queue_key(name, row))\n        if row.settling and outcome.kind",
        "        if row.settling and outcome.kind",
        LEDGER + "test_an_answer_that_comes_after_its_claim_was_given_up_ends_the_message_wherever_it_is_then",
    ),
    Mutation(
        "after a restart an SMS of unknown outcome holds back the client's next one no more",
        "streams/sending/ledger.py",
        'if row.status == "claimed" or (row.status == "unknown" and row.next_at is not None):',
        'if row.status == "claimed":',
        LEDGER + "test_an_sms_of_unknown_outcome_holds_back_the_clients_next_one_until_it_is_resolved",
    ),
    Mutation(
        "a message goes out that says what is no longer so",
        "streams/sending/recheck.py",
        "if any(over) or not still_so(",
        "if any(over) or False and still_so(",
        RECHECK + "test_what_still_goes",
    ),
    Mutation(
        "the record of a late reminder names what had begun and was not told",
        "streams/sending/sender.py",
        "row = replace(row, delivery=delivery, attempt=attempt,",
        "row = replace(row, attempt=attempt,",
        RECHECK + "test_the_record_of_a_late_reminder_names_what_was_called",
    ),
    Mutation(
        "what a message says is known when it is decided, though it may never go out",
        "streams/notices/closing.py",
        "takeoff(kept(agenda, before, known, zone), messages",
        "takeoff(kept(agenda, before, read(known, [one.notice for one in decided if not one.withheld], now), zone), messages",
        FLIGHTS + "TestWhatIsKnown::test_while_it_flies_nothing_of_it_is_known",
    ),
    Mutation(
        "what comes back or is lost is known all the same",
        "streams/notices/flights.py",
        'if outcome.became == "out" or given_up:',
        "if True:",
        FLIGHTS + "TestWhatIsKnown::test_what_is_lost_is_not_known_and_said_at_the_next_closing",
    ),
    Mutation(
        "what a message took away stays unknown, though the message did not arrive",
        "streams/notices/undoing.py",
        "if item.words not in items and is_ahead(item.words, now, zone):",
        "if False:",
        FINAL + "test_what_is_taken_back",
    ),
    Mutation(
        "what went without saying stays known, though its series was told to nobody",
        "streams/notices/closing.py",
        "covered=next((rule.notice for rule in _rules_of(scene.known, change)), None),",
        "",
        FINAL + "test_what_went_without_saying_is_told_with_the_series_that_did_not_arrive",
    ),
    Mutation(
        "a message of which nobody knows is decided anew by a report on its second call",
        "streams/sending/final_reports.py",
        "and not row.unknowns and",
        "and",
        FINAL + "test_never_after_an_outcome_that_nobody_knows",
    ),
    Mutation(
        "pieces that went in an earlier call are billed once more",
        "streams/sending/outcomes.py",
        "sum(outcome.each[len(row.parts) :])",
        "sum(outcome.each)",
        PIECES + "test_what_became_of_a_long_message",
    ),
    Mutation(
        "a message of which some pieces went comes back, and its client believes what they said",
        "streams/sending/sender.py",
        "begun=row.piece > 0",
        "begun=False",
        PIECES + "test_what_becomes_of_the_rest_of_one_that_went_in_part",
    ),
    Mutation(
        "no answer to a claim that was given up counts as a second unknown outcome, and the SMS never goes again",
        "streams/sending/sender.py",
        'if outcome.kind == "unknown" and row.status != "claimed":',
        "if False:",
        LEDGER + "test_no_answer_to_a_claim_that_was_given_up_says_nothing_new",
    ),
    Mutation(
        "a late answer is taken for that of a later call, and a third one is made beside it",
        "streams/sending/sender.py",
        'if result.number not in (0, row.attempt) and getattr(result.outcome, "kind", None) != "sent":',
        "if False:",
        STREAMS + "sending/test_sending.py::test_an_answer_that_comes_amid_a_later_call_is_not_taken_for_its_answer",
    ),
    Mutation(
        "a refused address on trial does not end the pause, though our own side works",
        "streams/sending/sender.py",
        'if outcome.kind in ("sent", "permanent_address", "permanent_message"):',
        'if outcome.kind in ("sent", "permanent_message"):',
        VALVE + "test_what_a_trial_comes_to",
    ),
    Mutation(
        "any answer to a trial ends the pause, of a provider that is overloaded too",
        "streams/sending/sender.py",
        'if outcome.kind in ("sent", "permanent_address", "permanent_message"):',
        "if True:",
        VALVE + "test_what_a_trial_comes_to",
    ),
    Mutation(
        "an answer to a call from before a pause ends the pause",
        "streams/sending/throttle.py",
        "if whose in self._pauses and self._pauses[whose].half_open:",
        "if whose in self._pauses:",
        VALVE + "test_an_answer_to_a_call_that_began_before_a_pause_does_not_end_it",
    ),
)

ENGINE = (
    Mutation(
        "a worker whose partition was taken over goes on writing",
        "agents/engine/state/store.py",
        '        if FENCE_KEY in found:\n            self.app.die(f"{self.topic}/{p} was taken over by another worker")\n',
        "",
        GENERATIONS + "test_a_worker_that_missed_that_its_partition_went_ends_at_its_next_append_and_says_nothing",
    ),
    Mutation(
        "a worker that has nothing to write does not see that its partition was taken over",
        "agents/engine/state/store.py",
        "in ends and not part.writing and ends[tp] > part.end",
        "in ends and not part.writing and ends[tp] > part.end + 1",
        GENERATIONS + "test_a_worker_that_missed_it_and_has_nothing_to_append_ends_at_the_audit",
    ),
    Mutation(
        "rows of a partition that another worker had meanwhile are kept",
        "agents/engine/state/recovery.py",
        "for p, part in mine.items() if part.end == ends[TopicPartition(store.topic, p)]}",
        "for p, part in mine.items()}",
        GENERATIONS + "test_a_partition_that_another_worker_had_meanwhile_is_loaded_anew_and_its_processor_made_anew",
    ),
    Mutation(
        "a partition that is taken over while it is loaded is worked on by two",
        "agents/engine/state/recovery.py",
        "if part.epoch != encode_epoch(fences[tp]):",
        "if False:",
        GENERATIONS + "test_a_partition_that_is_taken_over_while_it_is_loaded_ends_the_worker_that_loads",
    ),
    Mutation(
        "a partition that is revoked while it is loaded is worked on",
        "agents/engine/state/recovery.py",
        "if revocations != self.app.revocations:",
        "if False:",
        GENERATIONS + "test_a_partition_that_is_revoked_while_it_is_loaded_is_not_worked_on",
    ),
    Mutation(
        "a processor goes on over rows that were loaded anew",
        "agents/engine/tasks/tasks.py",
        "if p in self._processors and p not in fresh}",
        "if p in self._processors}",
        GENERATIONS + "test_a_partition_that_another_worker_had_meanwhile_is_loaded_anew_and_its_processor_made_anew",
    ),
    Mutation(
        "a turn without outputs leaves the outbox of the turn before, which the next owner sends again",
        "agents/engine/tasks/task.py",
        "if outputs or (self.part.outbox is not None and entries):",
        "if outputs:",
        GENERATIONS + "test_an_outbox_of_a_turn_before_is_not_sent_again_by_the_next_owner",
    ),
    Mutation(
        "a partition is read from the group's commit, whatever its rows say",
        "agents/engine/transport/consumer.py",
        "wanted = in_rows if in_rows is not None else committed.get(tp)",
        "wanted = committed.get(tp)",
        SEEKING + "test_a_partition_is_read_from",
    ),
    Mutation(
        "what was fetched before a seek is handed on after it",
        "agents/engine/transport/consumer.py",
        "self._seek_due = True  # positions ran ahead of what was delivered\n                continue",
        "self._seek_due, was_due = False, self._seek_due",
        SEEKING + "test_what_was_fetched_before_a_seek_that_came_meanwhile_is_not_handed_on",
    ),
)

ECONOMY, KNOWN = "tests/belief/test_economy.py::test_no_plain_case_says_more_than_this", STREAMS + "notices/test_known.py::"

OUTCOMES = STREAMS + "notices/test_outcomes.py::"
KIND_ROWS = STREAMS + "notices/test_appointment_kinds.py::test_what_is_said"

WORDING = (
    Mutation(
        "what was on site is by telephone now, and nobody is told",
        "streams/notices/words.py",
        "    if was.kind != now.kind:\n",
        "    if False:\n",
        f"{KIND_ROWS}[another kind is told]",
    ),
    Mutation(
        "one by telephone goes without saying, since it is at the hour of a series on site",
        "streams/notices/closing.py",
        "(rule.kind, rule.place) == words.where and",
        "rule.place == words.place and",
        f"{KIND_ROWS}[one of another kind is not of a series]",
    ),
    Mutation(
        "every series is said as a weekly one",
        "streams/notices/gathering.py",
        "return run, Rhythm(rhythm.weeks, off)",
        "return run, Rhythm(1, off)",
        f"{ECONOMY}[every other week]",
    ),
    Mutation(
        "what falls on the same day of each month is cancelled as a series, though no series was told",
        "streams/notices/gathering.py",
        "if was is None and rhythm_of(days) is not None:",
        "if rhythm_of(days) is not None:",
        f"{ECONOMY}[on the same day of three months, of three weekdays, told one by one: no series is cancelled]",
    ),
    Mutation(
        "a series that moves leaves its exceptions behind",
        "streams/notices/rules.py",
        "            off.update(moved_by(day, delta) for day in rule.off)\n",
        "",
        f"{ECONOMY}[one cancelled, the others moved by hours, and one made at the new hour on its day: that is none of the "
        "moved series]",
    ),
    Mutation(
        "a series that this very message begins is taken to have said what comes with it",
        "streams/notices/closing.py",
        "if _covers(now, change, scene) and _covers(later, change, scene):",
        "if _covers(later, change, scene):",
        f"{ECONOMY}[moved by hours, and one more at the new hour: nobody said yet that there is a series then]",
    ),
    Mutation(
        "a cancellation names its day alone, whatever else is known of that day",
        "streams/notices/clarity.py",
        "timed=bool(twins or others - named)",
        "timed=False",
        f"{ECONOMY}[of two on a day one cancelled]",
    ),
    Mutation(
        "an appointment without a place is at another one than it was told with",
        "streams/notices/matching.py",
        "(so.get(slot) if outcome is None else None) or told.get(slot)",
        "(so.get(slot) if outcome is None else None)",
        f"{ECONOMY}[written anew without its place, it has the one that was told]",
    ),
    Mutation(
        "where a client came without a place is taken to be elsewhere by what is told later",
        "streams/notices/matching.py",
        "elif outcome is not None and own == words:",
        "elif outcome is not None and own != own:",
        f"{OUTCOMES}test_what_is_said_and_what_is_not[nor does a series that was told lend it its place]",
    ),
    Mutation(
        "where a client came is forgotten when its appointment is told as elsewhere",
        "streams/notices/known.py",
        "(item.heard or item.lived)",
        "item.heard",
        OUTCOMES
        + "test_a_message_that_waits_at_its_sender[where the client came stays known, though who is there is told as elsewhere]",
    ),
    Mutation(
        "what goes without saying is also still where others came to be known",
        "streams/notices/closing.py",
        "                leave(items, words, id_)\n",
        "                pass\n",
        STREAMS + "notices/test_flights.py::TestCovered",
    ),
    Mutation(
        "a cancellation that lands takes its appointment from where it came meanwhile",
        "streams/notices/known.py",
        "if member.now is None and (old is None or not old.stale):",
        "if False:",
        STREAMS + "notices/test_flights.py::TestCovered",
    ),
    Mutation(
        "of two at an hour that a gate kept back one is cancelled by itself, to who never heard of it",
        "streams/notices/known.py",
        "if member.now is None and (item := items.get(words)) is not None and not item.heard and not item.lived:",
        "if False:",
        STREAMS + "notices/test_known.py::test_what_is_said_and_what_is_not",
    ),
    Mutation(
        "what moves on from an hour that a gate kept back is said to be cancelled too",
        "streams/notices/matching.py",
        "stay = tuple(id_ for id_ in stay if _is_on(id_, appointments)) or stay",
        "pass",
        STREAMS + "notices/test_known.py::test_what_is_said_and_what_is_not",
    ),
    Mutation(
        "what left a series before its place changed is forgotten to have been of it",
        "streams/notices/gathering.py",
        "    for rule in found:  # which grows\n",
        "    for rule in ():\n",
        KNOWN + "test_what_is_said_and_what_is_not",
    ),
    Mutation(
        "what a closed gate kept back is told when it opens",
        "streams/notices/closing.py",
        "known = overheard(known, overheard_now, now)",
        "overheard(known, overheard_now, now)",
        KNOWN + "test_what_is_said_and_what_is_not",
    ),
)
"""Rules by which the difference between what a client knows and what is so is put into words; `belief.py` has those that the
property shows to be needed."""

HOLDS = "tests/agents/web/overview/test_holds.py::"

BRAKE = (
    Mutation(
        "a press goes through, though somebody else pressed since its page was made",
        "agents/web/overview/holds.py",
        "if asked.version != known.hold_version:",
        "if False:",
        HOLDS + "test_where_somebody_pressed_meanwhile_nothing_is_done_and_it_is_shown_as_it_is",
    ),
    Mutation(
        "one press is enough",
        "agents/web/overview/holds.py",
        'if fields.get("zeker") != "ja":',
        "if False:",
        HOLDS + "test_a_hold_takes_two_presses_and_shows_at_once",
    ),
    Mutation(
        "an end of notices lets go of the parties, too",
        "agents/web/overview/holds.py",
        "parties = hold.parties if hold is not None else []",
        "parties: list[str] = []",
        HOLDS + "test_an_end_leaves_the_parties_that_are_held",
    ),
    Mutation(
        "who may not see clients is shown samples",
        "agents/web/overview/holds.py",
        'SAMPLES if "inzage" in session.roles else 0',
        "SAMPLES",
        HOLDS + "test_who_may_not_see_clients_sees_numbers_alone",
    ),
    Mutation(
        "nothing is said of what an older hold showed",
        "streams/notices/pressing.py",
        "not old.at < seen_at <= at",
        "not seen_at <= at",
        "tests/agents/commands/test_hold.py::test_an_end_of_what_is_not_held_or_was_not_shown_is_refused",
    ),
    Mutation(
        "a backlog after a silence is a flood",
        "streams/history/volume.py",
        "MORE * most + _owed(counts, window)",
        "MORE * most",
        STREAMS + "history/test_volume.py::test_what_is_unusual",
    ),
    Mutation(
        "each process writes the e-mail",
        "agents/projection/volumes.py",
        "where=WARNED.c.at < moment(not_since)",
        "where=WARNED.c.at <= moment(at)",
        "tests/agents/web/test_busy.py::test_the_organisation_is_told_once_by_one_of_two_processes",
    ),
)
"""The hand on the brake, and what tells that it is needed."""

ROWS: tuple[Mutation, ...] = (*CLIENTS, *SENDERS, *ENGINE, *WORDING, *BRAKE, *people.ROWS, *employees.ROWS, *belief.ROWS)
