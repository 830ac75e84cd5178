"""Read a form's fields from its body, in both encodings that browsers and mailbox providers use."""

from __future__ import annotations

import re
from io import BytesIO
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser

MOST_FIELDS = 120

HEADER_MOST = 1024
"""Bytes of a part's headers."""

_BOUNDARY = re.compile(r'(?i);\s*boundary="?([\w\'()+,./:=? -]{1,70})"?\s*(?:;|$)', re.ASCII)


class NotAFormError(Exception):
    """The body is not what its content type says; `status` is 415 where the type itself is not a form's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields; of a field that comes twice, the first. `content_type` is the header, with its parameters."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    raise NotAFormError(415)


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise NotAFormError(400) from None
    return dict(reversed(pairs))


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    """Read the parts as MIME; a file's content counts as text."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise NotAFormError(400)
    found: dict[str, str] = {}
    try:
        parser = MultipartParser(
            BytesIO(body), boundary[1], len(body), strict=True, part_limit=MOST_FIELDS, headersize_limit=HEADER_MOST
        )
        for part in parser:
            found.setdefault(part.name, part.raw.decode())
            part.close()
    except (MultipartError, ValueError):
        raise NotAFormError(400) from None
    return found
