"""Exit codes of the long-running processes. A supervisor restarts all but `REFUSED` (deploy/RUNBOOK.md "Exit codes")."""

from __future__ import annotations

import errno
import logging
import os
from typing import NoReturn

REFUSED = 2
"""It cannot start, and trying again does not help: a setting, a package, or something that a person has to decide."""

STOPPED = 70
"""It stopped itself rather than go on wrongly (EX_SOFTWARE). A restart reads what is durable and goes on from there."""

NOT_YET = 75
"""What it needs is not there yet (EX_TEMPFAIL): a broker, a topic, a login, a database, a port. Try again."""

INTERRUPTED = 130
"""Ctrl-C ended a command in the middle (128 and the number of SIGINT, as shells have it)."""

PASSING = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""What keeps us from a port for a while: a process that is just ending, an address that comes with the network."""


def of_port(error: OSError) -> int:
    """Return the exit code of a process that cannot listen."""
    return NOT_YET if error.errno in PASSING else REFUSED


def leave(code: int) -> NoReturn:
    """End the process now, once its log lines are out. Python's own teardown takes seconds, and nothing here needs it."""
    logging.shutdown()
    os._exit(code)


def reason(error: OSError) -> str:
    """Return the system's own words: asyncio puts others before them, which are different from one Python to the next."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
