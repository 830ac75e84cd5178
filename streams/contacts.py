"""What is known of a client's number and address: upstream's word, and what was learnt about it since."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.events import Bounce, KnownAddress, KnownContact
from schemas.inputs import Contact

from .gates import known, mark_of
from .phones import normalised


def known_contact(event: Contact) -> KnownContact:
    """A contact as upstream sends it, its number in one way of writing, with the reason where it gets no SMS."""
    sms = email = None
    if event.sms is not None:
        number, problem = normalised(event.sms.number)
        sms = KnownAddress(address=number, confirmed=event.sms.confirmed, problem=problem)
    if event.email is not None:
        email = KnownAddress(address=event.email.address, confirmed=event.email.confirmed)
    return KnownContact(organisation=event.organisation, client=event.client, sms=sms, email=email)


def remembering(old: KnownContact | None, new: KnownContact) -> KnownContact:
    """Upstream's new word: what a provider said of an address stays with it until upstream took it back and confirmed it anew.

    Upstream repeats what it knows at every sync, so a `confirmed: true` alone says nothing new.
    """
    return replace(new, sms=_remembering(known(old, "sms"), new.sms), email=_remembering(known(old, "email"), new.email))


def _remembering(old: KnownAddress | None, new: KnownAddress | None) -> KnownAddress | None:
    if old is None or new is None or not old.refused or old.address != new.address:
        return new
    if not new.confirmed:
        return replace(new, refused=True, withdrawn=True)
    return new if old.withdrawn else replace(new, refused=True)


def refused(contact: KnownContact | None, bounce: Bounce) -> KnownContact | None:
    """The contact after a provider said that an address takes no messages; None where it is not the client's (any more)."""
    found = known(contact, bounce.channel)
    if contact is None or found is None or found.refused or mark_of(found.address) != bounce.mark:
        return None
    told = replace(found, refused=True, withdrawn=not found.confirmed)
    return replace(contact, sms=told) if bounce.channel == "sms" else replace(contact, email=told)
