"""`afspraakbericht schema TOPIC`: the JSON Schema of an input topic's records."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import msgspec
import orjson

from schemas.topics import TOPICS

INPUTS = {topic.name: topic for topic in TOPICS if topic.role == "input"}


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("topic", choices=sorted(INPUTS), help="an input topic")


def run(args: Namespace) -> int:
    """Print the schema."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(INPUTS[args.topic].record)}
    print(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())
    return 0
