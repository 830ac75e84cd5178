"""The fields that an organisation may choose itself, from settings to a form and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple, cast

from msgspec import UNSET
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.inputs import (
    MOST_REMINDERS,
    NOT_WITHIN_HOURS,
    NOT_WITHIN_MOST,
    Channel,
    Organisation,
    OrganisationOverride,
    QuietHours,
    ReminderSettings,
)
from schemas.languages import DEFAULT, LANGUAGES, Language
from schemas.templates import Message, texts_of
from schemas.wire import BadRecordError, check
from streams.notices.due_moments import reminders_of

LANGUAGE_NAMES: dict[Language, str] = {"nl": "Nederlands", "en": "Engels"}


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

YES_OR_NO = "Kies ja of nee."

NO_DATES = "Zet op elke regel één datum, bijvoorbeeld 05-05-2027."

GENERAL = (
    Field("berichten", ("notifications",), "Berichten versturen", "Kies of er berichten worden verstuurd."),
    Field("herinnering", ("reminder",), "Herinnering", REMINDED),
    Field("vrij", ("free_days",), "Vrije dagen", NO_DATES),
    Field("stilte", ("quiet_hours",), "Stille uren", TIMES),
    Field("sms_voor", ("sms", "before"), "Sms: tekst vóór het bericht", TOO_LONG),
    Field("sms_na", ("sms", "after"), "Sms: tekst na het bericht", TOO_LONG),
    Field("mail_onderwerp", ("email", "subject"), "E-mail: onderwerp", "Vul een onderwerp in van 1 tot en met 200 tekens."),
    Field("mail_voor", ("email", "before"), "E-mail: aanhef", TOO_LONG),
    Field("mail_na", ("email", "after"), "E-mail: afsluiting", TOO_LONG),
    Field("locatie", ("say", "location"), "Locatie noemen", YES_OR_NO),
    Field("behandelaar", ("say", "practitioner"), "Behandelaar noemen in een herinnering", YES_OR_NO),
    Field("instructies", ("say", "instructions"), "Voorbereiding noemen in een herinnering per e-mail", YES_OR_NO),
    Field("talen", ("languages",), "Talen", "Kies in welke talen uw berichten zijn."),
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

ANSWERS: dict[str, Any] = {"ja": True, "nee": False}

CHOICES: dict[str, dict[str, Any]] = {
    "berichten": {"aan": True, "uit": False}, "locatie": ANSWERS, "behandelaar": ANSWERS, "instructies": ANSWERS,
    "talen": {"_".join(some): list(some) for number in range(1, len(LANGUAGES) + 1) for some in permutations(LANGUAGES, number)},
}  # fmt: skip
"""What is chosen from a list: by what the form says, what the record does."""

UNSAID = {"locatie": "ja", "behandelaar": "nee", "instructies": "nee", "talen": DEFAULT}
"""What counts of these where nothing is said."""

REMINDER_ROWS = ("", *[f"_{number}" for number in range(2, MOST_REMINDERS + 1)])
"""How the names of the fields of each of the reminders end; all of them are one thing to choose."""

_DATE = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")

_MISSING = re.compile(r"Object missing required field `([^`]*)`")

OWN = "eigen_"
"""Before a field's name: the box that says that the organisation chooses it itself."""

Values = dict[str, str]


