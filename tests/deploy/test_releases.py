"""Versions come from git and are prepared by `make release`; what is said to be supported is what is tried."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

from .test_manifests import OLDEST

ROOT = Path(__file__).parent.parent.parent
RELEASES = (ROOT / "deploy" / "RELEASES.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed (Debian package git)")


def ours(folder: Path) -> None:
    for name in ("pyproject.toml", "README.md", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    (folder / "agents").mkdir()
    (folder / "agents" / "__init__.py").write_text("")


def git(folder: Path, *words: str) -> None:
    names = {f"GIT_{who}_{what}": "tests@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *words], cwd=folder, env=environment | names, check=True, capture_output=True)


def committed(folder: Path, *tags: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "one")
    for tag in tags:
        git(folder, "tag", "--annotate", tag, "--message", tag)


def hatch(folder: Path, *words: str, **more: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SETUPTOOLS_SCM"))}
    command = [sys.executable, "-m", "hatchling", *words]
    done = subprocess.run(command, cwd=folder, env=environment | more, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_version_is_the_tags_and_an_sdist_keeps_it(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    ours(clone)
    git(clone, "init", "--quiet")
    committed(clone)
    without_tags = hatch(clone, "version")
    committed(clone, "v1.2.3")
    tagged = hatch(clone, "version")
    hatch(clone, "build", "-t", "sdist", "-d", str(tmp_path))
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    committed(clone)
    after = hatch(clone, "version")

    assert re.fullmatch(r"0\.0\.1\.dev1\+g[0-9a-f]{7,}", without_tags)
    assert tagged == "1.2.3"
    assert hatch(tmp_path / "unpacked" / "afspraakbericht-1.2.3", "version") == "1.2.3"
    assert re.fullmatch(r"1\.2\.4\.dev1\+g[0-9a-f]{7,}", after)


def test_a_folder_without_git_has_no_version_but_the_one_that_the_image_is_told(tmp_path: Path) -> None:
    ours(tmp_path)

    assert hatch(tmp_path, "version") == "0.0.0"
    assert hatch(tmp_path, "version", SETUPTOOLS_SCM_PRETEND_VERSION="1.2.3") == "1.2.3"


def test_a_release_is_prepared_by_one_command(tmp_path: Path) -> None:
    for name in ("Makefile", "CHANGELOG.md", "deploy/Dockerfile", "deploy/compose.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "deploy" / "kubernetes", tmp_path / "deploy" / "kubernetes")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    words = ["make", "release", "VERSION=7.8.9"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    changed = [path for path in (tmp_path / "deploy").rglob("*") if path.is_file() and "7.8.9" in path.read_text()]

    assert re.search(r"## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n\n### ", (tmp_path / "CHANGELOG.md").read_text())
    assert len(changed) == 9
    assert "git tag -a v7.8.9" in done.stdout
    assert subprocess.run(["make", "release", "VERSION=7"], cwd=tmp_path, capture_output=True, check=False).returncode == 2


def test_what_is_said_to_be_supported_is_what_is_tried() -> None:
    makefile = (ROOT / "Makefile").read_text()
    kafkas = re.findall(r"^KAFKAS \?= (.+)$", makefile, re.MULTILINE)[0].split()
    pythons = re.findall(r":: Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))

    assert re.findall(r"^\| Kafka \| (.+?) \|", RELEASES, re.MULTILINE)[0].split(", ") == [
        one.rpartition(".")[0] for one in kafkas
    ]
    assert re.findall(r"^\| Python \| (.+?) \|", RELEASES, re.MULTILINE)[0].split(", ") == pythons
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert f"| Kubernetes | {OLDEST} and newer |" in RELEASES
