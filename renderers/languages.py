"""The languages that messages are in: a file of words each."""

from __future__ import annotations

from functools import lru_cache

from schemas.deliveries import Delivery
from schemas.keys import is_employee
from schemas.languages import DEFAULT, Language

from .dutch import DUTCH
from .english import ENGLISH
from .wording import Wording

WORDINGS: dict[Language, Wording] = {"nl": DUTCH, "en": ENGLISH}


def wording_of(language: Language | None) -> Wording:
    """Return the words of a language; None: of that which needs no setting."""
    return WORDINGS[language or DEFAULT]


def wording_for(delivery: Delivery, call_name: str | None = None) -> Wording:
    """Return the words of a message: in its language, and for whom it is; `call_name`: how others may read the client called."""
    if is_employee(delivery.recipient):
        return _for_employees(delivery.language)
    return _for_others(delivery.language, call_name) if delivery.recipient else wording_of(delivery.language)


@lru_cache
def _for_employees(language: Language | None) -> Wording:
    return wording_of(language).for_employees()


@lru_cache(maxsize=256)
def _for_others(language: Language | None, call_name: str | None) -> Wording:
    return wording_of(language).for_others(call_name)
