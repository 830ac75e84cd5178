"""What is known of a client's number and address: upstream's word, and what was learnt about it since."""

from __future__ import annotations

from msgspec import UnsetType
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.events import Bounce, KnownAddress, KnownContact
from schemas.inputs import OptOut
from schemas.state import OptOuts

from .gates import address_of, mark_of


def remembering(old: KnownContact | None, new: KnownContact) -> KnownContact:
    """Return upstream's new word. What a provider said of an address stays until upstream took it back and confirmed it anew.

    Upstream repeats what it knows at every sync, so a `confirmed: true` alone says nothing new.
    """
    return replace(
        new, **{channel: remembering_address(address_of(old, channel), address_of(new, channel)) for channel in CHANNELS}
    )  # fmt: skip


def remembering_address(old: KnownAddress | None, new: KnownAddress | None) -> KnownAddress | None:
    """Return upstream's new word on one number or address."""
    if new is not None and new.unsaid:
        same = old is not None and old.address == new.address
        return replace(old, problem=new.problem) if old is not None and same else replace(new, unsaid=False)
    if old is None or new is None or not old.refused or old.address != new.address:
        return new
    if not new.confirmed:
        return replace(new, refused=True, withdrawn=True)
    return new if old.withdrawn else replace(new, refused=True)


def is_stale(old: int | UnsetType | None, new: int | UnsetType | None) -> bool:
    """Tell whether a revision is older than the one that is kept. Without one a record counts as it comes."""
    return isinstance(old, int) and isinstance(new, int) and new < old


def refused(contact: KnownContact | None, bounce: Bounce) -> KnownContact | None:
    """Return the contact after a provider said that an address takes no messages; None where it is not the client's now."""
    found = address_of(contact, bounce.channel)
    if contact is None or found is None or found.refused or mark_of(found.address) != bounce.mark:
        return None
    told = replace(found, refused=True, withdrawn=not found.confirmed)
    return replace(contact, **{bounce.channel: told})


def opted(before: OptOuts | None, event: OptOut) -> OptOuts:
    """Return the channels that are off, after one was turned off or on again.

    A link never ends, and stands in mailboxes of others, too: it takes back what a link turned off, not the client's own word or
    a provider's; nor does it replace these, so that it could afterwards.
    """
    old = before or OptOuts()
    if event.source == "link" and old.off.get(event.channel, "link") != "link":
        return old
    off = {channel: source for channel, source in old.off.items() if channel != event.channel}
    return OptOuts({**off, event.channel: event.source} if event.off else off)
