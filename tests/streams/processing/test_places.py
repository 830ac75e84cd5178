"""Names of places: which are said, and which are addresses, that never are."""

from __future__ import annotations

import pytest

from streams.processing.places import said_place

SAID = [
    "De Linde", "De Boom", "Kamer 12", "Kamer 1.12", "Gebouw 3", "Gebouw A3, kamer 2", "Route 45", "Polikliniek", "Poli 4B",
    "Gebouw 1234", "Vleugel B, 2e verdieping", "Locatie Parallelweg", "Kerkplein", "Zorgcentrum De Singel", "Dijk en Duin 3",
    "De Wegwijzer 3", "Ring 1940", "SS 1940 SS", "Huis 1234 SA", "Zaal 2000 SD", "Postbus 12", "Het Laantje 4", "Straatzicht 2",
    "Ziekenhuis Oost, ingang Dreef", "Kerkweg, 2e verdieping", "Afdeling 12 AB", "Lokaal 0123 AB",
]  # fmt: skip
ADDRESSES = [
    "Parallelweg 2, 7141 DC Groenlo", "Parallelweg 2", "7141 DC", "7141DC Groenlo", "Groenlo 7141 DC", "Kerkstraat 12",
    "Kerkstraat 12a", "Kerkstraat, 12", "Kerkstraat nr. 12", "Kerkstraat nummer 12", "KERKSTRAAT 12", "Kerkstraat12",
    "De Linde, Beatrixlaan 4-6", "Laan van Meerdervoort 12", "Stationsplein 1", "Oude Gracht 200", "Prinsengracht 263",
    "Oostzeedijk 10", "Maliesingel 3", "Spaarnekade 1", "Karspeldreef 2", "1e Oosterparkstraat 12 II", "De Boom (Kerkstraat 12)",
]  # fmt: skip


@pytest.mark.parametrize("place", SAID)
def test_the_name_of_a_place_is_said(place: str) -> None:
    assert said_place(place) == place


@pytest.mark.parametrize("place", ADDRESSES)
def test_an_address_is_not_said(place: str) -> None:
    assert said_place(place) is None


def test_the_golden_list_has_fifty_names() -> None:
    assert len({*SAID, *ADDRESSES}) == 50
