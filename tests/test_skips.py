"""What is not run is said at the end of a run, and in CI nothing is skipped that could have run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.skipif(True, reason="nginx is not installed (Debian package nginx)")
@pytest.mark.parametrize("one", [1, 2])
def test_proxy(one): ...

@pytest.mark.skipif(True, reason="takes some minutes: make drill")
def test_drill(): ...

def test_in_the_midst():
    pytest.skip("no PostgreSQL")

def test_that_runs(): ...
"""


def run(folder: Path, *words: str, **environment: str) -> tuple[int, list[str]]:
    """The exit code, and the block of what was not run."""
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    (folder / "test_some.py").write_text(TESTS)
    ours = {name: value for name, value in os.environ.items() if name not in ("REQUIRE_ALL", "MAY_SKIP", "PYTEST_ADDOPTS")}
    ours["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them all takes longer than the tests
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-c", os.devnull, "--rootdir", ".", *words]
    done = subprocess.run(command, cwd=folder, env=ours | environment, capture_output=True, text=True, check=False)
    _, _, block = done.stdout.partition(" not run: ")
    return done.returncode, block.splitlines()[1:4]


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "beside each other"])
def test_what_was_skipped_stands_in_one_block_with_its_reason(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(tmp_path, *words) == (
        0,
        [
            "   2  nginx is not installed (Debian package nginx)",
            "   1  takes some minutes: make drill",
            "   1  no PostgreSQL",
        ],
    )


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "beside each other"])
def test_in_ci_a_test_that_could_have_run_may_not_be_skipped(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(tmp_path, *words, REQUIRE_ALL="1") == (
        1,
        [
            "   2  nginx is not installed (Debian package nginx)  <- must run here",
            "   1  takes some minutes: make drill",
            "   1  no PostgreSQL  <- must run here",
        ],
    )


def test_what_could_not_be_installed_may_be_skipped_and_nothing_else(tmp_path: Path) -> None:
    must_run = "  <- must run here"
    code, block = run(tmp_path, REQUIRE_ALL="1", MAY_SKIP="chromium nginx")

    assert (code, [line for line in block if line.endswith(must_run)]) == (1, [f"   1  no PostgreSQL{must_run}"])


@pytest.mark.parametrize(("wanted", "code"), [("runs", 0), ("drill or runs", 0), ("proxy or runs", 1)])
def test_the_run_fails_for_nothing_else(tmp_path: Path, wanted: str, code: int) -> None:
    assert run(tmp_path, "-k", wanted, REQUIRE_ALL="1")[0] == code
