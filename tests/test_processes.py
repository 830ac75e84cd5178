"""Tests of one file share what takes long to make, so they run in one process, whatever pytest makes of groups."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = """
import os
import pathlib
import pytest

@pytest.mark.parametrize("number", range(8))
def test_some(number):
    (pathlib.Path(__file__).parent / f"ran-{number}").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_a_file_is_run_by_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    here = Path(__file__).parent
    parallel = re.search(r"^PARALLEL := (.+)$", (here.parent / "Makefile").read_text(), re.MULTILINE)
    assert parallel is not None
    shutil.copy(here / "conftest.py", tmp_path)
    words = ["-p", "xdist", "-n", "2", *parallel[1].split(), "-c", os.devnull, "--rootdir", "."]
    command = [sys.executable, "-m", "pytest", "-q", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    ran = [path.read_text() for path in sorted(tmp_path.glob("ran-*"))]
    assert (done.returncode, len(ran), len(set(ran))) == (0, 8, 1), done.stdout + done.stderr
