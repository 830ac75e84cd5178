"""A planner as hospitals have them: it sends HL7 v2 over MLLP, and waits until it is answered."""

from __future__ import annotations

import asyncio

from ..mllp.frames import framed, read_frame

SECONDS = 30.0
"""How long the listener may take to start, and an answer to come."""


async def send(port: int, message: bytes) -> str:
    """Send a message to this machine's listener; return what it answers: `AA`, `AE`, `AR`, or `nothing` where it closes.

    Raises TimeoutError where no listener starts in time, FrameError where what comes is no answer.
    """
    reader, writer = await asyncio.wait_for(_connected(port), SECONDS)
    try:
        writer.write(framed(message))
        answer = await read_frame(reader, SECONDS) or b""
    finally:
        writer.close()
    return answer.partition(b"\rMSA|")[2].partition(b"|")[0].decode() or "nothing"


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.2)
