"""The table of channels: all in which they differ, so that the rest of the code asks this and names none.

Topics, tables, nodes, gates and templates of a channel follow from its row. `tests/test_channels.py` names what does not and
must be written for a new one (CONTRIBUTING, "A channel").
"""

from __future__ import annotations

from dataclasses import dataclass

from .inputs import Channel


@dataclass(frozen=True)
class ChannelTraits:
    """What one channel is like.

    Attributes:
        template: fields of an organisation's settings of the channel that word its messages, in the order of their version.
        counts_parts: a message is billed by the part, at the `unit_price` of the organisation's settings of the channel.
        has_reports: status reports of the provider say what became of a message. One channel at most: a topic has one reader.
        repeats_by_itself: a second copy of a message does no harm, so one of unknown outcome goes again at once.
    """

    template: tuple[str, ...]
    counts_parts: bool = False
    has_reports: bool = False
    repeats_by_itself: bool = False


CHANNELS: dict[Channel, ChannelTraits] = {
    "sms": ChannelTraits(("before", "after"), counts_parts=True, has_reports=True),
    "email": ChannelTraits(("subject", "before", "after"), repeats_by_itself=True),
}
"""By name, which is also the name of the node, of its store, and of the channel's field in `Contact`, `KnownContact`,
`Organisation` and `OrganisationOverride`."""
