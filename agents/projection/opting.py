"""What the projection keeps of `opt-outs`: when a client, known by a hash, turned a channel off and on again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from schemas.inputs import OptOut

from .days import local_day
from .forgetting import client_hash
from .page_tables import OPT_OUTS
from .tables import moment


def take(connection: Connection, insert: Any, records: Iterable[tuple[OptOut, datetime]]) -> None:
    """Write what changed. A record that says what is so already changes nothing, nor does one that is read again."""
    whose = [(one, at, (one.organisation, client_hash(one.organisation, one.client), one.channel)) for one, at in records]
    hashes = {hash_ for _, _, (_, hash_, _) in whose}
    mine = OPT_OUTS.c.client.in_(hashes)
    last: dict[tuple[str, str, str], tuple[str, bool]] = {
        (row.organisation, row.client, row.channel): (row.at, row.off)
        for row in connection.execute(select(OPT_OUTS).where(mine).order_by(OPT_OUTS.c.at))
    }
    rows = []
    for one, at, key in whose:
        written, (since, off) = moment(at), last.get(key, ("", False))
        if written <= since or one.off == off:
            continue
        last[key] = (written, one.off)
        values = {"at": written, "off": one.off, "source": one.source, "day": local_day(at)}
        rows.append(dict(zip(("organisation", "client", "channel"), key, strict=True)) | values)
    if rows:
        connection.execute(insert(OPT_OUTS).on_conflict_do_nothing(), rows)
