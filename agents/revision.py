"""Tell which version and commit run: many commits have the same version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FILE = Path(__file__).parent / "REVISION"
"""Written where a wheel is built (Makefile, Dockerfile), and packed into it; git does not have it."""


def revision(file: Path = FILE) -> str:
    """Read the commit; `-` where no wheel was built, or without saying of what."""
    try:
        return file.read_text(encoding="utf-8").strip() or "-"
    except OSError:
        return "-"


def version_of(distribution: str = "afspraakbericht") -> str:
    """Read the version of what is installed; `-` where it is not."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "-"
