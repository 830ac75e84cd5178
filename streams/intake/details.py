"""What an appointment says besides counts part by part: what cannot be used is unknown, and the rest is taken.

A link that nobody may be sent to, or a label that is a whole text, must not keep a client from hearing of a cancellation. A label
that is no id has no settings, and a series that is none has no other members.
"""

from __future__ import annotations

import re
from typing import Any

from schemas.appointments import Instructions, Label, Link, Practitioner, Series
from schemas.wire import BadRecordError, check

from ..processing.places import spoken

LINKED = re.compile(
    r"(?i)[a-z][a-z0-9+.-]*://|\b(?:javascript|vbscript|data|file|mailto):\S|(?<!:)//\w|(?<![\w./@-])www\.\w"
    r"|(?<![\w.])(?:[a-z0-9-]+\.)+(?:nl|com|net|org|eu|be|de|info|care|health|app|io|link|site|online|me|ly|gl)(?![\w-])"
)
"""What a phone or a mail program makes a link of."""

_PARTS: dict[str, Any] = {
    "practitioner": Practitioner, "instructions": Instructions, "link": Link, "label": Label, "series": Series,
}  # fmt: skip
_SAID = ("practitioner", "instructions")


def with_usable_details(plain: Any) -> tuple[Any, list[str]]:
    """Return the decoded JSON of an appointment without the details that cannot be used, and what is wrong with those."""
    faults: list[str] = []
    if not isinstance(plain, dict):
        return plain, faults
    found = {name: plain[name] for name in _PARTS if plain.get(name) is not None}
    if not found:
        return plain, faults
    for name, value in found.items():
        if isinstance(value, str):
            found[name] = value = spoken(value) if name in _SAID else (value if name == "series" else value.strip()) or None
        try:
            if value is not None:
                check(_PARTS[name], value)
            if name in _SAID and isinstance(value, str) and LINKED.search(value):
                raise BadRecordError("it must have no link")
        except BadRecordError as error:
            faults.append(f"{str(error).removesuffix(' - at `$`')} - at `$.{name}`")
            found[name] = None
    return {**plain, **found}, faults
