"""What an organisation may choose itself: the fields of the settings page, and of a page of other texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations
from typing import Any, NamedTuple

from msgspec import UNSET

from schemas.inputs import MOST_REMINDERS, NOT_WITHIN_MOST, OrganisationOverride
from schemas.languages import DEFAULT, LANGUAGES, Language
from schemas.templates import Message

LANGUAGE_NAMES: dict[Language, str] = {"nl": "Nederlands", "en": "Engels"}

MOST_CHARACTERS = 200
"""Of a text around the sentences, and of a subject."""


class Field(NamedTuple):
    """One thing to choose. `path`: where it stands in the settings; `wrong`: what is said of a value that cannot be."""

    name: str
    path: tuple[str, ...]
    label: str
    wrong: str

    @property
    def is_text(self) -> bool:
        """Tell whether it stands around the sentences, or is a subject."""
        return self.path[-1] in ("before", "after", "subject")


class Scope(NamedTuple):
    """Of which texts a page is: of a label, in another language than the first, of both; or of all messages."""

    label: str | None = None
    language: Language | None = None

    @property
    def is_all(self) -> bool:
        """Tell whether it is the settings page itself."""
        return self == Scope()


TOO_LONG = f"Gebruik niet meer dan {MOST_CHARACTERS} tekens."
TIMES = "Vul twee verschillende tijden in, bijvoorbeeld 21:00 en 08:00."

REMINDED = f"Vul een aantal dagen van 0 tot en met 365 in, een tijd, en een aantal uren van 0 tot en met {NOT_WITHIN_MOST}."

YES_OR_NO = "Kies ja of nee."

NO_DATES = "Zet op elke regel één datum, bijvoorbeeld 05-05-2027."

NO_HOSTS = "Zet op elke regel de naam van één website, bijvoorbeeld video.linde.nl."

TEXT_FIELDS = (
    Field("sms_voor", ("sms", "before"), "Sms: tekst vóór het bericht", TOO_LONG),
    Field("sms_na", ("sms", "after"), "Sms: tekst na het bericht", TOO_LONG),
    Field(
        "mail_onderwerp", ("email", "subject"), "E-mail: onderwerp",
        f"Vul een onderwerp in van 1 tot en met {MOST_CHARACTERS} tekens, op één regel.",
    ),
    Field("mail_voor", ("email", "before"), "E-mail: aanhef", TOO_LONG),
    Field("mail_na", ("email", "after"), "E-mail: afsluiting", TOO_LONG),
)  # fmt: skip
"""The texts around the sentences of a message, those of an SMS first."""

DIGEST = ("employees", "digest_at")

GENERAL = (
    Field("berichten", ("notifications",), "Berichten versturen", "Kies of er berichten worden verstuurd."),
    Field("herinnering", ("reminder",), "Herinnering", REMINDED),
    Field("vrij", ("free_days",), "Vrije dagen", NO_DATES),
    Field("stilte", ("quiet_hours",), "Stille uren", TIMES),
    *TEXT_FIELDS,
    Field("locatie", ("say", "location"), "Locatie noemen", YES_OR_NO),
    Field("locatie_anderen", ("say", "location_to_others"), "Locatie noemen aan wie voor een cliënt handelt", YES_OR_NO),
    Field("behandelaar", ("say", "practitioner"), "Behandelaar noemen in een herinnering", YES_OR_NO),
    Field("instructies", ("say", "instructions"), "Voorbereiding noemen in een herinnering per e-mail", YES_OR_NO),
    Field("links", ("link_hosts",), "Websites voor links in een herinnering per e-mail", NO_HOSTS),
    Field("medewerkers", ("employees", "notifications"), "Berichten aan medewerkers", "Kies aan of uit."),
    Field("medewerkers_tijd", DIGEST, "Tijd van het bericht aan medewerkers", "Vul een tijd in, bijvoorbeeld 16:00."),
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


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]


def _by_message(path: tuple[str, ...], starts: Sequence[str] = tuple(MESSAGES)) -> dict[str, tuple[Field, ...]]:
    """Return the fields of each kind of message; `path`: where its templates stand."""
    return {
        start: tuple(
            Field(f"{start}_{one.name}", (*path, message, *one.path), f"{title}: {_lower_first(one.label)}", one.wrong)
            for one in TEXT_FIELDS
        )
        for start, (title, message) in MESSAGES.items()
        if start in starts
    }


OF_MESSAGE = _by_message(("templates",))

FIELDS = (*GENERAL, *[field for fields in OF_MESSAGE.values() for field in fields])
"""Those of the settings page."""

OF_LABELS = tuple(start for start in MESSAGES if start != "aanvraag")
"""What third parties ask is of no label."""


class Sheet(NamedTuple):
    """The fields of a page: those of all its messages, and those of each kind of message."""

    general: tuple[Field, ...]
    by_message: dict[str, tuple[Field, ...]]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them."""
        return (*self.general, *[field for fields in self.by_message.values() for field in fields])


