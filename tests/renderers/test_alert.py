"""What an organisation reads where unusually much goes out."""

from __future__ import annotations

from datetime import timedelta

from renderers.alert import alert
from tests.world import at

TEN = timedelta(minutes=10)


def test_it_says_how_much_since_when_and_what_to_do() -> None:
    mail = alert(
        "De Linde & co", "Europe/Amsterdam", "direct", at("2026-03-29 12:00"), TEN, 540, 30, "https://o.example/tegenhouden"
    )
    assert mail.plain == (
        "Beste beheerder van De Linde & co,\n\n"
        "Op 29-03-2026 gingen er tussen 12:00 en 12:10 uur minstens 540 berichten over afspraken naar uw cliënten. In de 35 "
        "dagen daarvoor waren dat er in tien minuten nooit meer dan 30.\n\n"
        "Klopt dat niet? Houd de berichten dan tegen op https://o.example/tegenhouden. Herstel daarna de fout in uw ECD. Over "
        "wat dan weer is zoals het was, gaat geen bericht.\n\n"
        "Klopt het wel? Dan hoeft u niets te doen.\n"
    )
    assert "<p>Beste beheerder van De Linde &amp; co,</p>" in mail.html
    assert "<ul>" not in mail.html


def test_of_one_whose_first_messages_they_are_and_without_an_address_of_the_pages() -> None:
    mail = alert("De Linde", "Europe/Amsterdam", "request", at("2026-03-29 12:00"), TEN, 540, 0, None)
    assert (
        "minstens 540 berichten van andere partijen naar uw cliënten. In de 35 dagen daarvoor gingen er geen uit." in mail.plain
    )
    assert "Houd de berichten dan tegen. Herstel" in mail.plain