def values(counts: Organisation, override: OrganisationOverride | None) -> Values:
    """Return what the form shows: everywhere the value that counts, so that nothing is lost when somebody begins to choose."""
    quiet = counts.quiet_hours
    found = {
        **{field.name: _choice(counts, field) for field in GENERAL if field.name in CHOICES},
        **_reminder_values(reminders_of(counts)),
        "vrij": "\n".join(f"{day:%d-%m-%Y}" for day in counts.free_days or ()),
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


def _choice(settings: Organisation, field: Field) -> str:
    value = _at(settings, field.path)
    return next((name for name, one in CHOICES[field.name].items() if one == value), UNSAID.get(field.name, ""))


def _reminder_values(reminders: Sequence[ReminderSettings]) -> Values:
    """Return what the form shows of them: the first as it would be where there is none, the others empty."""
    found = {"herinnering": "ja" if reminders else "nee"}
    for number, end in enumerate(REMINDER_ROWS):
        one = reminders[number] if number < len(reminders) else None
        found |= {
            f"herinnering_dagen{end}": str(one.days_before) if one is not None else "" if number else "1",
            f"herinnering_soort{end}": "werk" if one is not None and one.days == "working" else "alle",
            f"herinnering_tijd{end}": one.at if one is not None else "10:00",
            f"herinnering_niet_binnen{end}": str(one.not_within_hours if one is not None else NOT_WITHIN_HOURS),
        }
    return found


def is_own(override: OrganisationOverride | None, field: Field) -> bool:
    """Tell whether the organisation chose it."""
    return override is not None and any(_there(override, path) for path in _paths(field))


def changed(before: OrganisationOverride | None, after: OrganisationOverride | None) -> list[str]:
    """Return the names of the fields that two choices say differently; their values stand in the record that is written."""
    return [
        field.name
        for field in FIELDS
        if [_at(before, path) for path in _paths(field)] != [_at(after, path) for path in _paths(field)]
    ]


def heading(field: Field) -> str:
    """Return what a field is called under the heading of its group."""
    title = next((f"{title}: " for title, _ in MESSAGES.values() if field.label.startswith(f"{title}: ")), "")
    name = field.label.removeprefix(title) if title else field.label.partition(": ")[2] or field.label
    return name[0].upper() + name[1:]


def in_languages(some: Sequence[Language]) -> str:
    """Say a choice of languages: `Nederlands, en Engels voor wie dat wil`."""
    first, *others = [LANGUAGE_NAMES[one] for one in some]
    return f"{first}, en {', '.join(others)} voor wie dat wil" if others else first


def upstream_says(upstream: Organisation, field: Field) -> str:
    """Say upstream's value in words; empty for a text that is empty."""
    if field.path == REMINDER:
        return " en ".join(_in_words(one) for one in reminders_of(upstream)) or "geen"
    value: Any = _at(upstream, field.path)
    if field.path == FREE_DAYS:
        return ", ".join(f"{day:%d-%m-%Y}" for day in value or ()) or "geen"
    if field.name == "talen":
        return in_languages(CHOICES["talen"][_choice(upstream, field)])
    if field.name in CHOICES:
        return _choice(upstream, field)
    if value is UNSET:
        return "zoals bij alle berichten"
    if isinstance(value, QuietHours):
        return f"van {value.from_} tot {value.until} uur"
    return "geen" if value is None else str(value)


def _in_words(one: ReminderSettings) -> str:
    day, days = ("werkdag", "werkdagen") if one.days == "working" else ("dag", "dagen")
    before = {0: "op de dag zelf", 1: f"1 {day} van tevoren"}.get(one.days_before, f"{one.days_before} {days} van tevoren")
    hours = one.not_within_hours
    return f"{before}, om {one.at} uur" + (f", niet binnen {hours} uur na een bericht" if hours else "")


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
        path = REMINDERS if field.path == REMINDER and isinstance(value, list) else field.path
        try:
            check(OrganisationOverride, _laid({"organisation": organisation}, path, value))
        except BadRecordError:
            wrong[field.name] = field.wrong
            continue
        if field.name == "stilte" and value is not None and value["from"] == value["until"]:
            wrong[field.name] = field.wrong
        else:
            _laid(own, path, value)
    return (check(OrganisationOverride, {"organisation": organisation, **own}) if own else None), wrong


REMINDER, REMINDERS, FREE_DAYS = ("reminder",), ("reminders",), ("free_days",)


def _paths(field: Field) -> tuple[tuple[str, ...], ...]:
    """Return where what is chosen may stand: one reminder as it did before there were several."""
    return (REMINDER, REMINDERS) if field.path == REMINDER else (field.path,)


SHOWN = {path[0] for field in FIELDS for path in _paths(field)}


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
    plain = re.sub(r"\[[^]]*\]", "", path)
    for field in FIELDS:
        for names in map(".".join, _paths(field)):
            if plain == names or plain.startswith(f"{names}."):
                return field.label
    return path


def _plain(name: str, form: Mapping[str, str]) -> Any:
    """Return a field's value as it stands in a record; what cannot be read stays as it is, for the check to refuse."""
    text = form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    if name in CHOICES:
        return CHOICES[name].get(text, text)
    if name == "vrij":
        return [_DATE.sub(_iso, line.strip()) for line in text.split("\n") if line.strip()]
    if name not in ("herinnering", "stilte"):
        return text.strip() if name.endswith("mail_onderwerp") else text
    if text == "nee":
        return None
    if name == "stilte":
        return {"from": form.get("stilte_van", ""), "until": form.get("stilte_tot", "")} if text == "ja" else text
    if text != "ja":
        return text
    rows = [_reminder(form, end) for end in REMINDER_ROWS if not end or form.get(f"herinnering_dagen{end}", "").strip()]
    return rows[0] if len(rows) == 1 else rows


def _reminder(form: Mapping[str, str], end: str) -> dict[str, Any]:
    """Return one of them as it stands in a record; a calendar day needs no word."""
    days, hours = (_number(form.get(f"herinnering_{name}{end}", "")) for name in ("dagen", "niet_binnen"))
    kind = {"werk": {"days": "working"}, "alle": {}, "": {}}.get(form.get(f"herinnering_soort{end}", ""), {"days": "?"})
    return {"days_before": days, "at": form.get(f"herinnering_tijd{end}", ""), **kind, "not_within_hours": hours}


def _iso(found: re.Match[str]) -> str:
    day, month, year = found.groups()
    return f"{year}-{month:>02}-{day:>02}"


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
