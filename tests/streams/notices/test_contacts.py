"""What is known of an address: upstream's word, and what a provider said of it, in whichever order they come."""

from __future__ import annotations

import pytest

from schemas.events import Bounce, KnownAddress, KnownContact
from schemas.inputs import Channel
from streams.notices.contacts import refused, remembering
from streams.notices.gates import mark_of

NUMBER = "+31612345678"

ROWS = [
    ("confirmed", "", True),
    ("unconfirmed", "", False),
    ("confirmed, refused", "a provider's word counts over upstream's", False),
    ("confirmed, refused, confirmed", "upstream repeats what it knows at every sync", False),
    ("confirmed, refused, unconfirmed", "", False),
    ("confirmed, refused, unconfirmed, unconfirmed", "", False),
    ("confirmed, refused, unconfirmed, confirmed", "taken back and confirmed anew", True),
    ("confirmed, unconfirmed, refused, confirmed", "taken back before the refusal came, and confirmed anew", True),
    ("confirmed, refused, unconfirmed, confirmed, confirmed", "", True),
    ("confirmed, refused, unconfirmed, confirmed, refused", "refused once more", False),
    ("confirmed, refused, unconfirmed, confirmed, refused, confirmed", "", False),
    ("confirmed, refused, other", "another address is a new beginning", True),
    ("confirmed, refused, other, confirmed", "the old one, which upstream named anew", True),
    ("confirmed, other, refused", "a refusal of what is not the client's any more", True),
    ("confirmed, refused, forgotten, confirmed", "", True),
    ("refused", "of whom nothing is known", False),
    ("unsaid", "a source that does not say whether it is confirmed confirms nothing", False),
    ("confirmed, unsaid", "and takes nothing back", True),
    ("confirmed, refused, unsaid", "nor what a provider said", False),
    ("confirmed, refused, unconfirmed, unsaid, confirmed", "nor that it was taken back", True),
    ("unsaid, confirmed", "what it named can be confirmed by another", True),
    ("confirmed, other unsaid", "another number is a new beginning", False),
]


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(("words", "why", "usable"), ROWS, ids=[row[0] for row in ROWS])
def test_whether_a_message_may_go_there_after(words: str, why: str, usable: bool, channel: Channel) -> None:
    contact: KnownContact | None = None
    for word in words.split(", "):
        contact = after(contact, word, channel)
    found = None if contact is None else contact.sms if channel == "sms" else contact.email
    assert (found is not None and found.usable) == usable, why


def after(contact: KnownContact | None, word: str, channel: Channel) -> KnownContact | None:
    if word == "refused":
        return refused(contact, Bounce(channel, mark_of(NUMBER))) or contact
    if word == "forgotten":
        return None
    number = "+31687654321" if word.startswith("other") else NUMBER
    said = KnownAddress(address=number, confirmed=word in ("confirmed", "other"), unsaid=word.endswith("unsaid"))
    sms, email = (said, None) if channel == "sms" else (None, said)
    return remembering(contact, KnownContact(organisation="zorg", client="anna", sms=sms, email=email))
