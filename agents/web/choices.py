"""What an organisation may choose itself: the fields of the form, from settings to a form and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import UNSET

from schemas.inputs import Organisation, OrganisationOverride, QuietHours, ReminderSettings
from schemas.wire import BadRecordError, check


class Field(NamedTuple):
    """One thing to choose. `path`: where it stands in the settings; `wrong`: what is said of a value that cannot be."""

    name: str
    path: tuple[str, ...]
    label: str
    wrong: str


TOO_LONG = "Gebruik niet meer dan 200 tekens."
TIMES = "Vul twee verschillende tijden in, bijvoorbeeld 21:00 en 08:00."

FIELDS = (
    Field("berichten", ("notifications",), "Berichten versturen", "Kies of er berichten worden verstuurd."),
    Field("herinnering", ("reminder",), "Herinnering", "Vul een aantal dagen van 0 tot en met 365 in, en een tijd."),
    Field("stilte", ("quiet_hours",), "Stille uren", TIMES),
    Field("sms_voor", ("sms", "before"), "Sms: tekst vóór het bericht", TOO_LONG),
    Field("sms_na", ("sms", "after"), "Sms: tekst na het bericht", TOO_LONG),
    Field("mail_onderwerp", ("email", "subject"), "E-mail: onderwerp", "Vul een onderwerp in van 1 tot en met 200 tekens."),
    Field("mail_voor", ("email", "before"), "E-mail: aanhef", TOO_LONG),
    Field("mail_na", ("email", "after"), "E-mail: afsluiting", TOO_LONG),
)

OWN = "eigen_"
"""Before a field's name: the box that says that the organisation chooses it itself."""

Values = dict[str, str]


def values(counts: Organisation, override: OrganisationOverride | None) -> Values:
    """What the form shows: everywhere the value that counts, so that nothing is lost where somebody begins to choose."""
    reminder, quiet = counts.reminder, counts.quiet_hours
    found = {
        "berichten": "aan" if counts.notifications else "uit",
        "herinnering": "ja" if reminder is not None else "nee",
        "herinnering_dagen": str(reminder.days_before) if reminder is not None else "1",
        "herinnering_tijd": reminder.at if reminder is not None else "10:00",
        "stilte": "ja" if quiet is not None else "nee",
        "stilte_van": quiet.from_ if quiet is not None else "21:00",
        "stilte_tot": quiet.until if quiet is not None else "08:00",
    }
    found |= {field.name: _at(counts, field.path) for field in FIELDS if field.name not in found}
    return found | {OWN + field.name: "1" if is_own(override, field) else "" for field in FIELDS}


def is_own(override: OrganisationOverride | None, field: Field) -> bool:
    """Whether the organisation chose it."""
    return override is not None and _there(override, field.path)


def upstream_says(upstream: Organisation, field: Field) -> str:
    """Upstream's value in words; empty for a text that is empty."""
    value: Any = _at(upstream, field.path)
    if isinstance(value, bool):
        return "aan" if value else "uit"
    if isinstance(value, ReminderSettings):
        day = {0: "op de dag zelf", 1: "1 dag van tevoren"}.get(value.days_before, f"{value.days_before} dagen van tevoren")
        return f"{day}, om {value.at} uur"
    if isinstance(value, QuietHours):
        return f"van {value.from_} tot {value.until} uur"
    return "geen" if value is None else str(value)


def chosen(organisation: str, form: Mapping[str, str]) -> tuple[OrganisationOverride | None, dict[str, str]]:
    """What a form says, by intake's own check, and what is wrong by field. None: all is upstream's.

    A field that is wrong is left out of what it says.
    """
    own: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in FIELDS:
        if form.get(OWN + field.name) != "1":
            continue
        value = _plain(field.name, form)
        nested = {field.path[0]: value if len(field.path) == 1 else {field.path[1]: value}}
        try:
            check(OrganisationOverride, {"organisation": organisation, **nested})
        except BadRecordError:
            wrong[field.name] = field.wrong
            continue
        if field.name == "stilte" and value is not None and value["from"] == value["until"]:
            wrong[field.name] = field.wrong
        elif len(field.path) == 1:
            own[field.path[0]] = value
        else:
            own.setdefault(field.path[0], {})[field.path[1]] = value
    return (check(OrganisationOverride, {"organisation": organisation, **own}) if own else None), wrong


def label_of(reason: str) -> str:
    """The field that a refusal of intake names, as the form calls it; else its name in the record, or nothing."""
    path = reason.rpartition(" - at `$.")[2].rstrip("`") if " - at `$." in reason else ""
    for field in FIELDS:
        if path == ".".join(field.path) or path.startswith(".".join(field.path) + "."):
            return field.label
    return path


def _plain(name: str, form: Mapping[str, str]) -> Any:
    """A field's value as it stands in a record; what cannot be read is given as it is, for the check to refuse."""
    text = form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    if name == "berichten":
        return {"aan": True, "uit": False}.get(text, text)
    if name not in ("herinnering", "stilte"):
        return text.strip() if name == "mail_onderwerp" else text
    if text == "nee":
        return None
    if name == "stilte":
        return {"from": form.get("stilte_van", ""), "until": form.get("stilte_tot", "")} if text == "ja" else text
    days = form.get("herinnering_dagen", "").strip()
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else days
    return {"days_before": number, "at": form.get("herinnering_tijd", "")} if text == "ja" else text


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        record = getattr(record, name)
    return record


def _there(record: Any, path: tuple[str, ...]) -> bool:
    """Whether a record has that field. What is not there has none below it."""
    return all((record := getattr(record, name)) is not UNSET for name in path)
