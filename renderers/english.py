"""English: the sentences, by kind of appointment and kind of notice. The names of days and months are those of en-GB."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .english_employees import ENGLISH_EMPLOYEES
from .english_others import ENGLISH_OTHERS
from .wording import Wording

ON_SITE: dict[Kind, str] = {
    "created": "An appointment has been made for you {on_now}.{at_location}",
    "moved": "Your appointment {on_was}{was_place} has been moved to {now}.{is_now}{at_location}",
    "changed": "Your appointment {on_now}{was_place} is now {one}.{at_location}",
    "cancelled": "Your appointment {was_clear}{was_place} has been cancelled.",
    "relocated": "The location of your appointment {on_now}{was_place} has changed to {location}",
    "series_created": "Repeat appointments have been made for you {on_now} and the ones after that{rhythm}{off}.{at_location}",
    "series_moved": ("Your repeat appointments {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"),
    "series_changed": "Your repeat appointments {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "Your repeat appointments {on_was} and the ones after that have been cancelled.",
    "series_relocated": "The location of your repeat appointments {on_now} and the ones after that has changed to {location}",
    "reminder": "You have {count} on {reminder_time}.{at_location}",
}

PHONE: dict[Kind, str] = {
    "created": "A telephone appointment has been made for you {on_now}. We will call you.",
    "moved": "Your telephone appointment {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "Your telephone appointment {on_now} is now {one}.{at_location}",
    "cancelled": "Your telephone appointment {was_clear} has been cancelled.",
    "series_created": (
        "Repeat telephone appointments have been made for you {on_now} and the ones after that{rhythm}{off}. We will call you."
    ),
    "series_moved": (
        "Your repeat telephone appointments {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "Your repeat telephone appointments {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "Your repeat telephone appointments {on_was} and the ones after that have been cancelled.",
    "reminder": "You have a telephone appointment on {reminder_time}. We will call you.",
}

VIDEO: dict[Kind, str] = {
    "created": "A video appointment has been made for you {on_now}.",
    "moved": "Your video appointment {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "Your video appointment {on_now} is now {one}.{at_location}",
    "cancelled": "Your video appointment {was_clear} has been cancelled.",
    "series_created": "Repeat video appointments have been made for you {on_now} and the ones after that{rhythm}{off}.",
    "series_moved": (
        "Your repeat video appointments {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "Your repeat video appointments {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "Your repeat video appointments {on_was} and the ones after that have been cancelled.",
    "reminder": "You have a video appointment on {reminder_time}.",
}

HOME: dict[Kind, str] = {
    "created": "We will visit you at home {on_now}.",
    "moved": "Our visit to your home {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "Our visit to your home {on_now} is now {one}.{at_location}",
    "cancelled": "Our visit to your home {was_clear} has been cancelled.",
    "series_created": "We will visit you at home regularly: {on_now} and the times after that{rhythm}{off}.",
    "series_moved": (
        "Our repeat visits to your home {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "Our repeat visits to your home {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "Our repeat visits to your home {on_was} and the ones after that have been cancelled.",
    "reminder": "We will visit you at home on {reminder_time}.",
}

SENTENCES: dict[Remote | None, dict[Kind, str]] = {None: ON_SITE, "phone": PHONE, "video": VIDEO, "home": HOME}

ONE: dict[Remote | None, str] = {
    None: "an appointment at our location", "phone": "a telephone appointment", "video": "a video appointment",
    "home": "a visit to your home",
}  # fmt: skip
SEVERAL: dict[Remote | None, str] = {
    None: "appointments at our location", "phone": "telephone appointments", "video": "video appointments",
    "home": "visits to your home",
}  # fmt: skip

ENGLISH = Wording(
    locale="en_GB", direction="ltr", sentences=SENTENCES, one=ONE, several=SEVERAL,
    at="{day} at {at}", from_to="{day} from {at} to {until}", until_day="{day} at {at}", between="{day} between {at} and {until}",
    through="{day} up to and including {last}",
    from_through="{day} from {at} up to and including {last}", midnight="midnight", on="on {period}", from_day="from {period}",
    all_day=" (all day)", nowhere="no location", monthly=", every month", weekly=", every {weeks} weeks",
    off=", except on {days}", place=" Location: {place}", is_now=" It is now {one}.", are_now=" They are now {several}.",
    counted={"one": "an appointment", "other": "{count} appointments"}, practitioner="Your appointment is with {practitioner}",
    link="Link for your appointment: {link}", subject="Message about your appointment",
    unsubscribe="Do you no longer want e-mails about your appointments?", unsubscribe_at="Unsubscribe: {link}",
    unsubscribe_link="Unsubscribe from e-mails about your appointments",
    others=ENGLISH_OTHERS, employees=ENGLISH_EMPLOYEES,
)  # fmt: skip
