"""The image: all that is fetched for it has its hash in a lock that agrees with `requirements.lock`, and it says its commit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agents.revision import revision

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("web", "postgres", "analysis", "rocksdb")
"""What the settings and commands of production need: the web service, its database, `--format parquet`, `STORE=rocksdb`."""
ANEW = "run `make lock` and look at the difference"

Lock = dict[str, tuple[str, frozenset[str]]]
"""Name -> version, hashes."""


def locked(path: Path) -> Lock:
    found: Lock = {}
    for block in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        head = re.match(r"([a-z0-9.-]+)==([^ ;]+)", block)
        if head:
            found[head[1]] = (head[2], frozenset(re.findall(r"--hash=(\S+)", block)))
    return found


def needed(wanted: list[str]) -> set[str]:
    """These requirements and all of theirs, as what is installed says, on this system."""
    found: set[str] = set()
    waiting = [(Requirement(one), "") for one in wanted]
    while waiting:
        one, extra = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        if name not in found or one.extras:
            found.add(name)
            theirs = [Requirement(text) for text in requires(name) or ()]
            waiting += [(each, within) for within in ("", *one.extras) for each in theirs]
    return found


def image_requirements() -> list[str]:
    project = PROJECT["project"]
    return [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]


@pytest.mark.parametrize("name", ["image.lock", "build.lock"])
def test_a_lock_of_the_image_has_the_versions_and_hashes_of_the_lock_that_is_tested(name: str) -> None:
    tested = locked(ROOT / "requirements.lock")

    assert locked(DEPLOY / name) == {one: tested[one] for one in locked(DEPLOY / name)}, ANEW
    assert all(hashes for _, hashes in locked(DEPLOY / name).values())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("image.lock", image_requirements()), ("build.lock", PROJECT["dependency-groups"]["build"])],
    ids=["what runs", "what builds"],
)
def test_a_lock_of_the_image_has_all_that_is_needed_of_what_the_project_names(name: str, wanted: list[str]) -> None:
    elsewhere = {"colorama", "async-timeout"}  # on Windows, and before Python 3.11.3

    assert set(locked(DEPLOY / name)) - elsewhere == needed(wanted) - elsewhere, ANEW


def test_what_builds_us_is_what_our_lock_of_builds_names() -> None:
    assert set(PROJECT["build-system"]["requires"]) <= set(PROJECT["dependency-groups"]["build"])


def test_the_makefile_locks_the_extras_that_the_image_is_to_have() -> None:
    named = re.search(r"^IMAGE := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert named is not None
    assert named[1].split() == list(EXTRAS)


@pytest.mark.parametrize("path", [DEPLOY / "Dockerfile", ROOT / "Makefile"], ids=["Dockerfile", "Makefile"])
def test_nothing_is_installed_that_no_hash_names_and_no_build_fetches_anything(path: Path) -> None:
    text = path.read_text().replace("$(PIP)", "pip").replace("\\\n", " ")
    commands = re.findall(r"\bpip (?:install|wheel)\b[^&\n]*", text)
    free = [
        one for one in commands if not re.search(r"--require-hashes|--no-deps|install --quiet uv$", one)
    ]  # uv makes the locks
    isolated = [
        one for one in commands if re.search(r"image.lock|requirements.lock| \. | -e ", one) and "--no-build-iso" not in one
    ]

    assert len(commands) >= 3
    assert (free, isolated) == ([], [])


def test_the_image_is_labelled_with_the_commit_and_the_version() -> None:
    final = DOCKERFILE.split("\nFROM ")[2]

    assert "ARG REVISION=\n" in final
    assert "org.opencontainers.image.revision=${REVISION}\n" in final
    assert "ARG VERSION=\n" in final
    assert "org.opencontainers.image.version=${VERSION} " in final
    assert 'SETUPTOOLS_SCM_PRETEND_VERSION="${VERSION:-0.0.0}"' in DOCKERFILE.split("\nFROM ")[1]
    assert 'REVISION: "${REVISION:-}"' in (DEPLOY / "compose.yaml").read_text()


def test_the_wheel_says_its_commit_though_git_does_not_have_the_file(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "agents" / "REVISION").write_text("61a36ae61a36\n")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=tmp_path, check=True, capture_output=True)

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extract("agents/REVISION", tmp_path / "unpacked")
    assert revision(tmp_path / "unpacked" / "agents" / "REVISION") == "61a36ae61a36"


def test_what_was_not_built_as_a_wheel_has_no_commit(tmp_path: Path) -> None:
    (tmp_path / "EMPTY").write_text("")

    assert [revision(tmp_path / name) for name in ("EMPTY", "MISSING")] == ["-", "-"]


def test_no_hint_names_a_package_of_a_public_index_that_is_not_ours() -> None:
    """Nobody may be led to install `afspraakbericht` from there: whoever registers that name would run code in production."""
    texts = [*ROOT.glob("*.md"), *DEPLOY.rglob("*.md"), *(ROOT / "agents").rglob("*.py")]
    hints = re.compile(r"install (?:--?\S+ )*['\"]?afspraakbericht\b(?!-)(?![^\n]*\.whl)")

    assert {str(path): found for path in texts if (found := hints.findall(path.read_text()))} == {}


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("USER 10001:10001\n", "USER root\n"))
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)

    assert "DL3002" in done.stdout
