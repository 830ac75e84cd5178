"""The pages on security and privacy: PRIVACY.md has the tables that the catalogue makes; files that a page names are there."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.projection.tables import METADATA
from schemas.topics import CONTACTS, CONTACTS_TABLE, DELIVERY_LOG, STORES, TABLES, TOPICS

DEPLOY = Path(__file__).parent.parent.parent / "deploy"


def module() -> Any:
    """The module that makes them; deploy/ is no package."""
    spec = importlib.util.spec_from_file_location("privacy", DEPLOY / "privacy.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


PRIVACY = module()
PAGE = (DEPLOY / "PRIVACY.md").read_text()
PAGES = [DEPLOY.parent / "SECURITY.md", *(DEPLOY / name for name in ("THREATS.md", "PRIVACY.md", "NEN.md"))]


def test_the_tables_are_as_the_catalogue_makes_them() -> None:
    assert PRIVACY.text(PAGE) == PAGE, "run `make manifests` and look at the difference"


def test_nothing_is_told_of_what_is_not_there() -> None:
    assert list(PRIVACY.OF_TOPICS) == [topic.name for topic in TOPICS]
    assert list(PRIVACY.OF_ROWS) == [f"{table.store} {table.name}" for table in TABLES]
    assert set(PRIVACY.OF_PROJECTION) == set(METADATA.tables)


def test_every_node_with_a_changelog_has_a_row() -> None:
    first = [line.split("|")[1].strip().split(":")[0] for line in PRIVACY.of_rows().splitlines()[2:]]
    assert set(first) == set(STORES)


def test_what_nothing_is_said_of_is_an_error() -> None:
    with pytest.raises(KeyError, match="copies"):
        PRIVACY.of_topics((replace(CONTACTS, name="copies"),))
    with pytest.raises(KeyError, match="notices copies"):
        PRIVACY.of_rows((replace(CONTACTS_TABLE, name="copies"),))
    with pytest.raises(KeyError, match="copies"):
        PRIVACY.of_projection(("copies",))


def test_how_long_a_topic_is_kept_is_the_catalogues_own_word() -> None:
    """A topic that Kafka would keep for ever must say what ends it."""
    kept = {line.split("|")[1].strip(" `"): line.split("|")[4].strip() for line in PRIVACY.of_topics().splitlines()[2:]}
    assert (kept["requests"], kept["delivery-log"], kept["opt-outs"]) == (
        "30 days", "400 days (`TEXT_DAYS`)", "1827 days (`OPT_OUT_DAYS`)",
    )  # fmt: skip
    with pytest.raises(KeyError, match="delivery-log: kept for how long"):
        PRIVACY.of_topics((replace(DELIVERY_LOG, retention_ms=None),))


def test_a_page_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no marks for rows"):
        PRIVACY.text(PAGE.replace("<!-- rows:", "<!--"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_section_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:agents|deploy|schemas|streams|tests)/[^` ]*|[A-Z]+\.md)`(?:, \"([^\"]+)\")?", page.read_text())
    sections = {name: (DEPLOY.parent / name).read_text() for name, section in named if section}
    assert named
    assert [name for name, _ in named if not (DEPLOY.parent / name).exists()] == []
    assert [(name, section) for name, section in named if section and f"# {section}\n" not in sections[name]] == []
