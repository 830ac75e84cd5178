"""What holds for the whole tree: the graph, the catalogue, the documents and the packages say the same."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from schemas.topics import (
    APPOINTMENTS,
    BOOTSTRAP_TOPICS,
    CONTACTS,
    DEPENDENT_TOPICS,
    ERASURES,
    INPUTS,
    OPT_OUTS,
    STORES,
    TABLES,
    TOPICS,
)
from streams.topology import graph, mermaid

ROOT = Path(__file__).parent.parent
OURS = ("schemas", "streams", "renderers", "agents")
SOURCES = sorted(path for name in (*OURS, "tests") for path in (ROOT / name).rglob("*.py"))


def test_every_topic_has_a_writer_and_a_reader_in_the_graph_or_outside_by_its_role() -> None:
    read = {topic.name for node in graph(1) for topic in node.reads}
    written = {topic.name for node in graph(1) for topic in node.writes}
    assert read == {topic.name for topic in TOPICS if topic.role in ("input", "foreign", "internal", "reported")}
    # A provider that was told STOP turns the channel off by a record like any other opt-out; intake hands an erasure on to the
    # other partitions; what is translated becomes an input.
    ours = {OPT_OUTS.name, ERASURES.name, APPOINTMENTS.name, CONTACTS.name}
    assert written == {topic.name for topic in TOPICS if topic.role in ("internal", "output")} | ours


def test_a_topic_is_read_by_one_node_only() -> None:
    read = [topic.name for node in graph(1) for topic in node.reads]
    assert len(read) == len(set(read))


def test_every_table_is_kept_by_the_node_that_is_named_as_its_store() -> None:
    assert {(table.name, table.store) for table in TABLES} == {
        (table.name, node.name) for node in graph(1) for table in node.keeps
    }


def test_each_node_has_a_changelog() -> None:
    assert list(STORES) == [node.name for node in graph(1)]


def test_names_are_unique() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    assert [topic.role for topic in INPUTS] == ["input"] * len(INPUTS)


def test_each_input_is_read_before_appointments_with_them_or_at_any_time() -> None:
    assert sorted(topic.name for topic in (*BOOTSTRAP_TOPICS, *DEPENDENT_TOPICS, ERASURES)) == sorted(
        topic.name for topic in INPUTS
    ), "put it in BOOTSTRAP_TOPICS or DEPENDENT_TOPICS of schemas/topics.py, or beside ERASURES here"


def test_the_drawing_in_the_readme_is_the_graph() -> None:
    drawn = re.search(r"```mermaid\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert drawn is not None
    assert drawn[1] == mermaid(), "run `make graph` and put its output into README.md"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    limit = 760 if path.is_relative_to(ROOT / "tests") else 320
    assert len(path.read_text().splitlines()) <= limit


def test_one_loop_reads_topics_beside_the_one_of_the_group() -> None:
    """A loop of its own has a wait, an isolation level and an end of its own, and one of them is wrong."""
    ours = [path for path in SOURCES if not path.is_relative_to(ROOT / "tests")]
    reading = re.compile(r"\.(getmany|getone|_getmany)\(|async for .* in \w*(client|consumer)\b")
    loops = {str(path.relative_to(ROOT)) for path in ours if reading.search(path.read_text())}
    assert loops == {"agents/engine/transport/ranges.py", "agents/engine/transport/consumer.py"}
    assert {path.name for path in ours if "read_uncommitted" in path.read_text()} == {"reader.py"}


PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *(page for name in (*OURS, "tests", "deploy") for page in (ROOT / name).rglob("*.md")))
    if path.name != "CHANGELOG.md"
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_names_is_there(path: Path) -> None:
    named = set(re.findall(r"`((?:schemas|streams|renderers|agents|tests|deploy)/[\w/.*-]*)`", path.read_text()))
    made = re.compile(r"deploy/(\.env|secrets)")  # by who installs it
    assert {name for name in named if not made.match(name) and not list(ROOT.glob(name))} == set()


def test_each_room_has_its_page() -> None:
    rooms = ("schemas", "streams", "renderers", "agents", "agents/engine", "tests", "deploy")
    assert [room for room in rooms if not (ROOT / room / "README.md").exists()] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_outside_the_repository_is_cited(path: Path) -> None:
    cited = set(re.findall(r"\b([A-Z][A-Z-]+[0-9-]*\.md)\b", path.read_text()))
    assert {name for name in cited if not list(ROOT.rglob(name))} == set()


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
