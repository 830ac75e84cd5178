"""The languages that messages can be in."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["nl", "en"]
"""`renderers/languages.py` has the words of each."""

LANGUAGES: tuple[Language, ...] = get_args(Language)

DEFAULT: Language = "nl"
