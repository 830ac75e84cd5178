"""One employee in one turn: what every decision about it needs."""

from __future__ import annotations

from datetime import datetime

from schemas.employees import KnownEmployee
from schemas.inputs import Organisation
from schemas.keys import RecipientKey
from schemas.languages import Language
from schemas.state import SettingsRow

from ..notices.agenda import zone_of
from ..notices.gates import ClientFacts, Eligibility, eligibility_of
from ..notices.languages import language_of
from ..processing.turn import Decision
from .levels import facts_of


class EmployeeTurn:
    """One employee, the decision that is being made, and the clock."""

    def __init__(
        self, decision: Decision, partition: int, whose: RecipientKey, known: KnownEmployee, settings: SettingsRow | None,
        now: datetime,
    ) -> None:  # fmt: skip
        self.decision, self.partition, self.whose, self.known, self.settings, self.now = (
            decision, partition, whose, known, settings, now
        )  # fmt: skip
        self.organisation: Organisation | None = settings.organisation if settings is not None else None

    @property
    def zone(self) -> str:
        """Return the organisation's time zone."""
        return zone_of(self.organisation)

    @property
    def facts(self) -> ClientFacts:
        """Return what the gates look at."""
        return facts_of(self.known, self.whose.organisation, self.organisation)

    @property
    def eligibility(self) -> Eligibility:
        """Return by which channel a digest may go now, or which gate is closed."""
        return eligibility_of(self.facts)

    @property
    def language(self) -> Language | None:
        """Return in which language a message is worded."""
        return language_of(self.organisation, self.facts.consent)
