"""Say in Dutch, for the overview, what the log says in English: what happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from babel.dates import format_date
from babel.numbers import format_currency

from agents.projection.days import ZONE
from schemas.deliveries import LoggedNotice

CHANNELS = {"sms": "Sms", "email": "E-mail"}

OUTCOMES = {
    "delivered": "Afgeleverd",
    "sent": "Verstuurd",
    "retrying": "Nog niet gelukt",
    "unknown": "Onbekend",
    "undelivered": "Niet afgeleverd",
    "failed": "Mislukt",
    "suppressed": "Niet verstuurd",
    "superseded": "Vervallen",
    "expired": "Te laat",
}
"""Of a message (`agents/projection/causes.py`), in the order in which pages have them."""

MEANINGS = {
    "delivered": "Het bericht is aangekomen.",
    "sent": "De aanbieder heeft het bericht aangenomen.",
    "retrying": "Het wordt opnieuw geprobeerd.",
    "unknown": "Het is niet bekend of het bericht is verstuurd.",
    "undelivered": "Het bericht is verstuurd, maar niet aangekomen.",
    "failed": "Het bericht kon niet worden verstuurd.",
    "suppressed": "Het bericht mocht niet worden verstuurd.",
    "superseded": "Er kwam een nieuwer bericht over dezelfde afspraak.",
    "expired": "De afspraak was al begonnen.",
}


class Cause(NamedTuple):
    """Why a message did not arrive: a few words for a list, a sentence, and what to do, if there is anything."""

    name: str
    why: str
    do: str = ""


ASK_NUMBER = "Vraag de cliënt om het juiste nummer en pas het aan in het dossier."

CAUSES = {
    "absent": Cause("Cliënt niet aanwezig", "De cliënt is niet aanwezig bij de afspraak."),
    "tell": Cause("Niet voor deze ontvanger", "Wie voor de cliënt optreedt, mag van deze afspraak niets (meer) horen."),
    "ended": Cause("Laatste dag voorbij", "De dag waarop deze ontvanger voor de cliënt optreedt, is voorbij."),
    "same_address": Cause("Zelfde nummer of adres", "Het bericht ging al naar hetzelfde telefoonnummer of e-mailadres."),
    "client_off": Cause(
        "Cliënt wil geen berichten", "De cliënt wil geen berichten, of er is geen toestemming bekend.",
        "Klopt dat niet? Pas de toestemming aan in het dossier.",
    ),
    "contact_unconfirmed": Cause(
        "Geen bruikbaar nummer of adres", "Er was geen telefoonnummer of e-mailadres dat klopt en bevestigd is.",
        "Open de cliënt om te zien wat eraan mankeert.",
    ),
    "organisation_off": Cause(
        "Berichten staan uit", "Uw organisatie heeft berichten uitgezet.", "Zet ze weer aan bij Instellingen.",
    ),
    "too_many": Cause("Te veel verzoeken", "Er wachten al te veel verzoeken voor deze cliënt."),
    "no_words": Cause("Geen tekst mogelijk", "Het bericht kon niet onder woorden worden gebracht. Wij zoeken het uit."),
    "no_rest": Cause("Kwam telkens terug", "Het bericht kwam telkens terug zonder dat er iets veranderde. Wij zoeken het uit."),
    "rerouted": Cause("Andere weg", "Het nummer of adres nam het niet aan. Als er een andere weg was, ging het daarlangs."),
    "same": Cause("Niets nieuws", "Er veranderde niets aan wat de cliënt al weet."),
    "outcome": Cause("Al geweest", "De cliënt was er al, of kwam niet, toen dit nog niet verteld was."),
    "notify": Cause("Hoeft geen bericht", "Van deze afspraak hoeft geen bericht uit te gaan."),
    "employee_off": Cause("Medewerker wil het niet", "De medewerker wil geen berichten, of is afgemeld."),
    "own": Cause("Eigen wijziging", "De medewerker heeft het zelf gewijzigd, en wil alleen horen wat anderen wijzigen."),
    "not_soon": Cause("Niet voor vandaag of morgen", "De medewerker wil alleen horen van vandaag en morgen."),
    "not_said": Cause("Bewust niet gezegd", "Tegengehouden, en daarna niet verstuurd: zo is besloten."),
    "just_told": Cause("Pas verteld", "Alles stond al in een bericht van kort daarvoor."),
    "just_reminded": Cause("Pas herinnerd", "Kort daarvoor ging er al een herinnering voor die dag."),
    "erased": Cause("Gegevens gewist", "De gegevens van de cliënt zijn gewist."),
    "series": Cause("Al gezegd met de reeks", "Het viel al onder het bericht over de herhalende afspraken."),
    "gave_up": Cause("Te lang geprobeerd", "Het lukte niet op tijd: daarna had het bericht geen zin meer."),
    "number_takes_none": Cause(
        "Nummer bestaat niet", "Dit nummer bestaat niet, of kan geen sms krijgen.", ASK_NUMBER,
    ),
    "stopped": Cause(
        "Cliënt antwoordde STOP", "De cliënt heeft zich met STOP afgemeld voor sms.",
        "Wil de cliënt weer berichten? Vraag uw leverancier om dat te regelen.",
    ),
    "unreachable": Cause(
        "Telefoon niet bereikbaar", "De telefoon was te lang uit of niet bereikbaar.",
        "Bel de cliënt als de afspraak gauw is.",
    ),
    "not_delivered": Cause(
        "Niet afgeleverd", "De telefoonmaatschappij kon het bericht niet afleveren.",
        "Controleer het nummer met de cliënt.",
    ),
    "refused_sms": Cause("Sms geweigerd", "De aanbieder nam het nummer of de sms niet aan.", ASK_NUMBER),
    "refused_email": Cause(
        "E-mail geweigerd", "De mailserver nam het adres of het bericht niet aan.",
        "Vraag de cliënt om het juiste e-mailadres en pas het aan in het dossier.",
    ),
    "retrying": Cause("Nog niet gelukt", "De verbinding lukte niet. Het wordt vanzelf opnieuw geprobeerd."),
    "unknown": Cause(
        "Onbekend", "De verbinding viel weg: misschien is het bericht verstuurd.",
        "Bel de cliënt als het zeker moet zijn.",
    ),
    "superseded": Cause("Nieuwer bericht", "Vervallen: er kwam een nieuwer bericht over dezelfde afspraak."),
    "expired": Cause("Te laat", "De afspraak was al begonnen."),
    "failed": Cause("Mislukt", "Het bericht kon niet worden verstuurd."),
    "suppressed": Cause("Niet verstuurd", "Het bericht mocht niet worden verstuurd."),
}  # fmt: skip

OPTED_OUT = Cause(
    "Cliënt heeft zich afgemeld", "De cliënt heeft zich afgemeld.",
    "Wil de cliënt toch berichten? Dan moet hij of zij zich weer aanmelden.",
)  # fmt: skip
"""Of `client_off`, where the client's own word was why."""

