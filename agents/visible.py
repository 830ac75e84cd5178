"""Show control characters of texts and ids, so that a terminal does not obey them: an organisation's template is no command."""

from __future__ import annotations

import re
from typing import Any

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
"""C0 but for tab and line breaks, DEL, C1, and what turns the direction of writing."""


def visible(text: str) -> str:
    r"""Return the text with each of them as `\u001b`, as JSON writes it: so JSON stays JSON, and means the same."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Visible:
    """A text stream that writes `visible` text; all else is the stream's own, its `buffer` too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write it; return how many characters it had."""
        self._stream.write(visible(text))
        return len(text)
