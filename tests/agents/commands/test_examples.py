"""The examples: each is played, and tells its story."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.main import main

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "tests" / "examples").glob("*.jsonl"))
STORIES = ROOT / "tests" / "examples" / "stories.txt"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_tells_its_story(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agreed = ["--producers", str(path.with_name("producers.json"))]
    assert main(["simulate", str(path), *agreed, "--until", "2026-12-31T00:00:00Z", "--story"]) == 0
    story = STORIES.read_text().split(f"== {path.stem}\n")[1].split("\n== ")[0]
    assert capsys.readouterr().out.strip() == story.strip()


def test_the_first_line_of_simulate_in_the_readme_works_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = re.search(r"afspraakbericht (simulate [^#\n]*)", (ROOT / "README.md").read_text())
    assert line is not None
    monkeypatch.chdir(ROOT)
    assert main(line[1].split()) == 0
    assert "verplaatst" in capsys.readouterr().out
