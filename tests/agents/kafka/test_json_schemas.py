"""JSON Schemas are the same on every Python: since 3.13 docstrings come without their indentation."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.kafka.json_schemas import schema_of, schemas_of
from schemas.topics import INPUTS
from schemas.wire import Input, check

OF_3_11 = "Somebody.\n\n    Two lines\n      and one further in.\n    "
OF_3_13 = "Somebody.\n\nTwo lines\n  and one further in.\n"


@pytest.mark.parametrize("docstring", [OF_3_11, OF_3_13], ids=["as Python 3.11 keeps it", "as Python 3.13 keeps it"])
def test_a_description_has_no_indentation_on_any_python(docstring: str) -> None:
    inner = msgspec.defstruct("Inner", [("description", str)], namespace={"__doc__": docstring})
    outer = msgspec.defstruct("Outer", [("one", inner)], namespace={"__doc__": docstring})
    said = "Somebody.\n\nTwo lines\n  and one further in."
    made = {
        "Inner": {
            "title": "Inner",
            "description": said,
            "type": "object",
            "properties": {"description": {"type": "string"}},
            "required": ["description"],
        },
        "Outer": {
            "title": "Outer",
            "description": said,
            "type": "object",
            "properties": {"one": {"$ref": "#/$defs/Inner"}},
            "required": ["one"],
        },
    }

    assert schemas_of([outer], "#/$defs/{name}") == made
    assert schema_of(outer) == {"$ref": "#/$defs/Outer", "$defs": made}


INPUT_RECORDS = schemas_of([topic.record for topic in INPUTS if topic.record is not None], "#/{name}")


def kinds(of: type[Any]) -> set[type[Any]]:
    """All records of a kind, those made of others too."""
    direct: list[type[Any]] = of.__subclasses__()
    return {*direct, *(one for each in direct for one in kinds(each))}


@pytest.mark.parametrize("name", sorted(INPUT_RECORDS))
def test_every_field_of_an_input_says_what_it_is_and_how_it_looks(name: str) -> None:
    fields = INPUT_RECORDS[name]["properties"]
    assert [field for field, said in fields.items() if not (said.get("description") and said.get("examples"))] == []


@pytest.mark.parametrize("name", sorted(INPUT_RECORDS))
def test_the_examples_are_taken_in(name: str) -> None:
    """Each by the checks of what comes in; of nested records an example may have what must be there alone."""
    (record,) = [one for one in kinds(Input) if one.__name__ == name]
    fields = INPUT_RECORDS[name]["properties"]
    for number in range(max(len(said["examples"]) for said in fields.values())):
        check(record, {field: said["examples"][min(number, len(said["examples"]) - 1)] for field, said in fields.items()})
