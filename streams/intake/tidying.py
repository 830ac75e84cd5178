"""Inputs whose meaning is clear are taken: decoded JSON is put in order here before it is checked.

White space around names, addresses, numbers and subjects goes; of a place its words are kept. Nothing is guessed. What is not of
the expected shape is left as it is, so that the check names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.templates import MESSAGES
from schemas.wire import BadRecordError

from ..processing.places import spoken

_BY_MESSAGE = tuple(f"{path}templates.{message}" for path in ("", "labels.*.", "translations.*.") for message in MESSAGES)
_BY_MESSAGE += ("to_others", *[f"translations.*.labels.*.{message}" for message in MESSAGES])
_SUBJECTS = ("translations.*.email.subject", *[f"{path}.email.subject" for path in _BY_MESSAGE])
_AROUND = tuple(
    f"{path}{channel}.{name}" for path in ("", "translations.*.", *[f"{one}." for one in _BY_MESSAGE])
    for channel in ("sms", "email") for name in ("before", "after")
)  # fmt: skip

STRIPPED = {
    "organisations": ("name", "sms.originator", "email.from", "email.reply_to", "email.subject", *_SUBJECTS),
    "organisation-overrides": ("email.subject", *_SUBJECTS),
    "contacts": ("sms.number", "email.address"),
    "employees": ("sms.number", "email.address"),
    "requests": ("subject",),
    "representatives": ("call_name",),
}
"""Fields of a topic around which white space says nothing."""

TEXTS = {
    "organisations": _AROUND,
    "organisation-overrides": _AROUND,
    "requests": ("text",),
}
"""Fields of a topic that may have lines: their ends are line feeds, whatever they were, and a tab is a space."""


def is_tombstone(value: bytes | None) -> bool:
    """Tell whether a record deletes: it has no value, an empty one, or JSON's `null`, which some producers write instead."""
    return value is None or value.strip() in (b"", b"null")


def tidied(topic: str, plain: Any) -> Any:
    """Return the decoded JSON of a topic's record with its strings in order."""
    for names, change in ((STRIPPED.get(topic, ()), str.strip), (TEXTS.get(topic, ()), _lines)):
        for path in names:
            _change(plain, path.split("."), change)
    return plain


def _change(holder: Any, path: list[str], change: Callable[[str], str]) -> None:
    """Change the string to which a path leads; `*` leads to each value of a mapping."""
    if not isinstance(holder, dict):
        return
    name, *rest = path
    for key in [*holder] if name == "*" else [name]:
        if rest:
            _change(holder.get(key), rest, change)
        elif isinstance(holder.get(key), str):
            holder[key] = change(holder[key])


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")


def tidied_appointment(plain: Any) -> Any:
    """Return the decoded JSON of an appointment with its place as it is said, or none where it is blank.

    Raises:
        BadRecordError: its revision is a number that no row can keep.
    """
    if not isinstance(plain, dict):
        return plain
    revision, location = plain.get("revision"), plain.get("location")
    if isinstance(revision, int | float) and not -(2**63) <= revision < 2**63:
        raise BadRecordError(f"a revision is at most {2**63 - 1} - at `$.revision`")
    if isinstance(location, dict) and "name" in location:
        name = location["name"]
        if isinstance(name, str):
            name = spoken(name)
        plain["location"] = {**location, "name": name} if name is not None else None
    return plain
