"""Dutch, for those who act for a client. In braces also stands the client: ` met Anna`, or nothing where no name may be said."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .wording import Others

ON_SITE: dict[Kind, str] = {
    "created": "Er is een afspraak{with_name} gemaakt {on_now}.{at_location}",
    "moved": "De afspraak{of_name} {on_was}{was_place} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "De afspraak{of_name} {on_now}{was_place} is nu {one}.{at_location}",
    "cancelled": "De afspraak{of_name} {was_clear}{was_place} is geannuleerd.",
    "relocated": "De locatie van de afspraak{of_name} {on_now}{was_place} is gewijzigd naar {location}",
    "series_created": "Er zijn herhalende afspraken{with_name} gemaakt {on_now} en de daarop volgende{rhythm}{off}.{at_location}",
    "series_moved": (
        "De herhalende afspraken{of_name} {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "De herhalende afspraken{of_name} {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "De herhalende afspraken{of_name} {on_was} en de daarop volgende zijn geannuleerd.",
    "series_relocated": (
        "De locatie van de herhalende afspraken{of_name} {on_now} en de daarop volgende is gewijzigd naar {location}"
    ),
    "reminder": "{there_are} op {reminder_time}.{at_location}",
}

PHONE: dict[Kind, str] = {
    "created": "Er is een telefonische afspraak{with_name} gemaakt {on_now}.",
    "moved": "De telefonische afspraak{of_name} {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "De telefonische afspraak{of_name} {on_now} is nu {one}.{at_location}",
    "cancelled": "De telefonische afspraak{of_name} {was_clear} is geannuleerd.",
    "series_created": "Er zijn herhalende telefonische afspraken{with_name} gemaakt {on_now} en de daarop volgende{rhythm}{off}.",
    "series_moved": (
        "De herhalende telefonische afspraken{of_name} {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}"
        "{at_location}"
    ),
    "series_changed": (
        "De herhalende telefonische afspraken{of_name} {on_now} en de daarop volgende zijn nu {several}.{at_location}"
    ),
    "series_cancelled": "De herhalende telefonische afspraken{of_name} {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "{there_is} een telefonische afspraak op {reminder_time}.",
}

VIDEO: dict[Kind, str] = {
    "created": "Er is een afspraak via beeldbellen{with_name} gemaakt {on_now}.",
    "moved": "De afspraak via beeldbellen{of_name} {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "De afspraak via beeldbellen{of_name} {on_now} is nu {one}.{at_location}",
    "cancelled": "De afspraak via beeldbellen{of_name} {was_clear} is geannuleerd.",
    "series_created": (
        "Er zijn herhalende afspraken via beeldbellen{with_name} gemaakt {on_now} en de daarop volgende{rhythm}{off}."
    ),
    "series_moved": (
        "De herhalende afspraken via beeldbellen{of_name} {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}"
        "{at_location}"
    ),
    "series_changed": (
        "De herhalende afspraken via beeldbellen{of_name} {on_now} en de daarop volgende zijn nu {several}.{at_location}"
    ),
    "series_cancelled": "De herhalende afspraken via beeldbellen{of_name} {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "{there_is} een afspraak via beeldbellen op {reminder_time}.",
}

HOME: dict[Kind, str] = {
    "created": "Er is een huisbezoek{at_name} afgesproken {on_now}.",
    "moved": "Het huisbezoek{at_name} {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "Het huisbezoek{at_name} {on_now} is nu {one}.{at_location}",
    "cancelled": "Het huisbezoek{at_name} {was_clear} is geannuleerd.",
    "series_created": "Er zijn herhalende huisbezoeken{at_name} afgesproken {on_now} en de daarop volgende{rhythm}{off}.",
    "series_moved": (
        "De herhalende huisbezoeken{at_name} {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "De herhalende huisbezoeken{at_name} {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "De herhalende huisbezoeken{at_name} {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "{there_is} een huisbezoek op {reminder_time}.",
}

SENTENCES: dict[Remote | None, dict[Kind, str]] = {None: ON_SITE, "phone": PHONE, "video": VIDEO, "home": HOME}

ONE: dict[Remote | None, str] = {
    None: "een afspraak op locatie", "phone": "een telefonische afspraak", "video": "een afspraak via beeldbellen",
    "home": "een huisbezoek",
}  # fmt: skip
SEVERAL: dict[Remote | None, str] = {
    None: "afspraken op locatie", "phone": "telefonische afspraken", "video": "afspraken via beeldbellen",
    "home": "huisbezoeken",
}  # fmt: skip

DUTCH_OTHERS = Others(
    sentences=SENTENCES,
    one=ONE, several=SEVERAL,
    with_name=" met {name}", of_name=" van {name}", at_name=" bij {name}", has="{name} heeft", there_is="Er is",
    there_are={"one": "Er is een afspraak", "other": "Er zijn {count} afspraken"},
    subject="Bericht over een afspraak",
    unsubscribe="Wilt u geen berichten over deze cliënt meer per e-mail?",
    unsubscribe_link="Meld u af voor berichten over deze cliënt",
)  # fmt: skip
