"""Mutations of who else may read it: those who act for a client."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

PEOPLE = "tests/streams/notices/test_people.py::"
CORNERS = "tests/streams/notices/test_people_corners.py::"
OTHERS = "tests/streams/sending/test_others_messages.py::"
GATES = PEOPLE + "test_the_gates_of_one_who_acts_for_the_client"
SHRINKS = OTHERS + "test_no_attempt_begins_once_one_may_not_be_told"
SAME = OTHERS + "test_one_address_gets_one_message"

ROWS = (
    Mutation(
        "`tell` is not looked at: who has `all` is told of what is another's",
        "streams/notices/people.py",
        "return person.id in entry.tell if entry.tell is not None else person.all",
        "return person.all",
        GATES,
    ),
    Mutation(
        "what says nothing of who may be told is told to everybody",
        "streams/notices/people.py",
        "return person.id in entry.tell if entry.tell is not None else person.all",
        "return entry.tell is None or person.id in entry.tell",
        GATES,
    ),
    Mutation(
        "a `tell` that cannot be understood is as none",
        "streams/intake/representatives.py",
        'one["tell"] = []',
        'one["tell"] = None',
        PEOPLE + "test_a_tell_that_cannot_be_understood_is_the_clients_alone_and_a_dead_letter",
    ),
    Mutation(
        "who may be told of what a snapshot has is not looked at",
        "streams/intake/polls.py",
        "details=one.details, tell=one.tell,",
        "details=one.details,",
        CORNERS + "test_who_may_be_told_of_what_a_snapshot_has",
    ),
    Mutation(
        "`tell` is not looked at again before an attempt",
        "streams/sending/recheck.py",
        "if is_person(delivery.recipient) and not may_be_read(delivery, facts, agenda):",
        "if False:",
        SHRINKS,
    ),
    Mutation(
        "who is new is told all that is ahead",
        "streams/notices/representing.py",
        "agenda = with_view(agenda, person.id, newcomer(view, zone, now), zone)",
        "agenda = with_view(agenda, person.id, replace(view, window=Window(now, now)), zone)",
        PEOPLE + "test_who_is_new_is_told_nothing_of_what_is_ahead_and_is_reminded_of_it",
    ),
    Mutation(
        "`until` begins at noon",
        "streams/notices/people.py",
        'instant_of(person.until.isoformat(), "00:00", zone)',
        'instant_of(person.until.isoformat(), "12:00", zone)',
        PEOPLE + "test_until_passes_at_midnight_and_address_and_name_go_from_the_row",
    ),
    Mutation(
        "`until` is no gate",
        "streams/notices/gates.py",
        "if facts.ended:",
        "if False:",
        GATES,
    ),
    Mutation(
        "a parent needs no `until`",
        "streams/intake/representatives.py",
        "if until is None and not unclear and role in UNTIL_BIRTHDAY:",
        "if False:",
        GATES,
    ),
    Mutation(
        "the client's own notifications do not count",
        "streams/notices/representatives.py",
        "wanted = consent is not None and consent.notifications and person.notifications",
        "wanted = person.notifications",
        PEOPLE + "test_the_clients_own_notifications_are_needed_too_and_no_channel_of_hers",
    ),
    Mutation(
        "the person's own notifications do not count",
        "streams/notices/representatives.py",
        "wanted = consent is not None and consent.notifications and person.notifications",
        "wanted = consent is not None and consent.notifications",
        GATES,
    ),
    Mutation(
        "one address has each message as often as it has readers",
        "streams/notices/closing.py",
        "return SAME_ADDRESS if elsewhere and all(",
        "return SAME_ADDRESS if False and all(",
        SAME,
    ),
    Mutation(
        "one address has each reminder as often as it has readers",
        "streams/notices/reminding.py",
        "if withheld is None and elsewhere and elsewhere.issuperset(notice.appointments):",
        "if False:",
        SAME,
    ),
    Mutation(
        "who wants no mail in the client's mailbox has that of others there",
        "streams/notices/representatives.py",
        "if of_client is not None and is_same_address(address, address_of(client.contact, channel)):",
        "if False:",
        CORNERS + "test_who_reads_the_clients_mailbox_and_wants_no_mail_there_gets_none_of_others_either",
    ),
    Mutation(
        "others are told the place",
        "streams/notices/people.py",
        "actual = entry.actual if places or entry.actual.location is None else replace(entry.actual, location=None)",
        "actual = entry.actual",
        PEOPLE + "test_nothing_that_is_for_the_client_alone_is_said_to_others",
    ),
    Mutation(
        "a place that may not be said any more goes out with the next attempt",
        "streams/sending/recheck.py",
        "return says_places_to_others(facts.organisation) or not any(said)",
        "return True",
        OTHERS + "test_a_place_that_may_not_be_said_any_more_comes_back",
    ),
    Mutation(
        "what was told with its place is told of for ever, and comes back each time",
        "streams/notices/people.py",
        "    if not places:\n",
        "    if False:\n",
        CORNERS + "test_places_that_are_not_said_any_more_are_not_said_of_what_was_told_with_them",
    ),
    Mutation(
        "what may not be told any more stands on the page of holds",
        "streams/notices/representing.py",
        "if view.waiting is not None and not before.appointments.keys() <= view.appointments.keys():",
        "if False:",
        CORNERS + "test_a_tell_that_shrinks_in_a_hold_takes_the_message_off_the_page_too",
    ),
    Mutation(
        "of two entries of one person that which can be read counts",
        "streams/intake/representatives.py",
        "Counter(_ids_of(listed)).items()",
        "Counter(person.id for person in found).items()",
        CORNERS + "test_who_is_listed_twice_is_nobody_where_one_of_them_cannot_be_read",
    ),
    Mutation(
        "a label's templates stand around what others read",
        "streams/notices/people.py",
        "actual=actual, unsaid_place=None, details=None,",
        "actual=actual, unsaid_place=None,",
        CORNERS + "test_which_templates_stand_around_what_others_read",
    ),
    Mutation(
        "the salutation to the client stands above what others read",
        "schemas/templates.py",
        '{"before": "", "subject": ""}',
        "{}",
        CORNERS + "test_which_templates_stand_around_what_others_read",
    ),
)  # fmt: skip
"""Each gate of a person, when it is decided and before an attempt."""