@cache
def sheet_of(scope: Scope) -> Sheet:
    """Return the fields of a page of texts."""
    label, language = scope
    if label is None and language is None:
        return Sheet(GENERAL, OF_MESSAGE)
    if label is None:
        general = tuple(one._replace(path=("translations", str(language), *one.path)) for one in TEXT_FIELDS)
        return Sheet(general, _by_message(("translations", str(language), "templates")))
    if language is None:
        notify = Field("melden", ("labels", label, "notify"), "Welke berichten", "Kies welke berichten er gaan.")
        return Sheet((notify,), _by_message(("labels", label, "templates"), OF_LABELS))
    return Sheet((), _by_message(("translations", language, "labels", label), OF_LABELS))


ANSWERS: dict[str, Any] = {"ja": True, "nee": False}
ON_OR_OFF: dict[str, Any] = {"aan": True, "uit": False}

CHOICES: dict[str, dict[str, Any]] = {
    "berichten": ON_OR_OFF, "medewerkers": ON_OR_OFF, "locatie": ANSWERS, "locatie_anderen": ANSWERS,
    "behandelaar": ANSWERS, "instructies": ANSWERS,
    "talen": {"_".join(some): list(some) for number in range(1, len(LANGUAGES) + 1) for some in permutations(LANGUAGES, number)},
    "melden": {"alle": "all", "herinnering": "reminder", "geen": "none"},
}  # fmt: skip
"""What is chosen from a list: by what the form says, what the record does."""

UNSAID = {
    "locatie": "ja", "locatie_anderen": "nee", "behandelaar": "nee", "instructies": "nee", "talen": DEFAULT, "melden": "alle",
    "medewerkers": "uit",
}  # fmt: skip
"""What counts of these where nothing is said."""

TOLD = {"alle": "alle berichten", "herinnering": "alleen de herinnering", "geen": "geen berichten"}
"""What may tell of appointments of a label."""

REMINDER_ROWS = ("", *[f"_{number}" for number in range(2, MOST_REMINDERS + 1)])
"""How the names of the fields of each of the reminders end; all of them are one thing to choose."""

OWN = "eigen_"
"""Before a field's name: the box that says that the organisation chooses it itself."""

REMINDER, REMINDERS, FREE_DAYS, HOSTS = ("reminder",), ("reminders",), ("free_days",), ("link_hosts",)


def paths_of(field: Field) -> tuple[tuple[str, ...], ...]:
    """Return where what is chosen may stand: one reminder as it did before there were several."""
    return (REMINDER, REMINDERS) if field.path == REMINDER else (field.path,)


def at(record: Any, path: Sequence[str]) -> Any:
    """Return what stands there in a record; UNSET where nothing does."""
    for name in path:
        record = record.get(name, UNSET) if isinstance(record, Mapping) else getattr(record, name, UNSET)
    return record


def is_own(override: OrganisationOverride | None, field: Field) -> bool:
    """Tell whether the organisation chose it."""
    return any(at(override, path) is not UNSET for path in paths_of(field))


def heading(field: Field) -> str:
    """Return what a field is called under the heading of its group."""
    title = next((f"{title}: " for title, _ in MESSAGES.values() if field.label.startswith(f"{title}: ")), "")
    name = field.label.removeprefix(title) if title else field.label.partition(": ")[2] or field.label
    return name[0].upper() + name[1:]


def in_languages(some: Sequence[Language]) -> str:
    """Say a choice of languages: `Nederlands, en Engels voor wie dat wil`."""
    first, *others = [LANGUAGE_NAMES[one] for one in some]
    return f"{first}, en {', '.join(others)} voor wie dat wil" if others else first
