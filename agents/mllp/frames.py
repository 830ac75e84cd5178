"""MLLP's frame (HL7 v2, Transport, release 1): a start byte, the message, an end byte and a carriage return.

The library `hl7` has a listener; it holds no bound on a frame's bytes or time.
"""

from __future__ import annotations

import asyncio

from streams.translate.er7 import END, START

MOST = 1 << 20
"""Bytes of a message: what the topic takes."""

HEAD = 4096
"""Bytes of a message that is too large, from which its header is read."""


class FrameError(Exception):
    """What comes is no frame. `reason`: one of the metrics' words; `head`: how the message begins, where that is known."""

    def __init__(self, reason: str, head: bytes = b"") -> None:
        super().__init__(reason)
        self.reason, self.head = reason, head


async def read_frame(reader: asyncio.StreamReader, seconds: float) -> bytes | None:
    """Return the next message, or None where the other end has closed between two. `reader` has the limit `MOST`.

    Raises:
        FrameError: bytes before the start, no end within `seconds`, or more than `MOST`; or it was cut off.
    """
    first = b" "
    while first in (b"\r", b"\n", b" "):  # a connection may be silent for hours
        first = await reader.read(1)
    if not first:
        return None
    if first != START:
        raise FrameError("frame")
    try:
        async with asyncio.timeout(seconds):
            return (await reader.readuntil(END + b"\r"))[: -len(END + b"\r")]
    except asyncio.LimitOverrunError as error:
        raise FrameError("large", await reader.read(min(error.consumed, HEAD))) from None
    except asyncio.IncompleteReadError:
        raise FrameError("frame") from None
    except TimeoutError:
        raise FrameError("slow") from None


def framed(message: bytes) -> bytes:
    """Return a message in its frame."""
    return START + message + END + b"\r"
