"""Say in Dutch, for the overview, what the log says in English."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency

from agents.projection.reduce import ZONE

CHANNELS = {"sms": "Sms", "email": "E-mail"}

REASONS = {"direct": "Bericht", "reminder": "Herinnering", "request": "Verzoek"}

STATUSES = {
    "sent": "Verstuurd",
    "delivered": "Afgeleverd",
    "retrying": "Nog niet gelukt",
    "failed": "Mislukt",
    "unknown": "Onbekend",
    "suppressed": "Niet verstuurd",
    "superseded": "Vervallen",
    "expired": "Te laat",
}

MEANINGS = {
    "sent": "De aanbieder heeft het bericht aangenomen.",
    "delivered": "Het bericht is aangekomen.",
    "retrying": "Het wordt opnieuw geprobeerd.",
    "failed": "Het bericht kon niet worden verstuurd.",
    "unknown": "Het is niet bekend of het bericht is verstuurd.",
    "suppressed": "Het bericht mocht niet worden verstuurd.",
    "superseded": "Er kwam een nieuwer bericht over dezelfde afspraak.",
    "expired": "De afspraak was al begonnen.",
}

DETAILS = {
    "absent": "De cliënt is niet aanwezig bij de afspraak.",
    "tell": "Deze ontvanger mag niets (meer) over de afspraak horen.",
    "ended": "De laatste dag van deze ontvanger is voorbij.",
    "same_address": "Het bericht ging al naar hetzelfde nummer of e-mailadres.",
    "client_off": "De cliënt wil geen berichten, of heeft zich afgemeld.",
    "contact_unconfirmed": "Het telefoonnummer of e-mailadres is niet bevestigd.",
    "organisation_off": "Uw organisatie heeft berichten uitgezet.",
    "too_many": "Er wachten al te veel verzoeken voor deze cliënt.",
    "no_words": "Het bericht kon niet onder woorden worden gebracht. Wij zoeken het uit.",
    "no_rest": "Het bericht kwam telkens terug zonder dat er iets veranderde. Wij zoeken het uit.",
    "rerouted": "Het nummer of adres nam het bericht niet aan. Als er een andere weg was, ging het daarlangs.",
    "same": "Er veranderde niets aan wat de cliënt al weet.",
    "outcome": "De cliënt was er al, of kwam niet, toen dit nog niet verteld was.",
    "notify": "Van deze afspraak hoeft geen bericht uit te gaan.",
    "not_said": "Tegengehouden, en daarna niet verstuurd: zo is besloten.",
    "just_told": "Alles stond al in een bericht van kort daarvoor.",
    "just_reminded": "Kort daarvoor ging er al een herinnering voor die dag.",
    "erased": "De gegevens van de cliënt zijn gewist.",
    "series": "Het viel al onder het bericht over de reeks.",
}

KINDS = {
    "created": "Nieuwe afspraak",
    "moved": "Verplaatst",
    "changed": "Andere soort afspraak",
    "cancelled": "Geannuleerd",
    "relocated": "Andere locatie",
    "series_created": "Nieuwe reeks",
    "series_moved": "Reeks verplaatst",
    "series_changed": "Reeks van andere soort",
    "series_cancelled": "Reeks geannuleerd",
    "series_relocated": "Reeks op andere locatie",
    "reminder": "Herinnering",
    "request": "Verzoek van derden",
}


def kinds(text: str) -> str:
    """Say the kinds of a message's notices."""
    return ", ".join(KINDS.get(kind, kind) for kind in text.split(",") if kind)


def why(status: str, detail: str | None) -> str:
    """Say what happened, in a sentence."""
    if detail in DETAILS:
        return DETAILS[detail]
    return MEANINGS.get(status, "") + (f" ({detail})" if detail else "")


def when(at: str) -> str:
    """Write an instant as people do: `2 mrt 2026 10:05`."""
    local = datetime.fromisoformat(at).astimezone(ZONE)
    return f"{format_date(local.date(), 'd MMM y', locale='nl')} {local:%H:%M}"


def day(text: str) -> str:
    """Write a local day as people do: `2 mrt 2026`."""
    return format_date(date.fromisoformat(text), "d MMM y", locale="nl")


def clock(at: str) -> str:
    """Write the local time of an instant: `10:05`."""
    return f"{datetime.fromisoformat(at).astimezone(ZONE):%H:%M}"


def roles(text: str) -> str:
    """Write the roles of a record of `access-log`: `inzage, beheer`."""
    return "opdracht op de server" if text == "command" else text.replace(",", ", ")


def money(micros: int | None, currency: str | None) -> str:
    """Write an amount; nothing where there is none."""
    if micros is None or not currency:
        return ""
    return format_currency(
        Decimal(micros) / 1_000_000, currency, locale="nl", decimal_quantization=False, format="¤\xa0#,##0.00###"
    )


def month(text: str) -> str:
    """Write `2026-03` as `maart 2026`."""
    return format_date(datetime.fromisoformat(f"{text}-01").date(), "MMMM y", locale="nl")
