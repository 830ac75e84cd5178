"""Write `delivery-log.ipynb`: the questions of `deploy/DELIVERY-LOG.md`. `make manifests` runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIRST = """\
# The delivery log

In the folder of an export:

    afspraakbericht log --period 2026-11 --no-text --outcomes --format parquet --output log.parquet

`deploy/DELIVERY-LOG.md` says what each field means. A message has several records: count messages, or one status."""

LAST = "**This is a comparison and no experiment.**"
"""How the warning begins that follows the last question; it is a cell of its own."""


def cells() -> list[tuple[str, str]]:
    """Return the kind and the text of each cell."""
    section = (HERE.parent / "DELIVERY-LOG.md").read_text(encoding="utf-8").split("\n## Eleven questions\n")[1].split("\n## ")[0]
    asked, _, warning = section.partition(LAST)
    found = [("markdown", FIRST), ("code", "import duckdb\n\ndb = duckdb.connect()")]
    for question, more, sql in re.findall(r"\n\n([A-Z][^\n?]*\?)((?:(?!```).)*)```sql\n(.*?)```", asked, re.DOTALL):
        words = "\n\n".join(filter(None, (f"## {question}", more.strip())))
        found += [("markdown", words), ("code", f'db.sql("""\n{sql}""")')]
    return [*found, ("markdown", LAST + warning.rstrip())]


def text() -> str:
    """Return the file (nbformat 4.5), without results: those are of somebody's clients."""
    made: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells()):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": source.splitlines(keepends=True),
        }
        made.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "delivery-log.ipynb").write_text(text(), encoding="utf-8")
