"""`afspraakbericht schema TOPIC`: the JSON Schema of a topic's records, of those that others write or read."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import orjson

from schemas.topics import TOPICS

from ..kafka.json_schemas import schema_of

RECORDS = {
    topic.name: topic.record for topic in TOPICS if topic.role in ("input", "output", "access") and topic.record is not None
}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("topic", choices=sorted(RECORDS), help="a topic that others write or read")


def run(args: Namespace) -> int:
    """Print the schema."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:afspraakbericht:{args.topic}"}
    schema = head | schema_of(RECORDS[args.topic])
    print(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())
    return 0
