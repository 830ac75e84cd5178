"""One client in one turn: what every decision about it needs, looked up once and carried as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.inputs import Organisation
from schemas.keys import CLIENT, ClientKey, RecipientKey, person_of, recipient_of
from schemas.languages import Language
from schemas.state import Agenda, PeopleRow, SettingsRow
from schemas.topics import AGENDAS, CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, PEOPLE_TABLE

from ..processing.rows import Rows
from ..processing.turn import Decision
from .agenda import zone_of
from .gates import ClientFacts, Eligibility, address_of, eligibility_of, is_same_address
from .holds import is_on
from .labels import by_labels
from .languages import language_of
from .people import person_view
from .representatives import facts_of_person, forgets_at, listed
from .unsaid_places import by_places, says_places_to_others


@dataclass
class ClientTurn:
    """A client, the decision that is being made about it, and the clock. Facts are those at the first look.

    `recipient`: whom of the client's it is about (`schemas.keys`).
    """

    decision: Decision
    partition: int
    rows: Rows
    key: ClientKey
    settings: SettingsRow | None
    now: datetime
    recipient: str = CLIENT

    def __post_init__(self) -> None:
        """Take from the settings what is asked for again and again."""
        self._facts: ClientFacts | None = None
        self._eligibility: Eligibility | None = None
        self.whose = RecipientKey(*self.key, self.recipient)
        self.name = str(self.key)
        self.organisation: Organisation | None = self.settings.organisation if self.settings is not None else None

    @property
    def holds(self) -> bool:
        """Tell whether the organisation holds its notices."""
        return is_on(self.settings)

    @property
    def zone(self) -> str:
        """Return the organisation's time zone."""
        return zone_of(self.organisation)

    @property
    def facts(self) -> ClientFacts:
        """Look up what the gates look at."""
        if self._facts is None:
            self._facts = facts_of(self.rows, self.decision, self.whose, self.organisation, self.now)
        return self._facts

    @property
    def eligibility(self) -> Eligibility:
        """Return by which channel a message may go now, or which gate is closed."""
        if self._eligibility is None:
            self._eligibility = eligibility_of(self.facts)
        return self._eligibility

    @property
    def language(self) -> Language | None:
        """Return in which language a message is worded."""
        return language_of(self.organisation, self.facts.consent)

    @property
    def agenda(self) -> Agenda:
        """Read the agenda as it is in this decision; of one who acts for the client what of it that one may be told."""
        return view_for(self.rows, self.decision, self.whose, self.organisation)

    @property
    def of_client(self) -> Agenda:
        """Read the client's own agenda as it is in this decision."""
        return agenda_of(self.rows, self.decision, self.name, self.organisation)

    @property
    def people(self) -> PeopleRow:
        """Read who acts for the client."""
        return people_of(self.rows, self.decision, self.key)

    @property
    def forgets_at(self) -> datetime | None:
        """Return when the address of one who acts for the client is to be forgotten; None of the client."""
        return forgets_at(listed(self.people, person_of(self.recipient)), self.zone) if self.recipient else None

    def of(self, recipient: str) -> ClientTurn:
        """Return the turn of somebody else of this client's, in the same decision."""
        return ClientTurn(self.decision, self.partition, self.rows, self.key, self.settings, self.now, recipient)

    @property
    def elsewhere(self) -> frozenset[str]:
        """Find the appointments of which somebody else of the client's is told at this recipient's address, by its channel.

        The client stands before all others, and of these each before those that are listed later; only whose gates are open.
        """
        if not self.recipient or self.eligibility.closed_gate is not None or (channel := self.eligibility.channel) is None:
            return frozenset()
        mine = address_of(self.facts.contact, channel)
        others = [CLIENT]
        for person in self.people.people:
            if recipient_of(person.id) == self.recipient:
                break
            others.append(recipient_of(person.id))
        found: set[str] = set()
        for turn in map(self.of, others):
            if is_same_address(mine, address_of(turn.facts.contact, channel)) and turn.eligibility == (channel, None):
                found.update(turn.agenda.appointments)
        return frozenset(found)


def facts_of(
    rows: Rows, decision: Decision | None, key: RecipientKey, organisation: Organisation | None, now: datetime
) -> ClientFacts:  # fmt: skip
    """Look up what the gates look at. `decision`: in which rows may have changed; None: what is durable."""
    name = str(key.of_client)
    of_client = ClientFacts(
        rows.get(decision, CONSENTS_TABLE, CONSENTS_TABLE.row(name)),
        rows.get(decision, CONTACTS_TABLE, CONTACTS_TABLE.row(name)),
        rows.get(decision, OPT_OUTS_TABLE, OPT_OUTS_TABLE.row(name)),
        organisation,
    )
    if not key.recipient:
        return of_client
    return facts_of_person(people_of(rows, decision, key.of_client), key, of_client, now)


def people_of(rows: Rows, decision: Decision | None, key: ClientKey) -> PeopleRow:
    """Look up who acts for a client."""
    return rows.get(decision, PEOPLE_TABLE, PEOPLE_TABLE.row(key)) or PeopleRow()


def view_for(rows: Rows, decision: Decision | None, key: RecipientKey, organisation: Organisation | None) -> Agenda:
    """Read the agenda as it is for a recipient. Who is not listed may be told of nothing, and still has what flies."""
    agenda = agenda_of(rows, decision, key.of_client, organisation)
    if not key.recipient:
        return agenda
    person = listed(people_of(rows, decision, key.of_client), person_of(key.recipient))
    return person_view(agenda, person, zone_of(organisation), places=says_places_to_others(organisation))


def agenda_of(rows: Rows, decision: Decision | None, key: ClientKey | str, organisation: Organisation | None) -> Agenda:
    """Read what is so of a client and what was told; an empty agenda where nothing is kept. `decision`: as `facts_of`."""
    return as_set(rows.get(decision, AGENDAS, AGENDAS.row(key)) or Agenda(), organisation)


def as_set(agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return an agenda as the organisation's settings now have it."""
    return by_places(by_labels(agenda, organisation), organisation)
