"""One client in one turn: what every decision about it needs, looked up once and carried as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.inputs import Organisation
from schemas.keys import ClientKey
from schemas.languages import Language
from schemas.state import Agenda, SettingsRow
from schemas.topics import AGENDAS, CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE

from ..processing.rows import Rows
from ..processing.turn import Decision
from .agenda import zone_of
from .gates import ClientFacts, Eligibility, eligibility_of
from .holds import is_on
from .labels import by_labels
from .languages import language_of
from .unsaid_places import by_places


@dataclass
class ClientTurn:
    """A client, the decision that is being made about it, and the clock. Facts are those at the first look."""

    decision: Decision
    partition: int
    rows: Rows
    key: ClientKey
    settings: SettingsRow | None
    now: datetime

    def __post_init__(self) -> None:
        """Take from the settings what is asked for again and again."""
        self._facts: ClientFacts | None = None
        self._eligibility: Eligibility | None = None
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
            self._facts = facts_of(self.rows, self.decision, self.name, self.organisation)
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
        """Read the agenda as it is in this decision."""
        return agenda_of(self.rows, self.decision, self.name, self.organisation)


def facts_of(rows: Rows, decision: Decision | None, key: ClientKey | str, organisation: Organisation | None) -> ClientFacts:
    """Look up what the gates look at. `decision`: in which rows may have changed; None: what is durable."""
    return ClientFacts(
        rows.get(decision, CONSENTS_TABLE, CONSENTS_TABLE.row(key)),
        rows.get(decision, CONTACTS_TABLE, CONTACTS_TABLE.row(key)),
        rows.get(decision, OPT_OUTS_TABLE, OPT_OUTS_TABLE.row(key)),
        organisation,
    )


def agenda_of(rows: Rows, decision: Decision | None, key: ClientKey | str, organisation: Organisation | None) -> Agenda:
    """Read what is so of a client and what was told; an empty agenda where nothing is kept. `decision`: as `facts_of`."""
    return as_set(rows.get(decision, AGENDAS, AGENDAS.row(key)) or Agenda(), organisation)


def as_set(agenda: Agenda, organisation: Organisation | None) -> Agenda:
    """Return an agenda as the organisation's settings now have it."""
    return by_places(by_labels(agenda, organisation), organisation)
