"""The fields that an organisation may choose itself, from settings to a form and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from msgspec import UNSET
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.inputs import (
    NOT_WITHIN_HOURS,
    NOT_WITHIN_MOST,
    Channel,
    Organisation,
    OrganisationOverride,
    QuietHours,
    ReminderSettings,
)
from schemas.templates import Message, texts_of
from schemas.wire import BadRecordError, check


class Field(NamedTuple):
    """One thing to choose. `path`: where it stands in the settings; `wrong`: what is said of a value that cannot be."""

    name: str
    path: tuple[str, ...]
    label: str
    wrong: str


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]


TOO_LONG = "Gebruik niet meer dan 200 tekens."
TIMES = "Vul twee verschillende tijden in, bijvoorbeeld 21:00 en 08:00."

REMINDED = f"Vul een aantal dagen van 0 tot en met 365 in, een tijd, en een aantal uren van 0 tot en met {NOT_WITHIN_MOST}."

GENERAL = (
    Field("berichten", ("notifications",), "Berichten versturen", "Kies of er berichten worden verstuurd."),
    Field("herinnering", ("reminder",), "Herinnering", REMINDED),
    Field("stilte", ("quiet_hours",), "Stille uren", TIMES),
    Field("sms_voor", ("sms", "before"), "Sms: tekst vóór het bericht", TOO_LONG),
    Field("sms_na", ("sms", "after"), "Sms: tekst na het bericht", TOO_LONG),
    Field("mail_onderwerp", ("email", "subject"), "E-mail: onderwerp", "Vul een onderwerp in van 1 tot en met 200 tekens."),
    Field("mail_voor", ("email", "before"), "E-mail: aanhef", TOO_LONG),
    Field("mail_na", ("email", "after"), "E-mail: afsluiting", TOO_LONG),
)

MESSAGES: dict[str, tuple[str, Message]] = {
    "nieuw": ("Nieuwe afspraak", "created"),
    "verplaatst": ("Verplaatste afspraak of andere locatie", "moved"),
    "geannuleerd": ("Geannuleerde afspraak", "cancelled"),
    "herinnering": ("Herinnering", "reminder"),
    "aanvraag": ("Bericht van een andere partij", "request"),
}
"""Kinds of messages with templates of their own, by how their fields begin: what the form calls them, and the settings."""

OF_MESSAGE = {
    start: tuple(
        Field(f"{start}_{one.name}", ("templates", message, *one.path), f"{title}: {_lower_first(one.label)}", one.wrong)
        for one in GENERAL
        if one.path[0] in CHANNELS
    )
    for start, (title, message) in MESSAGES.items()
}
"""The fields of each kind of message, those of an SMS first."""

FIELDS = (*GENERAL, *[field for fields in OF_MESSAGE.values() for field in fields])

_MISSING = re.compile(r"Object missing required field `([^`]*)`")

OWN = "eigen_"
"""Before a field's name: the box that says that the organisation chooses it itself."""

Values = dict[str, str]


def values(counts: Organisation, override: OrganisationOverride | None) -> Values:
    """Return what the form shows: everywhere the value that counts, so that nothing is lost when somebody begins to choose."""
    reminder, quiet = counts.reminder, counts.quiet_hours
    found = {
        "berichten": "aan" if counts.notifications else "uit",
        "herinnering": "ja" if reminder is not None else "nee",
        "herinnering_dagen": str(reminder.days_before) if reminder is not None else "1",
        "herinnering_tijd": reminder.at if reminder is not None else "10:00",
        "herinnering_niet_binnen": str(reminder.not_within_hours if reminder is not None else NOT_WITHIN_HOURS),
        "stilte": "ja" if quiet is not None else "nee",
        "stilte_van": quiet.from_ if quiet is not None else "21:00",
        "stilte_tot": quiet.until if quiet is not None else "08:00",
    }
    found |= {field.name: _at(counts, field.path) for field in GENERAL if field.name not in found}
    for fields in OF_MESSAGE.values():
        for field in fields:
            _, message, channel, part = field.path
            found[field.name] = getattr(texts_of(counts, cast(Channel, channel), cast(Message, message)), part)
    return found | {OWN + field.name: "1" if is_own(override, field) else "" for field in FIELDS}


def is_own(override: OrganisationOverride | None, field: Field) -> bool:
    """Tell whether the organisation chose it."""
    return override is not None and _there(override, field.path)


