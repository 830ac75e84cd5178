"""Dutch, for employees: of their own agenda, and nothing of whose appointment it is."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .dutch_others import ONE, SEVERAL
from .wording import Colleagues

ON_SITE: dict[Kind, str] = {
    "created": "Er staat een afspraak in uw agenda {on_now}.{at_location}",
    "moved": "De afspraak in uw agenda {on_was}{was_place} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "De afspraak in uw agenda {on_now}{was_place} is nu {one}.{at_location}",
    "cancelled": "De afspraak in uw agenda {was_clear}{was_place} is vervallen.",
    "relocated": "De locatie van de afspraak in uw agenda {on_now}{was_place} is gewijzigd naar {location}",
    "series_created": "Er staan herhalende afspraken in uw agenda {on_now} en de daarop volgende{rhythm}{off}.{at_location}",
    "series_moved": (
        "De herhalende afspraken in uw agenda {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "De herhalende afspraken in uw agenda {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "De herhalende afspraken in uw agenda {on_was} en de daarop volgende zijn vervallen.",
    "series_relocated": (
        "De locatie van de herhalende afspraken in uw agenda {on_now} en de daarop volgende is gewijzigd naar {location}"
    ),
}


def _remote(a: str, the: str, several: str) -> dict[Kind, str]:
    """Return the sentences of what is not on site: they name no place but that of what it becomes."""
    return {
        "created": f"Er staat {a} in uw agenda {{on_now}}.",
        "moved": f"{the} in uw agenda {{on_was}} is verplaatst naar {{now}}.{{is_now}}{{at_location}}",
        "changed": f"{the} in uw agenda {{on_now}} is nu {{one}}.{{at_location}}",
        "cancelled": f"{the} in uw agenda {{was_clear}} is vervallen.",
        "series_created": f"Er staan herhalende {several} in uw agenda {{on_now}} en de daarop volgende{{rhythm}}{{off}}.",
        "series_moved": (
            f"De herhalende {several} in uw agenda {{on_was}} en de daarop volgende zijn verplaatst naar {{now}}."
            "{are_now}{at_location}"
        ),
        "series_changed": (
            f"De herhalende {several} in uw agenda {{on_now}} en de daarop volgende zijn nu {{several}}.{{at_location}}"
        ),
        "series_cancelled": f"De herhalende {several} in uw agenda {{on_was}} en de daarop volgende zijn vervallen.",
    }


SENTENCES: dict[Remote | None, dict[Kind, str]] = {
    None: ON_SITE,
    "phone": _remote("een telefonische afspraak", "De telefonische afspraak", "telefonische afspraken"),
    "video": _remote("een afspraak via beeldbellen", "De afspraak via beeldbellen", "afspraken via beeldbellen"),
    "home": _remote("een huisbezoek", "Het huisbezoek", "huisbezoeken"),
}

DUTCH_EMPLOYEES = Colleagues(
    sentences=SENTENCES,
    one=ONE, several=SEVERAL,
    subject="Wijzigingen in uw agenda",
    unsubscribe="Wilt u geen e-mail meer over uw agenda?",
    unsubscribe_link="Meld u af voor e-mail over uw agenda",
)  # fmt: skip
