"""The part of notices that takes in who acts for a client, and has what each of them may be told follow the client's agenda."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.events import Bounce, KnownPeople, KnownPerson
from schemas.inputs import OptOut, WindowSettings
from schemas.keys import recipient_of
from schemas.state import Agenda, PeopleRow, PersonAgenda, Window
from schemas.topics import AGENDAS, DELIVERIES, PEOPLE_TABLE, REPRESENTATIVES
from schemas.wire import encode

from ..processing.turn import Output
from .agenda import speaking_of_others
from .client_turn import ClientTurn
from .clients import Clients
from .contacts import is_stale
from .listing import unlist
from .people import followed, has_ended, newcomer, person_view, unlisted, with_view
from .representatives import ended, is_listed, listed, opted_out, refused, taken_in, without_person
from .unsaid_places import says_places_to_others


class Representing(Clients):
    """Those who act for the clients of a partition."""

    def followed(self, client: ClientTurn, old: Agenda, agenda: Agenda, late: float) -> Agenda:
        """Return a client's agenda after a change of it from `old`, in which the views of those who act for the client follow.

        Where an agenda begins nobody stands in it yet, whoever acts for the client.
        """
        if not old.people and old.appointments:
            return agenda
        row = client.people
        if not old.people:
            agenda = replace(agenda, people={person.id: PersonAgenda() for person in row.people})
        return self._views_after(client, old, agenda, row, row, late)

    def without_appointments(self, client: ClientTurn, old: Agenda, agenda: Agenda, gone: frozenset[str]) -> Agenda:
        """Return a client's agenda, from which these are gone, with nothing of them in what is kept of others."""
        left = self.followed(client, old, agenda, 0.0)
        return replace(left, people={
            id_: replace(own, flight=speaking_of_others(own.flight, gone)) for id_, own in left.people.items()
        })  # fmt: skip

    def forget_people(self, client: ClientTurn, agenda: Agenda) -> None:
        """Have nothing wait, nor fall due, for those who act for a client."""
        for id_ in {*agenda.people, *[person.id for person in client.people.people]}:
            turn = client.of(recipient_of(id_))
            unlist(turn, turn.agenda)
            self.timers.put(str(turn.whose), None)

    def _is_new(self, client: ClientTurn) -> bool:
        """Tell whether no agenda is kept of a client."""
        return self.rows.get(client.decision, AGENDAS, AGENDAS.row(client.name)) is None

    def _views_after(
        self, client: ClientTurn, old: Agenda, agenda: Agenda, was: PeopleRow, row: PeopleRow, late: float = 0.0
    ) -> Agenda:  # fmt: skip
        """Return the agenda in which each view follows its change, or that of who may be told."""
        window = client.organisation.window if client.organisation is not None else WindowSettings()
        zone, now, places = client.zone, client.now, says_places_to_others(client.organisation)
        for id_, own in agenda.people.items():
            if own.away:
                continue
            before = person_view(old, listed(was, id_), zone, places=places)
            view = followed(before, old, agenda, listed(row, id_), zone, now, window, late, places=places)
            if view.waiting is not None and not before.appointments.keys() <= view.appointments.keys():
                unlist(client.of(recipient_of(id_)), view)  # it names what may not be told any more: it is found anew
                view = replace(view, waiting=None, window=view.window or Window(now, now))
            agenda = with_view(agenda, id_, view, zone)
        return agenda

    def _take_people(self, client: ClientTurn, said: KnownPeople) -> None:
        """Take in who acts for a client. Who is new, or back, is taken to know all that is ahead."""
        old = client.people
        if is_stale(old.revision, said.revision):
            client.decision.count("stale", REPRESENTATIVES.name)
            return
        row = taken_in(old, said, client.zone, client.now)
        client.decision.put(PEOPLE_TABLE.row(client.name), encode(row))
        if not self._is_new(client):
            self._admit(client, client.of_client, old, row)
        self.schedule_people(client.decision, client.key, client.now)

    def _admit(self, client: ClientTurn, agenda: Agenda, old: PeopleRow, row: PeopleRow) -> None:
        """Have the agenda follow who may be told, and keep it."""
        zone, now, before = client.zone, client.now, agenda
        places, people = says_places_to_others(client.organisation), dict(agenda.people)
        for id_, own in agenda.people.items():
            if not own.away and not is_listed(row, id_):
                unlist(client.of(recipient_of(id_)), person_view(agenda, listed(old, id_), zone, places=places))
                people[id_] = unlisted(own)
        back = [person for person in row.people if _is_back(person, old, people, client)]
        kept = {person.id: people.pop(person.id, PersonAgenda()) for person in back}
        agenda = self._views_after(client, agenda, replace(agenda, people=people), old, row)
        for person in back:
            own = replace(kept[person.id], away=False)
            view = person_view(replace(agenda, people={person.id: own}), person, zone, places=places)
            unlist(client.of(recipient_of(person.id)), view)
            agenda = replace(agenda, people={**agenda.people, person.id: PersonAgenda()})
            agenda = with_view(agenda, person.id, newcomer(view, zone, now), zone)
        if agenda != before:
            self.keep(client, agenda)

    def _end_people(self, client: ClientTurn) -> None:
        """Forget address and name of who is told nothing more."""
        client.decision.erase(PEOPLE_TABLE.row(client.name), encode(ended(client.people, client.zone, client.now)))

    def _refuse_person(self, client: ClientTurn, bounce: Bounce) -> None:
        client.decision.count("refused_addresses", bounce.channel)
        client.decision.put(PEOPLE_TABLE.row(client.name), encode(refused(client.people, bounce)))

    def _opt_out_person(self, client: ClientTurn, event: OptOut, recipient: str) -> None:
        client.decision.put(PEOPLE_TABLE.row(client.name), encode(opted_out(client.people, event, recipient)))

    def _erase_person(self, client: ClientTurn, id_: str) -> None:
        """Forget one who acts for a client, and what is not sent yet. The senders are told by a null value."""
        turn, decision = client.of(recipient_of(id_)), client.decision
        unlist(turn, turn.agenda)
        if self.rows.get(decision, PEOPLE_TABLE, PEOPLE_TABLE.row(client.name)) is not None:
            decision.erase(PEOPLE_TABLE.row(client.name), encode(without_person(client.people, id_, client.zone, client.now)))
        if not self._is_new(client):
            agenda = client.of_client
            entries = {
                name: replace(entry, tell=tuple(one for one in entry.tell if one != id_))
                for name, entry in agenda.appointments.items()
                if entry.tell is not None and id_ in entry.tell
            }
            people = {other: own for other, own in agenda.people.items() if other != id_}
            decision.scrub.add(AGENDAS.row(client.key))
            self.keep(client, replace(agenda, appointments={**agenda.appointments, **entries}, people=people))
        self.timers.put(str(turn.whose), None)
        for topic in DELIVERIES.values():
            decision.emit(Output(topic.name, turn.whose.encoded, None, client.partition))


def _is_back(person: KnownPerson, old: PeopleRow, people: dict[str, PersonAgenda], client: ClientTurn) -> bool:
    """Tell whether a person is new, or was told nothing until now: not listed, off, or after the last day."""
    if person.id not in people or people[person.id].away:
        return True
    was = listed(old, person.id)
    return _is_off(was, client) and not _is_off(person, client)


def _is_off(person: KnownPerson, client: ClientTurn) -> bool:
    return not person.notifications or has_ended(person, client.zone, client.now)