def changed(before: OrganisationOverride | None, after: OrganisationOverride | None) -> list[str]:
    """Return the names of the fields that two choices say differently; their values stand in the record that is written."""
    return [
        field.name
        for field in FIELDS
        if (is_own(before, field), _at(before, field.path)) != (is_own(after, field), _at(after, field.path))
    ]


def heading(field: Field) -> str:
    """Return what a field is called under the heading of its group."""
    title = next((f"{title}: " for title, _ in MESSAGES.values() if field.label.startswith(f"{title}: ")), "")
    name = field.label.removeprefix(title) if title else field.label.partition(": ")[2] or field.label
    return name[0].upper() + name[1:]


def upstream_says(upstream: Organisation, field: Field) -> str:
    """Say upstream's value in words; empty for a text that is empty."""
    value: Any = _at(upstream, field.path)
    if value is UNSET:
        return "zoals bij alle berichten"
    if isinstance(value, bool):
        return "aan" if value else "uit"
    if isinstance(value, ReminderSettings):
        day = {0: "op de dag zelf", 1: "1 dag van tevoren"}.get(value.days_before, f"{value.days_before} dagen van tevoren")
        hours = value.not_within_hours
        return f"{day}, om {value.at} uur" + (f", niet binnen {hours} uur na een bericht" if hours else "")
    if isinstance(value, QuietHours):
        return f"van {value.from_} tot {value.until} uur"
    return "geen" if value is None else str(value)


def chosen(organisation: str, form: Mapping[str, str]) -> tuple[OrganisationOverride | None, dict[str, str]]:
    """Read what a form says, by intake's own check, and what is wrong, by field. None: all is upstream's.

    A field that is wrong is left out of what it says.
    """
    own: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in FIELDS:
        if form.get(OWN + field.name) != "1":
            continue
        value = _plain(field.name, form)
        try:
            check(OrganisationOverride, _laid({"organisation": organisation}, field.path, value))
        except BadRecordError:
            wrong[field.name] = field.wrong
            continue
        if field.name == "stilte" and value is not None and value["from"] == value["until"]:
            wrong[field.name] = field.wrong
        else:
            _laid(own, field.path, value)
    return (check(OrganisationOverride, {"organisation": organisation, **own}) if own else None), wrong


SHOWN = {field.path[0] for field in FIELDS}


def keeping(override: OrganisationOverride | None, was: OrganisationOverride | None) -> OrganisationOverride | None:
    """Return what a form says, with what the organisation chose before that no field of the page shows."""
    if was is None:
        return override
    hidden = {
        name: value
        for name in was.__struct_fields__
        if name not in SHOWN and name != "organisation" and (value := getattr(was, name)) is not UNSET
    }
    return replace(override or OrganisationOverride(organisation=was.organisation), **hidden) if hidden else override


def _laid(record: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Put a value where a path leads in a record."""
    holder = record
    for name in path[:-1]:
        holder = holder.setdefault(name, {})
    holder[path[-1]] = value
    return record


def label_of(reason: str) -> str:
    """Return the field that a refusal of intake names, as the form calls it; else its name in the record, or nothing."""
    path = reason.rpartition(" - at `$.")[2].rstrip("`") if " - at `$." in reason else ""
    if (missing := _MISSING.match(reason)) is not None:
        path = f"{path}.{missing[1]}".lstrip(".")
    for field in FIELDS:
        if path == ".".join(field.path) or path.startswith(".".join(field.path) + "."):
            return field.label
    return path


def _plain(name: str, form: Mapping[str, str]) -> Any:
    """Return a field's value as it stands in a record; what cannot be read stays as it is, for the check to refuse."""
    text = form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    if name == "berichten":
        return {"aan": True, "uit": False}.get(text, text)
    if name not in ("herinnering", "stilte"):
        return text.strip() if name.endswith("mail_onderwerp") else text
    if text == "nee":
        return None
    if name == "stilte":
        return {"from": form.get("stilte_van", ""), "until": form.get("stilte_tot", "")} if text == "ja" else text
    if text != "ja":
        return text
    days, hours = _number(form.get("herinnering_dagen", "")), _number(form.get("herinnering_niet_binnen", ""))
    return {"days_before": days, "at": form.get("herinnering_tijd", ""), "not_within_hours": hours}


def _number(text: str) -> int | str:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        record = getattr(record, name, UNSET)
    return record


def _there(record: Any, path: tuple[str, ...]) -> bool:
    """Tell whether a record has that field. What is not there has none below it."""
    return all((record := getattr(record, name)) is not UNSET for name in path)
