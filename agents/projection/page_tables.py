"""The projection's tables of what pages count, and of how things stand with clients; `tables.py` has the others."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

METADATA = MetaData()

TALLIES = Table(
    "tallies", METADATA,
    Column("organisation", String(200)), Column("day", String(10)), Column("channel", String(8)), Column("kind", String(32)),
    Column("outcome", String(16)), Column("cause", String(32)), Column("messages", Integer, nullable=False),
    PrimaryKeyConstraint("organisation", "day", "channel", "kind", "outcome", "cause"),
)  # fmt: skip
"""Rows of `messages` counted by the local day on which they began, so that counts cost the same however many there are."""

BUCKETS = Table(
    "buckets", METADATA,
    Column("organisation", String(200)), Column("day", String(10)), Column("what", String(16)), Column("bucket", String(16)),
    Column("records", Integer, nullable=False),
    PrimaryKeyConstraint("organisation", "what", "day", "bucket"),
)  # fmt: skip
"""Records counted by local day: `hour` of sending, `delivery` time of what arrived (`tallies.py`)."""

CLIENTS = Table(
    "clients", METADATA,
    Column("organisation", String(200)), Column("client", String(200)),
    Column("folded", String(600).with_variant(String(600, collation="C"), "postgresql"), nullable=False),
    PrimaryKeyConstraint("organisation", "client"),
    Index("clients_folded", "organisation", "folded"),
)  # fmt: skip
"""Clients of whom anything is kept, by their number without case: what a search looks in. In code point order in both."""

STATES = Table(
    "states", METADATA,
    Column("organisation", String(200)), Column("client", String(200)), Column("name", String(16)),
    Column("value", Text, nullable=False), Column("at", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "client", "name"),
)  # fmt: skip
"""The workers' rows of a client (`states.py`), with the address masked and without what no page shows; of an organisation, with
an empty client."""

OPT_OUTS = Table(
    "opt_outs", METADATA,
    Column("organisation", String(200)), Column("client", String(64)), Column("channel", String(8)),
    Column("at", String(27)), Column("off", Boolean, nullable=False), Column("source", String(16), nullable=False),
    Column("day", String(10), nullable=False),
    PrimaryKeyConstraint("organisation", "client", "channel", "at"),
    Index("opt_outs_day", "organisation", "day"),
)  # fmt: skip
"""When a client, known by a hash, turned a channel off and on again."""

VISITS = Table(
    "visits", METADATA,
    Column("organisation", String(200)), Column("visit", String(64)), Column("client", String(64), nullable=False),
    Column("day", String(10), nullable=False), Column("outcome", String(16)), Column("revision", BigInteger, nullable=False),
    Column("at", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "visit"),
    Index("visits_day", "organisation", "day", "outcome"),
    Index("visits_client", "organisation", "client"),
)  # fmt: skip
"""What became of appointments, each with its client known by a hash: the highest revision of each."""
