"""Keep cells of a CSV from being taken for formulas."""

from __future__ import annotations

import unicodedata

_BEGINS = frozenset("=+-@|%\N{MINUS SIGN}")
"""With what a formula, or a call of another program, begins in one spreadsheet or another."""

_UNSEEN = ("Z", "C", "M")
"""Categories of Unicode of which a reader sees nothing, so that a spreadsheet may drop them: spaces, controls, formats, marks."""

_BLANK = frozenset(
    "\N{HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HALFWIDTH HANGUL FILLER}\N{BRAILLE PATTERN BLANK}"
)
"""Letters and signs that look like nothing."""


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, whatever unseen stands before it and however wide it is written."""
    for character in cell:
        if unicodedata.category(character) == "Cc":  # a tab or a line's end: what follows may begin a cell of its own
            return f"'{cell}"
        if unicodedata.category(character)[0] not in _UNSEEN and character not in _BLANK:
            return f"'{cell}" if unicodedata.normalize("NFKC", character)[0] in _BEGINS else cell
    return cell
