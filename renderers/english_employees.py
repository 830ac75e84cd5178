"""English, for employees: of their own agenda, and nothing of whose appointment it is."""

from __future__ import annotations

from schemas.events import Remote
from schemas.notices import Kind

from .english_others import ONE, SEVERAL
from .wording import Colleagues

ON_SITE: dict[Kind, str] = {
    "created": "There is an appointment in your diary {on_now}.{at_location}",
    "moved": "The appointment in your diary {on_was}{was_place} has been moved to {now}.{is_now}{at_location}",
    "changed": "The appointment in your diary {on_now}{was_place} is now {one}.{at_location}",
    "cancelled": "The appointment in your diary {was_clear}{was_place} has been cancelled.",
    "relocated": "The location of the appointment in your diary {on_now}{was_place} has changed to {location}",
    "series_created": "There are repeat appointments in your diary {on_now} and the ones after that{rhythm}{off}.{at_location}",
    "series_moved": (
        "The repeat appointments in your diary {on_was} and the ones after that have been moved to {now}.{are_now}{at_location}"
    ),
    "series_changed": "The repeat appointments in your diary {on_now} and the ones after that are now {several}.{at_location}",
    "series_cancelled": "The repeat appointments in your diary {on_was} and the ones after that have been cancelled.",
    "series_relocated": (
        "The location of the repeat appointments in your diary {on_now} and the ones after that has changed to {location}"
    ),
}


def _remote(one: str) -> dict[Kind, str]:
    """Return the sentences of what is not on site: they name no place but that of what it becomes."""
    return {
        "created": f"There is a {one} in your diary {{on_now}}.",
        "moved": f"The {one} in your diary {{on_was}} has been moved to {{now}}.{{is_now}}{{at_location}}",
        "changed": f"The {one} in your diary {{on_now}} is now {{one}}.{{at_location}}",
        "cancelled": f"The {one} in your diary {{was_clear}} has been cancelled.",
        "series_created": f"There are repeat {one}s in your diary {{on_now}} and the ones after that{{rhythm}}{{off}}.",
        "series_moved": (
            f"The repeat {one}s in your diary {{on_was}} and the ones after that have been moved to {{now}}."
            "{are_now}{at_location}"
        ),
        "series_changed": (
            f"The repeat {one}s in your diary {{on_now}} and the ones after that are now {{several}}.{{at_location}}"
        ),
        "series_cancelled": f"The repeat {one}s in your diary {{on_was}} and the ones after that have been cancelled.",
    }


SENTENCES: dict[Remote | None, dict[Kind, str]] = {
    None: ON_SITE,
    "phone": _remote("telephone appointment"),
    "video": _remote("video appointment"),
    "home": _remote("home visit"),
}

ENGLISH_EMPLOYEES = Colleagues(
    sentences=SENTENCES,
    one=ONE, several=SEVERAL,
    subject="Changes in your diary",
    unsubscribe="Do you no longer want e-mails about your diary?",
    unsubscribe_link="Unsubscribe from e-mails about your diary",
)  # fmt: skip
