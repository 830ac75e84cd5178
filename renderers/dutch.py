"""Dutch: the sentences, by kind of appointment and kind of notice. Those of what is on site are the ones that clients know."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .dutch_employees import DUTCH_EMPLOYEES
from .dutch_others import DUTCH_OTHERS
from .wording import Wording

ON_SITE: dict[Kind, str] = {
    "created": "Er is een afspraak met u gemaakt {on_now}.{at_location}",
    "moved": "Uw afspraak {on_was}{was_place} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "Uw afspraak {on_now}{was_place} is nu {one}.{at_location}",
    "cancelled": "Uw afspraak {was_clear}{was_place} is geannuleerd.",
    "relocated": "De locatie van uw afspraak {on_now}{was_place} is gewijzigd naar {location}",
    "series_created": "Er zijn herhalende afspraken met u gemaakt {on_now} en de daarop volgende{rhythm}{off}.{at_location}",
    "series_moved": "Uw herhalende afspraken {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}",
    "series_changed": "Uw herhalende afspraken {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "Uw herhalende afspraken {on_was} en de daarop volgende zijn geannuleerd.",
    "series_relocated": "De locatie van uw herhalende afspraken {on_now} en de daarop volgende is gewijzigd naar {location}",
    "reminder": "U heeft {count} op {reminder_time}.{at_location}",
}

PHONE: dict[Kind, str] = {
    "created": "Er is een telefonische afspraak met u gemaakt {on_now}. U wordt gebeld.",
    "moved": "Uw telefonische afspraak {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "Uw telefonische afspraak {on_now} is nu {one}.{at_location}",
    "cancelled": "Uw telefonische afspraak {was_clear} is geannuleerd.",
    "series_created": (
        "Er zijn herhalende telefonische afspraken met u gemaakt {on_now} en de daarop volgende{rhythm}{off}. U wordt gebeld."
    ),
    "series_moved": (
        "Uw herhalende telefonische afspraken {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "Uw herhalende telefonische afspraken {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "Uw herhalende telefonische afspraken {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "U heeft een telefonische afspraak op {reminder_time}. U wordt gebeld.",
}

VIDEO: dict[Kind, str] = {
    "created": "Er is een afspraak via beeldbellen met u gemaakt {on_now}.",
    "moved": "Uw afspraak via beeldbellen {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "Uw afspraak via beeldbellen {on_now} is nu {one}.{at_location}",
    "cancelled": "Uw afspraak via beeldbellen {was_clear} is geannuleerd.",
    "series_created": ("Er zijn herhalende afspraken via beeldbellen met u gemaakt {on_now} en de daarop volgende{rhythm}{off}."),
    "series_moved": (
        "Uw herhalende afspraken via beeldbellen {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "Uw herhalende afspraken via beeldbellen {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "Uw herhalende afspraken via beeldbellen {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "U heeft een afspraak via beeldbellen op {reminder_time}.",
}

HOME: dict[Kind, str] = {
    "created": "Wij komen bij u langs {on_now}.",
    "moved": "Uw afspraak bij u thuis {on_was} is verplaatst naar {now}.{is_now}{at_location}",
    "changed": "Uw afspraak bij u thuis {on_now} is nu {one}.{at_location}",
    "cancelled": "Uw afspraak bij u thuis {was_clear} is geannuleerd.",
    "series_created": "Wij komen vaker bij u langs: {on_now} en de daarop volgende keren{rhythm}{off}.",
    "series_moved": (
        "Uw herhalende afspraken bij u thuis {on_was} en de daarop volgende zijn verplaatst naar {now}.{are_now}{at_location}"
    ),
    "series_changed": "Uw herhalende afspraken bij u thuis {on_now} en de daarop volgende zijn nu {several}.{at_location}",
    "series_cancelled": "Uw herhalende afspraken bij u thuis {on_was} en de daarop volgende zijn geannuleerd.",
    "reminder": "Wij komen bij u langs op {reminder_time}.",
}

SENTENCES: dict[Remote | None, dict[Kind, str]] = {None: ON_SITE, "phone": PHONE, "video": VIDEO, "home": HOME}
ONE: dict[Remote | None, str] = {
    None: "een afspraak op locatie", "phone": "een telefonische afspraak", "video": "een afspraak via beeldbellen",
    "home": "een afspraak bij u thuis",
}  # fmt: skip
SEVERAL: dict[Remote | None, str] = {
    None: "afspraken op locatie", "phone": "telefonische afspraken", "video": "afspraken via beeldbellen",
    "home": "afspraken bij u thuis",
}  # fmt: skip

DUTCH = Wording(
    locale="nl", direction="ltr", sentences=SENTENCES, one=ONE, several=SEVERAL,
    at="{day} om {at}", from_to="{day} van {at} tot {until}", until_day="{day} {at}", between="{day} tussen {at} en {until}",
    through="{day} tot en met {last}",
    from_through="{day} van {at} tot en met {last}", midnight="middernacht", on="op {period}", from_day="van {period}",
    all_day=" (de hele dag)", nowhere="zonder locatie", monthly=", elke maand", weekly=", om de {weeks} weken",
    off=", niet op {days}", place=" Locatie: {place}", is_now=" Het is nu {one}.", are_now=" Het zijn nu {several}.",
    counted={"one": "een afspraak", "other": "{count} afspraken"}, practitioner="U heeft de afspraak met {practitioner}",
    link="Link bij uw afspraak: {link}", subject="Bericht over uw afspraak",
    unsubscribe="Wilt u geen e-mail meer over uw afspraken?", unsubscribe_at="Meld u af: {link}",
    unsubscribe_link="Meld u af voor e-mail over uw afspraken",
    others=DUTCH_OTHERS, employees=DUTCH_EMPLOYEES,
)  # fmt: skip
