"""What an organisation chooses, from settings to a form and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import UNSET

from schemas.employee_settings import DIGEST_AT
from schemas.inputs import (
    NOT_WITHIN_HOURS,
    SETTINGS_MOST,
    Channel,
    Organisation,
    OrganisationOverride,
    QuietHours,
    ReminderSettings,
)
from schemas.templates import Message, Texts, texts_of, translated
from schemas.wire import BadRecordError, check, encode
from streams.notices.due_moments import reminders_of

from .fields import (
    CHOICES,
    DIGEST,
    FIELDS,
    FREE_DAYS,
    HOSTS,
    OWN,
    REMINDER,
    REMINDER_ROWS,
    REMINDERS,
    TOLD,
    UNSAID,
    Field,
    Scope,
    at,
    in_languages,
    is_own,
    paths_of,
    sheet_of,
)

TOO_MUCH = "Dit is samen te veel tekst om te bewaren. Maak teksten korter, of haal een soort afspraak weg."

_DATE = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")

_MISSING = re.compile(r"Object missing required field `([^`]*)`")

Values = dict[str, str]

SETTINGS = Scope()


def values(counts: Organisation, override: OrganisationOverride | None, scope: Scope = SETTINGS) -> Values:
    """Return what a page shows: everywhere the value that counts, so that nothing is lost when somebody begins to choose."""
    sheet = sheet_of(scope)
    found: Values = {}
    if scope.is_all:
        quiet = counts.quiet_hours
        found = {
            **_reminder_values(reminders_of(counts)),
            "vrij": "\n".join(f"{day:%d-%m-%Y}" for day in counts.free_days or ()),
            "links": "\n".join(counts.link_hosts or ()),
            "stilte": "ja" if quiet is not None else "nee",
            "stilte_van": quiet.from_ if quiet is not None else "21:00",
            "stilte_tot": quiet.until if quiet is not None else "08:00",
            "medewerkers_tijd": counts.digest_at,
        }
    for field in sheet.general:
        if field.name in CHOICES:
            found[field.name] = choice_of(counts, field)
        elif field.name not in found:
            found[field.name] = at(counts, field.path) or ""
    for fields in sheet.by_message.values():
        for field in fields:
            *_, message, channel, part = field.path
            around = texts_in(counts, scope, cast(Channel, channel), cast(Message, message))
            found[field.name] = getattr(around, part)
    return found | {OWN + field.name: "1" if is_own(override, field) else "" for field in sheet.fields}


def texts_in(counts: Organisation, scope: Scope, channel: Channel, message: Message) -> Texts:
    """Return the texts around a kind of message as they count for a page."""
    if scope.language is None:
        return texts_of(counts, channel, message, scope.label)
    return translated(counts, channel, message, scope.label, scope.language)


def choice_of(settings: Organisation, field: Field) -> str:
    """Return what of a list counts, as the form says it."""
    value = at(settings, field.path)
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


def said(settings: Organisation | OrganisationOverride, field: Field) -> str:
    """Say in words what settings have there; empty for a text that is empty."""
    if field.path == REMINDER:
        if isinstance(settings, OrganisationOverride) and settings.reminders is not UNSET:
            listed: Sequence[ReminderSettings] = settings.reminders
        elif isinstance(settings, OrganisationOverride):
            listed = (settings.reminder,) if isinstance(settings.reminder, ReminderSettings) else ()
        else:
            listed = reminders_of(settings)
        return " en ".join(_in_words(one) for one in listed) or "geen"
    value: Any = at(settings, field.path)
    if field.path == FREE_DAYS:
        return ", ".join(f"{day:%d-%m-%Y}" for day in value or ()) or "geen"
    if field.path == HOSTS:
        return ", ".join(value or ()) or "geen"
    if field.name in CHOICES:
        chosen = next((name for name, one in CHOICES[field.name].items() if one == value), UNSAID.get(field.name, ""))
        return in_languages(CHOICES["talen"][chosen]) if field.name == "talen" else TOLD.get(chosen, chosen)
    if value is UNSET:
        return _unsaid(field) if field.path != DIGEST else DIGEST_AT
    if isinstance(value, QuietHours):
        return f"van {value.from_} tot {value.until} uur"
    return "geen" if value is None else str(value)


def _unsaid(field: Field) -> str:
    """Say what counts where a text of a kind of message, label or language is not there."""
    if "labels" in field.path:
        return "zoals bij alle soorten afspraken"
    if field.path[0] == "translations" and "templates" not in field.path:
        return "" if field.path[-1] != "subject" else "het vaste onderwerp van deze taal"
    return "zoals bij alle berichten"


def _in_words(one: ReminderSettings) -> str:
    day, days = ("werkdag", "werkdagen") if one.days == "working" else ("dag", "dagen")
    before = {0: "op de dag zelf", 1: f"1 {day} van tevoren"}.get(one.days_before, f"{one.days_before} {days} van tevoren")
    hours = one.not_within_hours
    return f"{before}, om {one.at} uur" + (f", niet binnen {hours} uur na een bericht" if hours else "")


class Chosen(NamedTuple):
    """What a form says (None: all is upstream's), and what is wrong, by field; `whole`: what is wrong with all of it."""

    override: OrganisationOverride | None
    wrong: dict[str, str]
    whole: str = ""


def chosen(
    organisation: str, form: Mapping[str, str], was: OrganisationOverride | None = None, scope: Scope = SETTINGS
) -> Chosen:
    """Read what a form says, by intake's own check; what its page does not show stays as it was chosen.

    A field that is wrong is left out of what it says.
    """
    own: dict[str, Any] = msgspec.to_builtins(was) if was is not None else {}
    wrong: dict[str, str] = {}
    fields = sheet_of(scope).fields
    for field in fields:
        for path in paths_of(field):
            without(own, path)
    for field in fields:
        if form.get(OWN + field.name) != "1":
            continue
        value = _plain(field, form)
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
    return Chosen(*_whole(organisation, own, wrong))


def _whole(
    organisation: str, own: dict[str, Any], wrong: dict[str, str]
) -> tuple[OrganisationOverride | None, dict[str, str], str]:  # fmt: skip
    """Return it as a record, as large as one may be."""
    if not own.keys() - {"organisation"}:
        return None, wrong, ""
    try:
        override = check(OrganisationOverride, {"organisation": organisation, **own})
    except BadRecordError:  # each field is right: more labels than there may be
        return None, wrong, TOO_MUCH
    return override, wrong, TOO_MUCH if len(encode(override)) > SETTINGS_MOST else ""


def taken_away(was: OrganisationOverride, label: str) -> OrganisationOverride | None:
    """Return what the organisation chose without all that it chose of a label, in whatever language."""
    own: dict[str, Any] = msgspec.to_builtins(was)
    without(own, ("labels", label))
    for language in list(own.get("translations", {})):
        without(own, ("translations", language, "labels", label))
    return _whole(was.organisation, own, {})[0]


def without(record: dict[str, Any], path: Sequence[str]) -> None:
    """Take out what stands there, and what holds nothing then."""
    name, *rest = path
    if name not in record:
        return
    if rest and isinstance(record[name], dict):
        without(record[name], rest)
    if not rest or record[name] == {}:
        del record[name]


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
        for names in map(".".join, paths_of(field)):
            if plain == names or plain.startswith(f"{names}."):
                return field.label
    return path


def _plain(field: Field, form: Mapping[str, str]) -> Any:
    """Return a field's value as it stands in a record; what cannot be read stays as it is, for the check to refuse."""
    name = field.name
    text = form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    if name in CHOICES:
        return CHOICES[name].get(text, text)
    if name == "vrij":
        return [_DATE.sub(_iso, line.strip()) for line in text.split("\n") if line.strip()]
    if name == "links":
        return [line.strip().lower() for line in text.split("\n") if line.strip()]
    if name not in ("herinnering", "stilte"):
        return text.strip() if field.path[-1] == "subject" else text.replace("\t", " ")
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
