"""Notices: one writer of all that is known of a client; it decides what to tell, and when (`streams/README.md`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, assert_never

from msgspec.structs import replace

from schemas.deliveries import ERASED, Reason
from schemas.events import (
    AgendaChange,
    AppointmentEvent,
    Bounce,
    Erased,
    Forget,
    ForgetKind,
    KnownContact,
    KnownPeople,
    Landed,
)
from schemas.holds import Hold, Urgent
from schemas.inputs import Consent, OptOut, Organisation, OrganisationOverride, Request, WindowSettings
from schemas.keys import RecipientKey, recipient_of
from schemas.state import Agenda, Flying, SettingsRow, Window
from schemas.topics import (
    AGENDAS,
    CONSENTS_TABLE,
    CONTACTS_TABLE,
    DELIVERIES,
    OPT_OUTS_TABLE,
    PEOPLE_TABLE,
    Table,
)
from schemas.wire import encode

from ..processing.caps import capped_appointment, set_aside_capped
from ..processing.dead_letters import take_records
from ..processing.own_records import client_event
from ..processing.turn import Decision, Output, Processor, Record, Turn
from .agenda import Decided, pruned, seconds_since, take_in, without
from .client_turn import ClientTurn
from .clients import END, FLIGHT, KINDS, PRUNE, REMINDER, REQUEST, WINDOW, first_moment_of
from .consents import Consents
from .contacts import opted, refused
from .due_moments import due_of_before, due_together
from .flights import landed, message_of, overdue
from .holds import days_waiting, not_before
from .labels import labels_of
from .listing import is_meant, unlist
from .messages import emit_again, emit_given_up, emit_message, request_notice
from .organisations import Organisations
from .reminding import decide_reminders
from .representing import Representing
from .requests import NO_CHANNEL, Requests
from .returns import reopened
from .undoing import undone
from .unsaid_places import says_places
from .windows import marked

CLIENT_TABLES: tuple[Table[Any], ...] = (CONSENTS_TABLE, CONTACTS_TABLE, PEOPLE_TABLE, OPT_OUTS_TABLE, AGENDAS)
"""All that is kept of one client."""

FORGOTTEN: dict[ForgetKind, Table[Any]] = {"consent": CONSENTS_TABLE, "contact": CONTACTS_TABLE}
"""Where an event that forgets it deletes the row."""


class Notices(Organisations, Requests, Consents, Representing):
    """The notices processor of one partition of `client-events`."""

    # -- what the driver asks ------------------------------------------------------------------------------------------

    def decide(self, turn: Turn) -> Decision:
        """Handle due moments first, then events, in order."""
        decision = Decision()
        for name in self.timers.due(turn.due, turn.limit):
            self._fire(decision, name, turn.now)
            if decision.full:
                break
        take_records(decision, turn, self._handle)
        decision.more = self.timers.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Do nothing: settings and moments are kept as they are decided."""

    # -- events --------------------------------------------------------------------------------------------------------

    def _handle(self, decision: Decision, record: Record, turn: Turn) -> None:
        event = client_event(record)
        body = event.body
        client = self.turn_of(decision, event.key, turn.now, event.recipient)
        match body:
            case AppointmentEvent():
                self._take_appointments(client, record, (body,), event.written)
            case AgendaChange(appointments):
                self._take_appointments(client, record, appointments, event.written)
            case Request():
                self._take_request(client, record, body, event.written)
            case Consent():
                self._take_consent(client, body)
            case KnownContact():
                self._take_contact(client, body)
            case KnownPeople():
                self._take_people(client, body)
            case Bounce() if event.recipient:
                self._refuse_person(client, body)
            case Bounce():
                if (contact := refused(client.facts.contact, body)) is not None:
                    decision.count("refused_addresses", body.channel)
                    self._keep_contact(client, contact)
            case OptOut() if body.recipient:
                self._opt_out_person(client, body, body.recipient)
            case OptOut():
                off = opted(client.facts.opt_outs, body)
                decision.put(OPT_OUTS_TABLE.row(event.key), encode(off) if off.off else None)
            case Landed():
                self._land(client, body)
            case Erased():
                self._erase(client, body)
            case Organisation() | OrganisationOverride():
                self._set(decision, event.organisation, body, turn.now)
            case Hold():
                self._hold(decision, event.organisation, body, turn.now)
            case Urgent():
                self._answer(decision, event.organisation, body) if body.granted is None else self._answered(client, body)
            case Forget(what):
                if what == "hold":
                    self._hold(decision, event.organisation, body, turn.now)
                elif what == "settings" or what == "override":
                    self._set(decision, event.organisation, body, turn.now)
                elif what == "people":
                    self._take_people(client, KnownPeople(organisation=event.organisation, client=event.client))
                else:
                    decision.put(FORGOTTEN[what].row(event.key), None)
            case _:
                assert_never(body)

    def _take_appointments(self, client: ClientTurn, record: Record, events: Iterable[AppointmentEvent], written: int) -> None:
        """Take in appointments as they now are, all at once; what is one too many is set aside."""
        old, now = self._settled(client), client.now
        window = client.organisation.window if client.organisation is not None else WindowSettings()
        late, agenda, capped = seconds_since(written, now), old, None
        labels, says = labels_of(client.organisation), says_places(client.organisation)
        for event in events:
            if (taken := take_in(agenda, event, window, now, late, labels, says_places=says)) is agenda:
                continue
            if capped_appointment(agenda, event, now) is not None:
                agenda = pruned(agenda, client.zone, now)
                taken = take_in(agenda, event, window, now, late, labels, says_places=says)
            if (cap := capped_appointment(agenda, event, now)) is not None:
                capped = cap
                continue
            agenda = taken
        if capped is not None:
            set_aside_capped(client.decision, record, capped)
        if agenda is old:
            return
        agenda = marked(old, self.followed(client, old, agenda, late), client.organisation)
        at_once = 0 in (window.quiet_seconds, window.max_seconds)
        if at_once and not agenda.flight and agenda.window is not None and agenda.window.closes <= now:
            agenda = self._close(client, agenda, now)
        self.keep(client, agenda)
        if agenda.people:
            self._people_at_once(client, at_once=at_once)

    def _people_at_once(self, client: ClientTurn, *, at_once: bool) -> None:
        """Set the next moments of those who act for a client; where windows close at once theirs do, too."""
        for turn in map(client.of, map(recipient_of, client.of_client.people)):
            view = turn.agenda
            if at_once and not view.flight and view.window is not None and view.window.closes <= client.now:
                self.keep(turn, self._close(turn, view, client.now))
        self.schedule_people(client.decision, client.key, client.now)

    def _erase(self, client: ClientTurn, event: Erased) -> None:
        """Forget the client, or appointments that another partition of intake kept. The senders are told by a null value."""
        decision, key, agenda = client.decision, client.key, client.agenda
        if event.person is not None:
            self._erase_person(client, event.person)
            return
        if event.appointments is not None:
            left = without(agenda, frozenset(event.appointments))
            if len(left.appointments) < len(agenda.appointments):
                if left.waiting is not None:  # it names what is forgotten: it is found anew
                    unlist(client, left)
                    left = replace(left, waiting=None, window=left.window or Window(client.now, client.now))
                decision.scrub.add(AGENDAS.row(key))
                self.keep(client, self.without_appointments(client, agenda, left, frozenset(event.appointments)))
                self.schedule_people(decision, key, client.now)
            return
        for pending in agenda.requests.values():
            one = [Decided(request_notice(pending.request), ERASED, client.now)]
            emit_message(client, "request", message_of(agenda, one), one, NO_CHANNEL, client.now)
        unlist(client, agenda)
        self.forget_people(client, agenda)
        for table in CLIENT_TABLES:
            if self.rows.get(decision, table, table.row(key)) is not None:
                decision.erase(table.row(key))
        self.timers.put(str(key), None)
        for topic in DELIVERIES.values():
            decision.emit(Output(topic.name, key.encoded, None, self.partition))

    def _answered(self, client: ClientTurn, answer: Urgent) -> None:
        """Let messages of days that are near go in a hold, or not."""
        agenda = client.agenda
        if agenda.waiting is None or not is_meant(client.settings, answer):
            return
        waiting = replace(agenda.waiting, asked=False, refused=not answer.granted)
        if not answer.granted:
            agenda = replace(agenda, waiting=replace(waiting, soon_at=None))
        elif agenda.flight:
            agenda = replace(agenda, waiting=waiting, window=agenda.window or Window(client.now, client.now))
        else:
            agenda = self._close(client, replace(agenda, waiting=waiting), client.now, urgent=True)
        self.keep(client, agenda)

    # -- moments -------------------------------------------------------------------------------------------------------

    def _fire(self, decision: Decision, name: str, now: datetime) -> None:
        """Handle the moment that was taken off the index; which one it is follows from the agenda."""
        key = RecipientKey.of(name)
        client = self.turn_of(decision, key.of_client, now, key.recipient)
        old = agenda = client.agenda
        when, kind, detail = first_moment_of(agenda, client.settings, client.forgets_at, now) or (now, PRUNE, "")
        if when > now:  # the agenda has no moment that is due (any more)
            self.schedule_again(client, agenda)
            return
        since = not_before(client.settings, when)
        decision.measure("moments", KINDS[kind], time=now - since)
        if kind == WINDOW:
            agenda = self._close(client, agenda, since)
        elif kind == REMINDER and client.settings is not None:
            agenda = self._remind(client, agenda, client.settings, detail, when)
        elif kind == REQUEST:
            agenda = self._decide_request(client, agenda, detail, when)
        elif kind == FLIGHT:
            agenda = self._ask_again(client, agenda)
        elif kind == END:
            self._end_people(client)
        else:
            agenda = pruned(agenda, client.zone, now)
        if agenda is old:
            self.schedule_again(client, agenda)
        else:
            self.keep(client, agenda)

    # -- decisions -----------------------------------------------------------------------------------------------------

    def _land(self, client: ClientTurn, outcome: Landed) -> None:
        """Take in what a sender says became of a message. One that does not fly, or was erased, changes nothing."""
        old = agenda = client.agenda
        given_up: Flying | None = None
        if outcome.message in agenda.flight:
            agenda, given_up = landed(client.whose, agenda, outcome, client.zone, client.now)
        elif outcome.became == "back" and outcome.notices and outcome.day is None and outcome.request is None:
            agenda, given_up = undone(agenda, outcome, client.zone, client.now)
        elif outcome.became == "back":
            agenda, ended = reopened(client.whose, agenda, outcome, client.zone, client.now)
            if ended:
                reason: Reason = "request" if outcome.request is not None else "reminder"
                emit_given_up(client, outcome.message, reason, outcome.channel, ended)
        if given_up is not None:
            emit_given_up(client, outcome.message, "direct", given_up.channel, given_up.notices)
        client.decision.count("landed", outcome.became if agenda is not old else "ignored")
        if agenda is not old:
            self.keep(client, agenda)

    def _ask_again(self, client: ClientTurn, agenda: Agenda) -> Agenda:
        """Hand out the deliveries of messages of which nothing was heard."""
        agenda, late = overdue(agenda, client.now)
        for id_, flying in late.items():
            client.decision.count("flights_asked")
            emit_again(client, id_, flying)
        return agenda

    def _remind(self, client: ClientTurn, agenda: Agenda, settings: SettingsRow, day: str, since: datetime) -> Agenda:
        """Decide the reminders that are due since then, those of several days as one message.

        They first close the open window, held or not, and speak of what then is so. What that says goes out before: they wait
        until it has landed.
        """
        if agenda.reminding is not None:
            due = agenda.due or (due_of_before(settings.organisation, day, since),)
        else:
            due = due_together(agenda, settings, day, since, client.now)
        organisation, is_over = settings.organisation, agenda.waiting is not None and not client.holds
        if agenda.window is not None or agenda.held_until is not None or is_over:
            agenda = self._close(client, agenda, since)
        due = tuple(one for one in due if one.day not in days_waiting(agenda))
        if agenda.flight and due:
            return replace(agenda, reminding=(due[0].day, since), due=due)
        return replace(decide_reminders(client, agenda, organisation, due, since), reminding=None, due=())


def notices(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Notices:
    """Return the notices processor of a partition."""
    return Notices(partition, rows)
