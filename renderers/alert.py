"""What an organisation reads when unusually many messages go out to its clients."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .email import EmailText, letter

SUBJECT = "Er gaan ongewoon veel berichten uit"

WHAT = {"direct": "berichten over afspraken", "request": "berichten van andere partijen"}
"""By the reason of the messages."""


def alert(
    name: str, time_zone: str, reason: str, begin: datetime, length: timedelta, messages: int, most: int, page: str | None
) -> EmailText:
    """Return the e-mail. `most`: what was the most until then; `page`: where messages are held, where that is known."""
    zone = ZoneInfo(time_zone)
    since, until = begin.astimezone(zone), (begin + length).astimezone(zone)
    where = f" op {page}" if page is not None else ""
    before = (
        f"In de 35 dagen daarvoor waren dat er in tien minuten nooit meer dan {most}."
        if most
        else "In de 35 dagen daarvoor gingen er geen uit."
    )
    said = f"minstens {messages} {WHAT[reason]} naar uw cliënten"
    return letter(
        SUBJECT,
        f"Beste beheerder van {name},\n\n"
        f"Op {since:%d-%m-%Y} gingen er tussen {since:%H:%M} en {until:%H:%M} uur {said}. {before}\n\n"
        f"Klopt dat niet? Houd de berichten dan tegen{where}. Herstel daarna de fout in uw ECD. Over wat dan weer is zoals het "
        "was, gaat geen bericht.\n\n"
        "Klopt het wel? Dan hoeft u niets te doen.",
    )
