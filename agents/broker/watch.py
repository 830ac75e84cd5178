"""Run one command, and make sure that it never outlives the process that wanted it.

It runs as a script of its own between us and Java, for three reasons. The pipe on stdin closes when our process ends, however
it ends, and whichever of its threads started the broker (Linux's parent-death signal is tied to the *thread*). That signal
is set here on Java, in a process without threads, where code between fork and exec is safe: so Java also ends if this
watcher is killed. And the lock on the data folder, inherited from us, is held until Java is really gone.

It imports the standard library only: it runs with `-I -S`, in some 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, grace: float, command: list[str]) -> int:
    """Run the command until it ends, stdin closes or the parent is gone; tell its pid on stdout; give its exit code."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_watcher() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    child = subprocess.Popen(  # noqa: S603  # the command is our own
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # the log file
        preexec_fn=die_with_watcher,  # there are no threads here
    )
    print(child.pid, flush=True)  # noqa: T201  # the parent reads it
    while child.poll() is None and not asked:
        readable, _, _ = select.select([sys.stdin], [], [], 0.25)
        asked = asked or bool(readable) or os.getppid() != parent
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


if __name__ == "__main__":
    code = main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
    sys.exit(code if code >= 0 else 128 - code)
