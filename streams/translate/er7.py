"""An HL7 v2 message as it is written (ER7): segments, fields, repetitions, components, each found when it is asked for.

The library `hl7` reads every component of every segment first: 1.7 ms for a message of eight lines, and 5 s of the worker's one
loop for 1 MiB. What is needed here is seven fields of six segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .results import UntranslatableError

START, END = b"\x0b", b"\x1c"
"""What MLLP puts around a message; END is followed by a carriage return."""

CHARSETS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
}
"""MSH-18 (table 0211) → codec. Who names none, or ASCII, and sends more than that, sends UTF-8."""

EMPTY = '""'
"""A field that says: nothing."""

_LINE_ENDS = re.compile(r"\r\n|\n")
_CHARACTERS = re.compile(r"([0-9A-Fa-f]{2})+")


class Segment:
    """One line. Numbers count from 1, as the standard's do; what is not there is ''."""

    def __init__(self, line: str, separators: str) -> None:
        self.name = line[:3]
        self._field, self._component, self._repetition, self._escape, self._sub = tuple(separators)
        fields = line.split(self._field)
        # the first separator is itself the first field of a header
        self._fields = [fields[0], self._field, *fields[1:]] if self.name == "MSH" else fields

    def raw(self, field: int) -> str:
        """Return a field as it stands."""
        return self._fields[field] if field < len(self._fields) else ""

    def repetitions(self, field: int) -> Iterator[list[str]]:
        """Yield the components of each repetition, as they stand."""
        for repetition in self.raw(field).split(self._repetition):
            yield repetition.split(self._component)

    def get(self, field: int, component: int = 1) -> str:
        """Return the first sub-component of a component of the first repetition, its escapes undone."""
        return self.part(next(self.repetitions(field)), component)

    def part(self, components: list[str], number: int, sub: int = 1) -> str:
        """Return a sub-component of one of these components."""
        if number > len(components):
            return ""
        subs = components[number - 1].split(self._sub)
        return self._unescaped(subs[sub - 1]).strip() if sub <= len(subs) else ""

    def _unescaped(self, text: str) -> str:
        """Return a text with its escapes undone (HL7 2.7); one that says how to show it, or is unknown, is a space."""
        if self._escape not in text:
            return text
        plain = {"F": self._field, "S": self._component, "R": self._repetition, "E": self._escape, "T": self._sub}
        parts = text.split(self._escape)
        for number in range(1, len(parts) - 1, 2):
            code = parts[number]
            if code[:1] == "X" and _CHARACTERS.fullmatch(code[1:]):
                parts[number] = bytes.fromhex(code[1:]).decode("iso8859-1")
            else:
                parts[number] = plain.get(code, " ")
        return "".join(parts)


class Message:
    """The segments of one message, in order. Raises UntranslatableError where it is none.

    `unreadable`: some bytes of it are not of its character set; where they stand the text has U+FFFD.
    """

    def __init__(self, value: bytes) -> None:
        value = value.strip(b" \t\r\n" + START + END)
        if value[:3] != b"MSH" or len(value) < 9:
            raise UntranslatableError("it is no HL7 v2 message: it does not begin with MSH", "MSH")
        text, self.unreadable = _decoded(value)
        text = _LINE_ENDS.sub("\r", text)
        head = text[3:8]
        if len(set(head)) < 5 or any(one.isalnum() or ord(one) < 32 for one in head) or text[8] != head[0]:
            head = _short(text)
        self.segments = [Segment(line, head) for line in text.split("\r") if len(line) >= 3]
        self.header = self.segments[0]
        if sum(segment.name == "MSH" for segment in self.segments) > 1:
            raise UntranslatableError("more than one message", "MSH")

    def all(self, name: str) -> list[Segment]:
        """Return the segments of that name."""
        return [segment for segment in self.segments if segment.name == name]


def _short(text: str) -> str:
    """Return the separators of a header that names fewer or more of them than the usual four."""
    field = text[3]
    named = text[4:].split(field, 1)[0]
    separators = field + (named + "^~\\&"[len(named) :])[:4]
    if not named or len(set(separators)) < 5 or any(one.isalnum() or ord(one) < 32 for one in separators):
        raise UntranslatableError("these are no separators", "MSH-2")
    return separators


def _decoded(value: bytes) -> tuple[str, bool]:
    """Return the text, by the character set that it names itself, and whether some of it cannot be read.

    A name in the wrong set must cost nobody an appointment: what is an id is refused where it stands, a word left out.
    """
    header = value.split(b"\r", 1)[0].split(b"\n", 1)[0].split(value[3:4])
    named = header[17].split(value[5:6] or b"~")[0].strip().decode("ascii", "replace").upper() if len(header) > 17 else ""
    codec = CHARSETS.get(named)
    if codec is None:
        raise UntranslatableError("a character set that is not known here", "MSH-18")
    try:
        return value.decode(codec), False
    except UnicodeDecodeError:
        return value.decode(codec, "replace"), True
