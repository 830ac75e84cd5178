"""What a text costs as SMS: GSM-7 or UCS-2, in how many parts (3GPP TS 23.038 alphabet, TS 23.040 concatenation).

A text of GSM-7 characters alone takes 160 septets, any other character makes the whole message UCS-2 of 70 UTF-16 code
units. A longer one is sent in parts of 153 septets or 67 code units each; neither an escape pair (two septets) nor a
surrogate pair (two code units) is split, so parts are filled one by one instead of divided.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic table, one septet each, in order; ESC is left out, as it is no character that can be sent."""

EXTENDED = "\f^{}\\[~]|€"
"""The extension table: two septets each, ESC and a code."""

_EXTENDED = re.compile(f"[{re.escape(EXTENDED)}]")
_GSM7 = re.compile(f"[{re.escape(BASIC + EXTENDED)}]*")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")

Encoding = Literal["GSM-7", "UCS-2"]

LIMITS: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""Units of a message of one part, and of each part of a longer one."""


class Measure(NamedTuple):
    """What a text takes: `units` are septets of GSM-7, UTF-16 code units of UCS-2, without the headers of parts."""

    encoding: Encoding
    parts: int
    units: int


class Costly(NamedTuple):
    """A character that makes a text dearer, how often it is there, and why it costs."""

    character: str
    times: int
    why: str


def is_gsm7(text: str) -> bool:
    """Tell whether the text can be sent as GSM-7 as it is."""
    return _GSM7.fullmatch(text) is not None


def measure(text: str) -> Measure:
    """Measure encoding, parts and units of a text as it is: nothing is replaced. An empty text is one part."""
    encoding, units, _ = _weigh(text)
    parts = 1 if units <= LIMITS[encoding][0] else len(split(text))
    return Measure(encoding, parts, units)


def split(text: str) -> list[str]:
    """Return the parts in which a text goes out; joined they are the text."""
    encoding, units, double = _weigh(text)
    single, limit = LIMITS[encoding]
    if units <= single:
        return [text]
    if units == len(text):
        return [text[start : start + limit] for start in range(0, units, limit)]
    parts, start, used = [], 0, 0
    for at, character in enumerate(text):
        size = 2 if double.match(character) else 1
        if used + size > limit:
            parts.append(text[start:at])
            start, used = at, 0
        used += size
    return [*parts, text[start:]]


def _weigh(text: str) -> tuple[Encoding, int, re.Pattern[str]]:
    """Return encoding, units, and which characters take two of them."""
    encoding: Encoding = "GSM-7" if is_gsm7(text) else "UCS-2"
    double = _EXTENDED if encoding == "GSM-7" else _ASTRAL
    return encoding, len(text) + len(double.findall(text)), double


def costly(text: str) -> list[Costly]:
    """Return the distinct characters that force UCS-2, or where none does, those that count double; in order of appearance."""
    encoding, _, double = _weigh(text)
    if encoding == "GSM-7":
        return [Costly(c, text.count(c), "counts double") for c in dict.fromkeys(double.findall(text))]
    outside = dict.fromkeys(c for c in text if not is_gsm7(c))
    return [Costly(c, text.count(c), "not in GSM-7: makes the whole message UCS-2") for c in outside]


_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("’‘‚‛′‹›", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−•‣", "-"),
        **dict.fromkeys("\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u0085\u2028\u2029", "\n"),
        **dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff", ""),  # soft hyphen, zero width, marks of direction
        **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),  # what turns all that follows
        "…": "...",
        "‥": "..",
        "⁄": "/",
    }
)
"""What the eye reads the same: word processors and web pages bring these, and each would make the message UCS-2."""

_IDLE_JOINER = re.compile("(?<![\u0590-\U0010ffff])[\u200c\u200d]+")
"""Joiners that join nothing. After an emoji or a letter of a script that joins they carry meaning."""

_SPELLED = str.maketrans(
    {
        **dict.fromkeys("´`ˋˊʼ", "'"),
        **{"œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L"},
        **{"ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ẞ": "SS"},
        **{"×": "x", "÷": "/", "·": ".", "°": "o", "©": "(c)", "®": "(r)", "™": "(tm)", "¢": "c"},
    }
)
"""What is written in another way where every character must be GSM-7; anything else loses its diacritics or is a `?`."""


def to_gsm7(text: str, *, keep_rest: bool = True) -> str:
    """Return the text with what is not GSM-7 made so: where the meaning stays, or with `keep_rest=False` everywhere.

    Characters of GSM-7 are never touched. With `keep_rest` a `ë` or an emoji stays, and the message becomes UCS-2;
    without it `ë` becomes `e` and what has no likeness `?`. Normalised to NFC: a decomposed `é` is not in the alphabet,
    the composed one is.
    """
    if is_gsm7(text):
        return text
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC)
    text = unicodedata.normalize("NFC", _IDLE_JOINER.sub("", text))
    if keep_rest or is_gsm7(text):
        return text
    return "".join(c if is_gsm7(c) else _likeness(c) for c in text.translate(_SPELLED))


@lru_cache(maxsize=1024)
def _likeness(character: str) -> str:
    """Return GSM-7 characters for one that is not: without its diacritics, or `?`; nothing for a mark or control."""
    if unicodedata.category(character) in ("Mn", "Me", "Cc", "Cf"):
        return ""
    decomposed = unicodedata.normalize("NFKD", character).translate(_TYPOGRAPHIC).translate(_SPELLED)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    without_marks = plain != decomposed
    return plain if is_gsm7(plain) and (plain.isalpha() or not without_marks) else "?"
