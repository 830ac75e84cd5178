"""An organisation's settings as the projection keeps them: upstream's, its own over them, what it holds, what was refused. Pure.

They are checked by intake's own functions, so what a page calls refused is what intake set aside, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from schemas.holds import Hold
from schemas.inputs import Organisation, OrganisationOverride
from schemas.topics import HOLDS, ORGANISATIONS, OVERRIDES
from schemas.wire import BadRecordError, Id, check, encode, read
from streams.intake.checks import hold_of, override_of, settings_of
from streams.processing.record_checks import key_parts
from streams.processing.turn import Record

from .tables import moment


class Refusal(NamedTuple):
    """The last record of a topic was refused: by whom it was written, why and when."""

    upstream: bool
    reason: str
    at: str


class OrganisationState(NamedTuple):
    """What is known of one organisation. `version`: of its own choice, `hold_version`: of its hold; -1 where there was none."""

    upstream: Organisation | None = None
    override: OrganisationOverride | None = None
    version: int = -1
    refusals: tuple[Refusal, ...] = ()
    hold: Hold | None = None
    hold_version: int = -1


def row(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, at: datetime) -> dict[str, Any] | None:
    """Return a record of a settings topic as its row; None for one whose key names no organisation."""
    record = Record(topic, partition, offset, key, value)
    content, refused = None, None
    try:
        (organisation,) = key_parts(record, 1)
        check(Id, organisation)
    except BadRecordError:
        return None
    try:
        if value is not None:
            content = encode(_read(record, at)).decode()
    except BadRecordError as error:
        refused = str(error)
    return {
        "organisation": organisation, "topic": topic, "partition": partition, "version": offset, "at": moment(at),
        "value": content, "refused": refused,
    }  # fmt: skip


def _read(record: Record, at: datetime) -> Organisation | OrganisationOverride | Hold:
    """Read a record that has a value, as intake does. Raises BadRecordError."""
    if record.topic == HOLDS.name:
        return hold_of(record, at)
    return settings_of(record) if record.topic == ORGANISATIONS.name else override_of(record)


def known(rows: Iterable[Mapping[str, Any]]) -> OrganisationState:
    """Read the rows of one organisation."""
    found, refusals = OrganisationState(), []
    for one in rows:
        upstream, value = one["topic"] == ORGANISATIONS.name, one["value"]
        if one["topic"] == HOLDS.name:  # one that was refused was written past the page and the command
            found = found._replace(hold=read(Hold, value.encode()) if value is not None else None, hold_version=one["version"])
            continue
        if one["refused"] is not None:
            refusals.append(Refusal(upstream, one["refused"], one["at"]))
        if upstream:
            found = found._replace(upstream=read(Organisation, value.encode()) if value is not None else None)
        elif one["topic"] == OVERRIDES.name:
            override = read(OrganisationOverride, value.encode()) if value is not None else None
            found = found._replace(override=override, version=one["version"])
    return found._replace(refusals=tuple(refusals))
