"""What holds for the whole tree: the graph, the catalogue, the documents and the packages say the same."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from schemas.topics import ERASURES, OPT_OUTS, TABLES, TOPICS
from streams.graph import INPUTS, graph, mermaid

ROOT = Path(__file__).parent.parent
OURS = ("schemas", "streams", "renderers", "agents")
SOURCES = sorted(path for name in (*OURS, "tests") for path in (ROOT / name).rglob("*.py"))


def test_every_topic_has_a_writer_and_a_reader_in_the_graph_or_outside_by_its_role() -> None:
    read = {topic.name for node in graph(1) for topic in node.reads}
    written = {topic.name for node in graph(1) for topic in node.writes}
    assert read == {topic.name for topic in TOPICS if topic.role in ("input", "internal", "reported")}
    # A provider that was told STOP turns the channel off by a record like any other opt-out; intake hands an erasure on to the
    # other partitions.
    assert written == {topic.name for topic in TOPICS if topic.role in ("internal", "output")} | {OPT_OUTS.name, ERASURES.name}


def test_a_topic_is_read_by_one_node_only() -> None:
    read = [topic.name for node in graph(1) for topic in node.reads]
    assert len(read) == len(set(read))


def test_every_table_is_kept_by_the_node_that_is_named_as_its_store() -> None:
    assert {(table.name, table.store) for table in TABLES} == {
        (table.name, node.name) for node in graph(1) for table in node.keeps
    }


def test_names_are_unique() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    assert [topic.role for topic in INPUTS] == ["input"] * len(INPUTS)


def test_the_drawing_in_the_readme_is_the_graph() -> None:
    drawn = re.search(r"```mermaid\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert drawn is not None
    assert drawn[1] == mermaid(), "run `make graph` and put its output into README.md"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    limit = 760 if path.is_relative_to(ROOT / "tests") else 320
    assert len(path.read_text().splitlines()) <= limit


def test_no_other_distribution_owns_our_package_names() -> None:
    """They are generic: another package of the same name would replace ours without a word."""
    for distribution in distributions():
        if distribution.metadata["Name"] == "afspraakbericht":
            continue
        top = {file.parts[0] for file in distribution.files or () if file.suffix == ".py" and len(file.parts) > 1}
        assert not top & set(OURS), distribution.metadata["Name"]


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for block in re.findall(r"^(?:dependencies|local|web|rocksdb|postgres|dev) = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            assert re.match(r' +"[^"]+", +# \S', line), line


def test_what_the_makefile_promises_in_help_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"help", "setup", "run", "check", "test", "bench", "chaos", "graph"} <= targets
