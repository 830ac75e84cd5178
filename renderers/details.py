"""What a reminder says of an appointment besides its words, where its organisation wants that; never in the delivery log."""

from __future__ import annotations

from urllib.parse import urlsplit

from schemas.deliveries import Delivery
from schemas.inputs import Organisation

from .languages import wording_of


def details(delivery: Delivery, organisation: Organisation) -> list[str]:
    """Return the sentences that follow those of a reminder of one appointment: whom it is with, what to prepare by, a link.

    They are for the client alone.
    An SMS says only the first. A link is said of a host that the organisation lists, whatever the case of its letters.
    """
    notice = delivery.notices[0] if len(delivery.notices) == 1 else None
    if delivery.recipient or notice is None or notice.kind != "reminder" or notice.others or (told := notice.details) is None:
        return []
    say, found, wording = organisation.say or None, list[str](), wording_of(delivery.language)
    if told.practitioner is not None and say is not None and say.practitioner is True:
        found.append(wording.practitioner.format(practitioner=_ended(told.practitioner)))
    if delivery.channel != "email":
        return found
    if told.instructions is not None and say is not None and say.instructions is True:
        found.append(_ended(told.instructions))
    hosts = {host.lower() for host in organisation.link_hosts or ()}
    if told.link is not None and urlsplit(told.link).hostname in hosts:
        found.append(wording.link.format(link=told.link))
    return found


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
