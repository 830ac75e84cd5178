"""Those who act for a client, for `why`: who is listed, whether messages go to each now, and of what each may be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from schemas.events import KnownPerson
from schemas.keys import ClientKey, RecipientKey, recipient_of
from schemas.state import Agenda, PeopleRow

from ..notices.gates import ClientFacts, eligibility_of
from ..notices.people import may_be_told
from ..notices.representatives import facts_of_person
from .pending import Fact


def others(key: ClientKey, people: PeopleRow, agenda: Agenda, client: ClientFacts, now: datetime) -> Iterator[Fact]:
    """Yield a fact for each, in the order in which upstream lists them."""
    for person in people.people:
        recipient = recipient_of(person.id)
        facts = facts_of_person(people, RecipientKey(*key, recipient), client, now)
        channel, closed = eligibility_of(facts)
        goes = f"closed: {closed}" if closed is not None else f"open, by {channel}"
        told = sorted(id_ for id_, entry in agenda.appointments.items() if may_be_told(person, entry))
        yield Fact(f"{recipient}, {person.role}{_until(person)}: {goes}; may be told of {', '.join(told) or 'nothing'}", {
            "recipient": recipient, "role": person.role, "until": person.until, "all": person.all, "closed": closed,
            "channel": channel, "told": told,
        })  # fmt: skip


def _until(person: KnownPerson) -> str:
    return f" until {person.until.isoformat()}" if person.until is not None else ""
