"""A form's body to its fields: both encodings that browsers and mailbox providers use."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.errors import MessageError
from urllib.parse import parse_qsl

MOST_FIELDS = 100


class NotAFormError(Exception):
    """The body is not what its content type says; `status` is 415 where the type itself is not a form's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields; of one that comes twice the first. `content_type` is the header, with its parameters."""
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
    """As MIME, whose parts these are; a file's content counts as text."""
    if not content_type.isascii() or "\r" in content_type or "\n" in content_type:
        raise NotAFormError(400)
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    found: dict[str, str] = {}
    try:
        message = message_from_bytes(head + body, policy=policy.HTTP)
        if not message.is_multipart() or message.defects:
            raise NotAFormError(400)
        parts = list(message.iter_parts())
        if len(parts) > MOST_FIELDS:
            raise NotAFormError(400)
        for part in parts:
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(content, bytes):
                raise NotAFormError(400)
            found.setdefault(name, content.decode())
    except (MessageError, ValueError, LookupError, TypeError):
        raise NotAFormError(400) from None
    return found
