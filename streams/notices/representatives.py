"""What is known of those who act for a client: upstream's word part by part, what was learnt of their addresses, their gates."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.events import Bounce, KnownAddress, KnownContact, KnownPeople, KnownPerson
from schemas.inputs import Channel, Consent, OptOut
from schemas.keys import RecipientKey, person_of, recipient_of
from schemas.state import OptOuts, PeopleRow

from .agenda import zone_of
from .contacts import opted, remembering_address
from .gates import ClientFacts, address_of, is_same_address, mark_of
from .people import ends_at, has_ended

T = TypeVar("T")

MOST_MARKS = 100
"""Addresses that are kept of a client's people as off, or refused; of more the first ones go."""


def listed(row: PeopleRow, id_: str) -> KnownPerson:
    """Return a person; who is not listed is one who wants nothing."""
    return next((person for person in row.people if person.id == id_), KnownPerson(id=id_, role="mentor"))


def is_listed(row: PeopleRow, id_: str) -> bool:
    """Tell whether upstream says that somebody acts for the client."""
    return any(person.id == id_ for person in row.people)


def facts_of_person(row: PeopleRow, key: RecipientKey, client: ClientFacts, now: datetime) -> ClientFacts:
    """Return what the gates look at of a person. The second holds where the client wants notices, and the person does.

    What was said of the client's address counts for who has the same: that it takes no messages, or that its reader wants none.
    """
    person, consent, organisation = listed(row, person_of(key.recipient)), client.consent, client.organisation
    wanted = consent is not None and consent.notifications and person.notifications
    own = Consent(
        organisation=key.organisation, client=key.client, notifications=wanted, channels=list(person.channels),
        language=person.language if person.language is not None else UNSET,
    )  # fmt: skip
    sms, email = _as_of_client(person.sms, client, "sms"), _as_of_client(person.email, client, "email")
    contact = KnownContact(organisation=key.organisation, client=key.client, sms=sms, email=email)
    ended = has_ended(person, zone_of(organisation), now)
    return ClientFacts(
        own, contact, OptOuts(_off(row, key.recipient, person, client)), organisation, ended,
        row.call_name if person.name_client and not ended else None,
    )  # fmt: skip


def _as_of_client(mine: KnownAddress | None, client: ClientFacts, channel: Channel) -> KnownAddress | None:
    """Return an address, refused where it is the client's and that was."""
    theirs = address_of(client.contact, channel)
    if mine is None or theirs is None or not theirs.refused or not is_same_address(mine, theirs):
        return mine
    return replace(mine, refused=True)


def _off(row: PeopleRow, recipient: str, person: KnownPerson, client: ClientFacts) -> dict[Channel, str]:
    """Return the channels that are off: by the person, or by whoever reads what comes to the person's address."""
    found = dict(row.off.get(recipient, {}))
    for channel in CHANNELS:
        address = address_of(person, channel)
        if address is not None and channel in (by_mark := row.off.get(mark_of(address.address), {})):
            found.setdefault(channel, by_mark[channel])
        of_client = client.opt_outs.off.get(channel) if client.opt_outs is not None else None
        if of_client is not None and is_same_address(address, address_of(client.contact, channel)):
            found.setdefault(channel, of_client)
    return found


def taken_in(old: PeopleRow, said: KnownPeople, zone: str, now: datetime) -> PeopleRow:
    """Return the row after upstream said who acts for the client. Who is told nothing more has neither address nor name."""
    refused = dict(old.refused)
    people = tuple(_remembering(old, person, refused, zone, now) for person in said.people)
    return _nameless(replace(old, people=people, call_name=said.call_name, revision=said.revision, refused=refused), zone, now)


def _remembering(old: PeopleRow, new: KnownPerson, refused: dict[str, bool], zone: str, now: datetime) -> KnownPerson:
    if has_ended(new, zone, now):
        return _forgotten(new)
    before = listed(old, new.id)
    found = {channel: _address(address_of(before, channel), address_of(new, channel), refused) for channel in CHANNELS}
    return replace(new, **found)


def _address(old: KnownAddress | None, new: KnownAddress | None, refused: dict[str, bool]) -> KnownAddress | None:
    """Return an address as it may be used; one that was refused is so until upstream took it back and confirmed it anew."""
    found = remembering_address(old, new)
    if found is None or (mark := mark_of(found.address)) not in refused:
        return found
    if not found.confirmed:
        refused[mark] = True
    elif refused[mark]:
        del refused[mark]
        return replace(found, refused=False, withdrawn=False)
    return replace(found, refused=True, withdrawn=refused[mark])


def _nameless(row: PeopleRow, zone: str, now: datetime) -> PeopleRow:
    """Return the row without the client's name where nobody may read it any more."""
    reads = any(person.name_client and person.notifications and not has_ended(person, zone, now) for person in row.people)
    return row if reads else replace(row, call_name=None)


def ended(row: PeopleRow, zone: str, now: datetime) -> PeopleRow:
    """Return the row without the addresses of who is told nothing more."""
    people = tuple(_forgotten(person) if has_ended(person, zone, now) else person for person in row.people)
    return _nameless(replace(row, people=people), zone, now)


def _forgotten(person: KnownPerson) -> KnownPerson:
    return replace(person, sms=None, email=None, name_client=False)


def forgets_at(person: KnownPerson, zone: str) -> datetime | None:
    """Return when address and name are to be forgotten, None where they are not, or were."""
    return ends_at(person, zone) if person != _forgotten(person) else None


def refused(row: PeopleRow, bounce: Bounce) -> PeopleRow:
    """Return the row after a provider said that an address takes no messages, whoever of these has it."""
    people = []
    for person in row.people:
        address = address_of(person, bounce.channel)
        if address is not None and not address.refused and mark_of(address.address) == bounce.mark:
            told = replace(address, refused=True, withdrawn=not address.confirmed)
            person = replace(person, **{bounce.channel: told})
        people.append(person)
    return replace(row, people=tuple(people), refused=_bounded({**row.refused, bounce.mark: row.refused.get(bounce.mark, False)}))


def opted_out(row: PeopleRow, event: OptOut, recipient: str) -> PeopleRow:
    """Return the row after a channel was turned off, or on again: by the person, and by the address where that is known."""
    off = dict(row.off)
    for key in (recipient, event.mark):
        if isinstance(key, str):
            channels = opted(OptOuts(off.get(key, {})), event).off
            off = {other: those for other, those in off.items() if other != key} | ({key: channels} if channels else {})
    return replace(row, off=_bounded(off))


def without_person(row: PeopleRow, id_: str, zone: str, now: datetime) -> PeopleRow:
    """Return the row as if a person had never been in it."""
    gone, marks = listed(row, id_), set[str]()
    for channel in CHANNELS:
        if (address := address_of(gone, channel)) is not None:
            marks.add(mark_of(address.address))
    people = tuple(person for person in row.people if person.id != id_)
    kept = {mark_of(found.address) for one in people for channel in CHANNELS if (found := address_of(one, channel)) is not None}
    forgotten = (marks - kept) | {recipient_of(id_)}
    left = replace(
        row, people=people, off={key: those for key, those in row.off.items() if key not in forgotten},
        refused={mark: back for mark, back in row.refused.items() if mark not in forgotten},
    )  # fmt: skip
    return _nameless(left, zone, now)


def _bounded(marks: dict[str, T]) -> dict[str, T]:
    """Keep the last ones, and all that are by a person."""
    own = {key: value for key, value in marks.items() if key.startswith("p:")}
    others = [(key, value) for key, value in marks.items() if key not in own]
    return own | dict(others[-MOST_MARKS:])
