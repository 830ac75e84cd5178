"""What a message of HL7 v2 is answered with: AA, or AR for what can never be ours. Whatever else it says, we take it.

The header is read without a look at the rest: a message that the translator refuses was received all the same, and its answer
must say which one it answers (MSA-2 is its MSH-10), with its own separators and in its own bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from schemas.wire import BadRecordError, Id, check
from streams.translate.er7 import Message
from streams.translate.results import UntranslatableError, own_id

Code = Literal["AA", "AR"]

BYTES = "iso8859-1"
"""Reads any bytes as characters, and writes them back as they were."""

LONGEST = 300
"""Characters of a field that is given back."""


class Header:
    """The first line of a message, field by field; Latin-1 stands for bytes."""

    def __init__(self, message: bytes) -> None:
        line = message.lstrip(b" \t\r\n")[: 1 << 16].split(b"\r", 1)[0].split(b"\n", 1)[0].decode(BYTES)
        self.is_one = line[:3] == "MSH" and len(line) > 8 and not line[3].isalnum()
        self.separator = line[3] if self.is_one else "|"
        self._fields = ["MSH", self.separator, *line.split(self.separator)[1:]] if self.is_one else []
        self.named = self.get(2) or "^~\\&"

    def get(self, number: int) -> str:
        """Return a field as it stands."""
        return self._fields[number][:LONGEST] if number < len(self._fields) else ""

    def part(self, number: int, component: int = 1) -> str:
        """Return a component of a field."""
        parts = self.get(number).split(self.named[0])
        return parts[component - 1].strip() if component <= len(parts) else ""


def refusal(header: Header, facilities: list[str]) -> str | None:
    """Say why a message can never be ours; None where it may be."""
    if not header.is_one:
        return "it does not begin with MSH"
    if header.part(9) != "SIU":
        return "only SIU is taken here"
    if facilities and header.part(4) not in facilities:
        return "this facility is not permitted here"
    return None


def answer(header: Header, code: Code, now: datetime, text: str = "") -> bytes:
    """Return the acknowledgement."""
    between, component = header.separator, header.named[0]
    kind = component.join(one for one in ("ACK", header.part(9, 2), "ACK") if one)
    control = header.get(10)
    head = [
        "MSH", header.named, header.get(5), header.get(6), header.get(3), header.get(4), f"{now:%Y%m%d%H%M%S}+0000", "", kind,
        control, header.get(11) or "P", header.get(12) or "2.5", "", "", "", "", "", header.get(18),
    ]  # fmt: skip
    said = ["MSA", code, control, *([text] if text else [])]
    return "".join(f"{between.join(line).rstrip(between)}\r" for line in (head, said)).encode(BYTES)


def key_of(organisation: str, message: bytes, header: Header) -> str:
    """Return the key of a message on its topic: of one appointment all have the same, so that they stay in their order."""
    try:
        (sch,) = Message(message).all("SCH")
        id_ = own_id(sch.get(2).strip('"') or sch.get(1), "SCH-2")
        return f"{organisation}/{check(Id, id_)}"
    except (UntranslatableError, ValueError, BadRecordError):
        control = "".join(one for one in header.get(10) if one.isalnum())
        return f"{organisation}/{control or '-'}"
