"""A channel is one row of `schemas/channels.py`: what follows from it, and which files must be written for a new one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from agents.commands.costs import NAMES
from agents.settings.settings import Settings
from agents.web.overview import dutch, standing
from agents.web.preferences.fields import FIELDS
from agents.worker.app import create_senders
from agents.worker.wording import WORDS
from schemas.channels import CHANNELS, ChannelTraits
from schemas.events import KnownContact
from schemas.inputs import Channel, Contact, Organisation, OrganisationOverride
from schemas.topics import TOPICS
from streams.intake.contacts import known_contact
from streams.intake.partial import contact_of

ROOT = Path(__file__).parent.parent

CONTACT = {
    "organisation": "zorg", "client": "anna", "sms": {"number": "0612345678", "confirmed": True},
    "email": {"address": "anna@example.org", "confirmed": True},
}  # fmt: skip


def fields(record: Any) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(record))


def parts_of(type_: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield type_
    for part in get_args(type_):
        yield from parts_of(part)


def has_templates(channel: str) -> bool:
    """Whether an organisation has settings of the channel, and may lay its own templates over them."""
    if channel not in fields(Organisation) or channel not in fields(OrganisationOverride):
        return False
    types = {field.name: field.type for field in msgspec.structs.fields(OrganisationOverride)}
    (own,) = [one for one in parts_of(types[channel]) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return set(fields(own)) == set(CHANNELS[channel].template)  # type: ignore[index]


def has_words_in_the_form(channel: str) -> bool:
    return channel in {field.path[0] for field in FIELDS}


PLACES: dict[str, Callable[[str], bool]] = {
    "schemas/channels.py": lambda channel: channel in CHANNELS,
    "schemas/inputs.py": lambda channel: channel in get_args(Channel) and channel in fields(Contact) and has_templates(channel),
    "schemas/events.py": lambda channel: channel in fields(KnownContact),
    "schemas/README.md": lambda channel: f'"{channel}": {{' in (ROOT / "schemas" / "README.md").read_text(),
    "streams/intake/partial.py": lambda channel: getattr(contact_of(CONTACT).record, channel, None) is not None,
    "streams/intake/contacts.py": lambda channel: (
        getattr(known_contact(msgspec.convert(CONTACT, Contact)), channel, None) is not None
    ),
    "agents/worker/wording.py": lambda channel: channel in WORDS,
    "agents/worker/app.py": lambda channel: channel in create_senders(Settings(messagebird_key="key")),
    "agents/settings/sending.py": lambda channel: hasattr(Settings, f"{channel}_rate") and hasattr(Settings, f"{channel}_slots"),
    "agents/web/overview/dutch.py": lambda channel: channel in dutch.CHANNELS,
    "agents/web/overview/standing.py": lambda channel: channel in standing.WAYS and channel in standing.ADDRESSES,
    "agents/web/preferences/fields.py": has_words_in_the_form,
    "agents/commands/costs.py": lambda channel: channel in NAMES,
}
"""The files that know a channel by its name, and whether they know this one."""


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_file_that_names_channels_names_all_of_them(channel: str) -> None:
    assert [file for file, knows in PLACES.items() if not knows(channel)] == [], 'see CONTRIBUTING, "A channel"'


def test_a_third_channel_is_missed_in_every_file_that_contributing_names() -> None:
    recipe = (ROOT / "CONTRIBUTING.md").read_text().partition("## A channel\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w/]+\.\w+)`", recipe)) - {"README.md", "tests/test_channels.py", "agents/worker/senders.py"}
    assert {file for file, knows in PLACES.items() if not knows("push")} == named


THIRD = """
from schemas.channels import CHANNELS, ChannelTraits
CHANNELS["push"] = ChannelTraits(("title", "text"))
from agents.erasure.erasing import STEPS
from agents.kafka.client_rows import STORES
from agents.kafka.topics import stores
from schemas.topics import TOPICS
from streams.topology import graph
node = next(node for node in graph(1) if node.name == "push")
print([topic.name for topic in TOPICS if "push" in topic.name])
print([topic.name for topic in node.reads], [table.store for table in node.keeps], node.calls)
print("push" in STORES, "push" in stores(), [topic.name for topic in STEPS[-1]])
print("deliveries-push" in {topic.name for node in graph(1) if node.name == "notices" for topic in node.writes})
"""


def test_topics_tables_node_and_erasure_of_a_third_channel_follow_from_its_row() -> None:
    done = subprocess.run([sys.executable, "-c", THIRD], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "['deliveries-push']",
        "['deliveries-push'] ['push'] push",
        "True True ['deliveries-sms', 'deliveries-email', 'deliveries-push']",
        "True",
    ]


def test_at_most_one_channel_has_reports_for_their_topic_has_one_reader() -> None:
    assert sum(traits.has_reports for traits in CHANNELS.values()) <= 1
    assert [topic.name for topic in TOPICS if topic.role == "reported"] == ["delivery-reports"]


def test_a_channel_does_without_all_that_its_row_does_not_claim() -> None:
    assert ChannelTraits(("text",)) == ChannelTraits(("text",), counts_parts=False, has_reports=False, repeats_by_itself=False)
