"""Read every topic from its start to its end, and find what names a client. It belongs to no group and moves no offset."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from schemas.keys import CLIENT, ClientKey, RecipientKey, employee_key, recipient_of
from schemas.topics import APPOINTMENTS, DAY, DEAD_LETTERS, FOREIGN

from ..engine.transport.names import Admin
from ..kafka.reader import Reader, running, written
from ..terminal import Progress, silent

FOREIGN_NAMES = frozenset(topic.name for topic in FOREIGN)

Slot = tuple[int, bytes]
"""A partition, and a key in it: compaction keeps the last record of each."""


class Subject:
    """Whom to look for. A record names a client by its key, or by a value that has both ids as JSON writes them."""

    def __init__(self, organisation: str, client: str) -> None:
        self.organisation, self.client, self.person, self.employee = organisation, client, "", ""
        self.key = ClientKey(organisation, client).encoded
        self._key = re.compile(rb"(?:^|/)" + re.escape(self.key) + rb"(?:/|$)")
        self._client, self._organisation = _quoted(client), _quoted(organisation)
        self._of_organisation = re.compile(rb"(?:^|/)" + re.escape(organisation.encode()) + rb"/")
        self._begin = organisation.encode() + b"/"
        plain = re.escape(unquote(client).encode()) + b"|" + re.escape(client.encode())
        self._alone = re.compile(rb"(?<![A-Za-z0-9._-])(?:" + plain + rb")(?![A-Za-z0-9._-])")
        self._raw = re.compile(re.escape(self.key) + rb"(?![A-Za-z0-9._-])")

    @property
    def recipient(self) -> str:
        """Return whose messages are to be forgotten: of a client all."""
        return recipient_of(self.person) if self.person else CLIENT

    def in_key(self, key: bytes | None) -> bool:
        """Tell whether a key names the client, alone or before or behind other ids."""
        return key is not None and self._key.search(key) is not None

    def in_foreign(self, key: bytes | None, value: bytes) -> bool:
        """Tell whether a record in another standard may name the client: the id stands in it by itself, whatever for."""
        return key is not None and key.startswith(self._begin) and self._alone.search(value) is not None

    def in_value(self, key: bytes | None, value: bytes | None) -> bool:
        """Tell whether a value names the client."""
        if value is None:
            return False
        if any(word in value for word in self._client):
            return self._is_of_organisation(key, value)
        return self._raw.search(value) is not None

    def _is_of_organisation(self, key: bytes | None, value: bytes) -> bool:
        return (key is not None and self._of_organisation.search(key) is not None) or any(
            word in value for word in self._organisation
        )


class RecipientSubject(Subject):
    """Somebody who is no client: named by a key of the own, or by the own id in a record of those the id belongs to."""

    def __init__(self, whose: RecipientKey, id_: str) -> None:
        super().__init__(whose.organisation, whose.client)
        self._own_key = re.compile(rb"(?:^|/)" + re.escape(whose.encoded) + rb"(?:/|$)")
        self._words = _quoted(id_) | _quoted(whose.recipient)

    def in_key(self, key: bytes | None) -> bool:
        """Tell whether a key names the person or employee."""
        return key is not None and self._own_key.search(key) is not None

    def in_foreign(self, key: bytes | None, value: bytes) -> bool:
        """Return False: other standards have no such ids."""
        return False

    def in_value(self, key: bytes | None, value: bytes | None) -> bool:
        """Tell whether a value names the person or employee."""
        return value is not None and any(word in value for word in self._words) and self._is_theirs(key, value)

    def _is_theirs(self, key: bytes | None, value: bytes) -> bool:
        """Tell whether an id in a record can be the own one."""
        raise NotImplementedError


class PersonSubject(RecipientSubject):
    """One who acts for a client: the id counts in a record that names the client."""

    def __init__(self, organisation: str, client: str, person: str) -> None:
        super().__init__(RecipientKey(organisation, client, recipient_of(person)), person)
        self.person = person

    def _is_theirs(self, key: bytes | None, value: bytes) -> bool:
        return Subject.in_key(self, key) or Subject.in_value(self, key, value)


class EmployeeSubject(RecipientSubject):
    """An employee: the id counts in a record of the organisation, of an appointment as of one who attends it, or wrote it."""

    def __init__(self, organisation: str, employee: str) -> None:
        whose = employee_key(organisation, employee)
        super().__init__(whose, employee)
        self.employee, self.key = employee, whose.encoded

    @property
    def recipient(self) -> str:
        """Return whose messages are to be forgotten."""
        return employee_key(self.organisation, self.employee).recipient

    def _is_theirs(self, key: bytes | None, value: bytes) -> bool:
        return self._is_of_organisation(key, value)


def _quoted(text: str) -> set[bytes]:
    """Return a string as JSON writes it, with and without escapes."""
    return {orjson.dumps(text), json.dumps(text).encode()}


@dataclass
class TopicScan:
    """What a topic holds of a client.

    Attributes:
        records: values that name the client, of compacted topics those that compaction will remove included.
        live: of a compacted topic: keys whose last value names the client.
        tombstones: null values under keys that name the client; they go with the second compaction after theirs.
        last_ms: when the newest of all these was written, in milliseconds of Unix time.
        settings: the topic's configuration at the broker.
    """

    settings: Mapping[str, str]
    records: int = 0
    tombstones: int = 0
    last_ms: int = 0
    live: set[Slot] = field(default_factory=set)

    @property
    def compacted(self) -> bool:
        """Tell whether keys are kept, not times."""
        return "compact" in self.settings.get("cleanup.policy", "")

    def gone_ms(self) -> int | None:
        """Return the moment by which all of it is gone by itself; None: never, by the topic's settings or the records' times.

        A record goes with its segment: at most `segment.ms` later. A day covers the broker's own pauses. An older value waits
        for a compaction, and its tombstone for `delete.retention.ms` and another one.
        """
        number = {name: int(value) for name, value in self.settings.items() if re.fullmatch(r"-?\d+", value)}
        if self.compacted:
            lag = number.get("max.compaction.lag.ms", 1 << 62)
            kept, more = (-1 if lag > 3650 * DAY else 2 * lag), number.get("delete.retention.ms", DAY)
        else:
            kept, more = number.get("retention.ms", -1), number.get("segment.ms", 7 * DAY)
        gone = self.last_ms + kept + more + DAY
        return None if kept < 0 or written(gone) is None else gone


class Survey:
    """Looks through topics for one client. `security`: of `agents/kafka/security.py`."""

    def __init__(self, bootstrap: str, security: Mapping[str, Any] | None = None, progress: Progress = silent) -> None:
        self.bootstrap, self.security, self.progress = bootstrap, dict(security or {}), progress

    async def look(self, subject: Subject, topics: Iterable[str]) -> dict[str, TopicScan]:
        """Return what each topic holds. Raises MissingError where one does not exist."""
        wanted = list(topics)
        async with (
            Reader(self.bootstrap, self.security, aborted=True, progress=self.progress) as reader,
            running(Admin(bootstrap_servers=self.bootstrap, **self.security), "close") as admin,
        ):
            tps = await reader.topics(wanted)
            found = {name: TopicScan(settings) for name, settings in (await _settings(admin, wanted)).items()}
            async with aclosing(reader.records(tps)) as stream:
                async for tp, record in stream:
                    _count(found[tp.topic], subject, tp, record)
            return found


async def _settings(admin: Any, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return how topics are configured. Raises the broker's error: without their settings nothing is known of what goes when."""
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(message)
            found[name] = {entry[0]: entry[1] or "" for entry in entries}
    return found


def _count(found: TopicScan, subject: Subject, tp: Any, record: Any) -> None:
    """Count a record. An id behind the organisation's in a key is a client's, but of some topics an appointment's."""
    others = tp.topic == APPOINTMENTS.name or tp.topic in FOREIGN_NAMES or tp.topic.endswith("-intake-changelog")
    keyed = not others and subject.in_key(record.key)
    foreign = tp.topic in FOREIGN_NAMES or tp.topic == DEAD_LETTERS.name  # what could not be translated lies there
    value = record.value
    named = value is not None and (
        keyed or subject.in_value(record.key, value) or (foreign and subject.in_foreign(record.key, value))
    )
    slot = (tp.partition, record.key or b"")
    if named:
        found.records += 1
        found.live.add(slot)
    else:
        found.live.discard(slot)
        if not (keyed and record.value is None):
            return
        found.tombstones += 1
    found.last_ms = max(found.last_ms, record.timestamp)
