"""The languages that messages are in: a file of words each."""

from __future__ import annotations

from schemas.languages import DEFAULT, Language

from .dutch import DUTCH
from .english import ENGLISH
from .wording import Wording

WORDINGS: dict[Language, Wording] = {"nl": DUTCH, "en": ENGLISH}


def wording_of(language: Language | None) -> Wording:
    """Return the words of a language; None: of that which needs no setting."""
    return WORDINGS[language or DEFAULT]
