"""In which language a client is told."""

from __future__ import annotations

from schemas.inputs import Consent, Organisation
from schemas.languages import DEFAULT, Language


def language_of(organisation: Organisation | None, consent: Consent | None) -> Language | None:
    """Return the language of messages: the client's, whatever its region, where the organisation uses it, else its first.

    None: that which needs no setting. It words what is decided, and decides nothing.
    """
    used = (organisation.languages or [DEFAULT]) if organisation is not None else [DEFAULT]
    asked = (consent.language or "").lower().partition("-")[0] if consent is not None else ""
    language = next((one for one in used if one == asked), used[0])
    return None if language == DEFAULT else language