KINDS = {
    "created": "Nieuwe afspraak",
    "moved": "Afspraak verplaatst",
    "changed": "Andere soort afspraak",
    "cancelled": "Afspraak geannuleerd",
    "relocated": "Andere locatie",
    "series_created": "Nieuwe herhalende afspraken",
    "series_moved": "Herhalende afspraken verplaatst",
    "series_changed": "Herhalende afspraken van andere soort",
    "series_cancelled": "Herhalende afspraken geannuleerd",
    "series_relocated": "Herhalende afspraken op andere locatie",
    "reminder": "Herinnering",
    "request": "Bericht van een ander systeem",
}

_notices = msgspec.json.Decoder(tuple[LoggedNotice, ...]).decode


def kinds(text: str) -> str:
    """Say the kinds of a message's notices."""
    return ", ".join(KINDS.get(kind, kind) for kind in text.split(",") if kind)


def cause_of(row: Mapping[str, Any]) -> Cause | None:
    """Return why a message did not arrive, in words; None of one that did, or is on its way."""
    if row["cause"] is None:
        return None
    return OPTED_OUT if row["cause"] == "client_off" and row.get("opted_out") else CAUSES[row["cause"]]


def why(row: Mapping[str, Any]) -> str:
    """Say what happened to a message, and what to do, for a spreadsheet."""
    cause = cause_of(row)
    return f"{cause.why} {cause.do}".rstrip() if cause is not None else MEANINGS[row["outcome"]]


def about(row: Mapping[str, Any]) -> str:
    """Say of which appointment a message is: `ma 8 dec 2026 11:30`, and of how many more; empty where nobody knows."""
    if row["start"] is None:
        return ""
    more = len({id_ for one in _notices(row["notices"]) for id_ in (one.appointment, *one.others) if id_}) - 1
    return visit(datetime.fromisoformat(row["start"])) + (f" en {more} andere" if more > 0 else "")


def visit(at: datetime) -> str:
    """Write when an appointment is: `ma 8 dec 2026 11:30`; of whole days without a time."""
    local = at.astimezone(ZONE)
    day_ = format_date(local.date(), "EEEEEE d MMM y", locale="nl")
    return day_ if (local.hour, local.minute) == (0, 0) else f"{day_} {local:%H:%M}"


def when(at: str) -> str:
    """Write an instant as people do: `2 mrt 2026 10:05`."""
    local = datetime.fromisoformat(at).astimezone(ZONE)
    return f"{format_date(local.date(), 'd MMM y', locale='nl')} {local:%H:%M}"


def sortable(at: str) -> str:
    """Write an instant as a spreadsheet sorts it: `2026-03-02 10:05`."""
    return f"{datetime.fromisoformat(at).astimezone(ZONE):%Y-%m-%d %H:%M}"


def day(text: str) -> str:
    """Write a local day as people do: `2 mrt 2026`."""
    return format_date(date.fromisoformat(text), "d MMM y", locale="nl")


def long_day(text: str) -> str:
    """Write a local day in full: `maandag 2 maart 2026`."""
    return format_date(date.fromisoformat(text), "EEEE d MMMM y", locale="nl")


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
