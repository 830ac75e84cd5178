"""Take in contacts: an address in one way of writing, with the reason where it cannot be used."""

from __future__ import annotations

from schemas.events import KnownAddress, KnownContact
from schemas.inputs import Contact

from .phones import normalised


def known_contact(event: Contact) -> KnownContact:
    """Return a contact as upstream sends it, its number in one spelling, with the reason where it gets no SMS."""
    sms = email = None
    if event.sms is not None:
        number, problem = normalised(event.sms.number)
        said = event.sms.confirmed
        sms = KnownAddress(address=number, confirmed=said is True, unsaid=said is None, problem=problem)
    if event.email is not None:
        said = event.email.confirmed
        email = KnownAddress(address=event.email.address, confirmed=said is True, unsaid=said is None)
    return KnownContact(organisation=event.organisation, client=event.client, sms=sms, email=email, revision=event.revision)
