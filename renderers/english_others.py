"""English, for those who act for a client. In braces also stands the client: ` for Anna`, or nothing where that is not said."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .wording import Others

ON_SITE: dict[Kind, str] = {
    "created": "An appointment has been made{with_name} {on_now}.{at_location}",
    "moved": "The appointment{of_name} {on_was}{was_place} has been moved to {now}.{is_now}{at_location}",
    "changed": "The appointment{of_name} {on_now}{was_place} is now {one}.{at_location}",
    "cancelled": "The appointment{of_name} {was_clear}{was_place} has been cancelled.",
    "relocated": "The location of the appointment{of_name} {on_now}{was_place} has changed to {location}",
    "series_created": (
        "Repeat appointments have been made{with_name} {on_now} and the ones after that{rhythm}{off}.{at_location}"
    ),
    "series_moved": (
        "The repeat appointments{of_name} {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "The repeat appointments{of_name} {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "The repeat appointments{of_name} {on_was} and the ones after that have been cancelled.",
    "series_relocated": (
        "The location of the repeat appointments{of_name} {on_now} and the ones after that has changed to {location}"
    ),
    "reminder": "{there_are} on {reminder_time}.{at_location}",
}

PHONE: dict[Kind, str] = {
    "created": "A telephone appointment has been made{with_name} {on_now}.",
    "moved": "The telephone appointment{of_name} {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "The telephone appointment{of_name} {on_now} is now {one}.{at_location}",
    "cancelled": "The telephone appointment{of_name} {was_clear} has been cancelled.",
    "series_created": "Repeat telephone appointments have been made{with_name} {on_now} and the ones after that{rhythm}{off}.",
    "series_moved": (
        "The repeat telephone appointments{of_name} {on_was} and the ones after that have been moved to {now}.{are_now}"
        "{at_location}"
    ),
    "series_changed": (
        "The repeat telephone appointments{of_name} {on_now} and the ones after that are now {several}.{at_location}"
    ),
    "series_cancelled": "The repeat telephone appointments{of_name} {on_was} and the ones after that have been cancelled.",
    "reminder": "{there_is} a telephone appointment on {reminder_time}.",
}

VIDEO: dict[Kind, str] = {
    "created": "A video appointment has been made{with_name} {on_now}.",
    "moved": "The video appointment{of_name} {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "The video appointment{of_name} {on_now} is now {one}.{at_location}",
    "cancelled": "The video appointment{of_name} {was_clear} has been cancelled.",
    "series_created": "Repeat video appointments have been made{with_name} {on_now} and the ones after that{rhythm}{off}.",
    "series_moved": (
        "The repeat video appointments{of_name} {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "The repeat video appointments{of_name} {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "The repeat video appointments{of_name} {on_was} and the ones after that have been cancelled.",
    "reminder": "{there_is} a video appointment on {reminder_time}.",
}

HOME: dict[Kind, str] = {
    "created": "A home visit{at_name} has been arranged {on_now}.",
    "moved": "The home visit{at_name} {on_was} has been moved to {now}.{is_now}{at_location}",
    "changed": "The home visit{at_name} {on_now} is now {one}.{at_location}",
    "cancelled": "The home visit{at_name} {was_clear} has been cancelled.",
    "series_created": "Repeat home visits{at_name} have been arranged {on_now} and the ones after that{rhythm}{off}.",
    "series_moved": (
        "The repeat home visits{at_name} {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "The repeat home visits{at_name} {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "The repeat home visits{at_name} {on_was} and the ones after that have been cancelled.",
    "reminder": "{there_is} a home visit on {reminder_time}.",
}

SENTENCES: dict[Remote | None, dict[Kind, str]] = {None: ON_SITE, "phone": PHONE, "video": VIDEO, "home": HOME}

ONE: dict[Remote | None, str] = {
    None: "an appointment at our location", "phone": "a telephone appointment", "video": "a video appointment",
    "home": "a home visit",
}  # fmt: skip
SEVERAL: dict[Remote | None, str] = {
    None: "appointments at our location", "phone": "telephone appointments", "video": "video appointments",
    "home": "home visits",
}  # fmt: skip

ENGLISH_OTHERS = Others(
    sentences=SENTENCES,
    one=ONE, several=SEVERAL,
    with_name=" for {name}", of_name=" for {name}", at_name=" to {name}", has="{name} has", there_is="There is",
    there_are={"one": "There is an appointment", "other": "There are {count} appointments"},
    subject="Message about an appointment",
    unsubscribe="Do you no longer want e-mails about this client?", unsubscribe_link="Unsubscribe from e-mails about this client",
)  # fmt: skip
