"""The name of a place as it is said, whatever upstream makes of it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from schemas.events import Remote

PLACE = 200
"""Characters of a place."""

_JOINERS = "\u200c\u200d"
"""Format characters without which some scripts cannot be written."""


def spoken(place: str) -> str | None:
    """Return a place as it is said: NFC, one space for any white space, no invisible controls, cut at a word; None: blank."""
    if not (place.isascii() and place.isprintable()):  # else there is nothing to compose, and no control
        kept = [one for one in unicodedata.normalize("NFC", place) if unicodedata.category(one) != "Cf" or one in _JOINERS]
        place = "".join([" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in kept])
    words = " ".join(place.split())
    if len(words) > PLACE:
        words = words[: PLACE + 1].rpartition(" ")[0] or words[:PLACE]
    return words or None


AddressSign = Literal["postcode", "street", "home"]

_POSTCODE = re.compile(r"(?<!\w)[1-9][0-9]{3} ?(?!SA|SD|SS)[A-Z]{2}(?!\w)")
_STREET = re.compile(
    r"(?i)(?:straat|weg|laan|plein|kade|gracht|singel|dijk|dreef)"
    r"(?: (?:van|naar) [^0-9,;()]*?)?"  # Laan van Meerdervoort 12
    r"[,.]? ?(?:\b(?:nr|no)\.? ?|\bnummer )?(?![0-9]+(?:e|ste|de) (?:verdieping|etage))[0-9]"
)


@lru_cache(maxsize=65_536)
def address_in(place: str) -> AddressSign | None:
    """Return by what a place, as it is said, is known to be an address, which is never said; None: it is a name.

    A Dutch postcode, or a word that ends as the names of streets do with a number behind it. What might be either is an address.
    """
    if _POSTCODE.search(place):
        return "postcode"
    return "street" if _STREET.search(place) else None


def sign_of_address(place: str | None, kind: Remote | None) -> AddressSign | None:
    """Return by what the place of an appointment is known to be an address: at home it always is one."""
    if place is None:
        return None
    return "home" if kind == "home" else address_in(place)


@lru_cache(maxsize=65_536)
def said_place(place: str | None, kind: Remote | None = None) -> str | None:
    """Return a place as it is said; None where there is none, or an address. Only of what is on site it is said."""
    if kind is not None:
        return None
    name = spoken(place) if place is not None else None
    return name if name is not None and address_in(name) is None else None
