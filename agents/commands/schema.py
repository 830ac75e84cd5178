"""`afspraakbericht schema TOPIC`: the JSON Schema of an input topic's records."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import orjson

from schemas.topics import TOPICS

from ..kafka.json_schemas import schema_of

INPUTS = {topic.name: topic.record for topic in TOPICS if topic.role == "input" and topic.record is not None}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("topic", choices=sorted(INPUTS), help="an input topic")


def run(args: Namespace) -> int:
    """Print the schema."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of(INPUTS[args.topic])}
    print(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())
    return 0
