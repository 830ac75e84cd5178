"""What waits in a hold, in words and sums: what the page of holds and the command `hold` show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from renderers.gsm7 import measure
from schemas.deliveries import Delivery
from schemas.held import HeldRecord
from schemas.inputs import Organisation
from streams.sending.outcomes import SendCall

from .wording import NoWordsError, word


class Sum(NamedTuple):
    """How much waits: messages about clients, those of days that begin within 24 hours, and the parts of those by SMS."""

    messages: int = 0
    clients: int = 0
    near: int = 0
    parts: int = 0

    def cost(self, settings: Organisation) -> Decimal:
        """Return what its parts cost."""
        return self.parts * Decimal(str(settings.sms.unit_price))


def summed(found: Iterable[HeldRecord], settings: Organisation | None, now: datetime) -> Sum:
    """Count what waits. Without settings nothing can be worded, so there are no parts."""
    records = list(found)
    parts = 0
    if settings is not None:
        sms = (one for one in records if one.channel == "sms")
        parts = sum(measure(text).parts for one in sms for text in texts(one, settings, now))
    messages, clients = sum(len(one.messages) for one in records), {one.whose.of_client for one in records}
    return Sum(messages, len(clients), sum(one.near for one in records), parts)


def texts(one: HeldRecord, settings: Organisation, now: datetime) -> list[str]:
    """Return the messages as they would read; those that cannot be worded are left out, as a sender leaves them out."""
    found = []
    for notices in one.messages:
        delivery = Delivery(
            message="held", organisation=one.organisation, client=one.client, channel=one.channel, reason="direct", decided=now,
            notices=notices, recipient=one.recipient,
        )  # fmt: skip
        try:
            found.append(word(SendCall(delivery=delivery, organisation=settings, address="", attempt=1, piece=0, now=now)).text)
        except NoWordsError:
            continue
    return found
