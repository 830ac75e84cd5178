"""The tables of PRIVACY.md: what is kept of clients, made from the catalogue, the graph and the projection's tables.

`python deploy/privacy.py` writes them anew between their marks in that file; a test holds that they are as written here. How long
a topic is kept, which nodes read it and what an erasure does with it are the code's; what it has of a client, and why, is said
here, and what nothing is said of is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from agents.erasure.erasing import LASTING
from agents.monitoring.web_metrics import READ
from agents.projection.states import STORE as FOLLOWED
from agents.projection.tables import METADATA
from schemas.topics import (
    ACCESS_LOG,
    AUDIT_LOG,
    CLIENT_EVENTS,
    DAY,
    ERASURES,
    HELD,
    STORES,
    TABLES,
    TOPICS,
    Table,
    Topic,
    catalogue,
)
from streams.topology import graph

PAGE = Path(__file__).parent / "PRIVACY.md"

SOURCE = "until upstream takes it back (null value)"
CLIENTS = "30 days after the last of it is over"


class Entry(NamedTuple):
    """What something has of a client, and what for. `kept` where the catalogue does not say how long; `readers` besides ours."""

    holds: str
    purpose: str
    kept: str = ""
    readers: str = ""


OF_TOPICS = {
    "appointments": Entry(
        "ids of clients and employees, times, place, kind, label, details, who came", "to know what is planned"
    ),
    "agenda-snapshots": Entry("the same, of one client's agenda", "the same, of sources that have no events", SOURCE),
    "consents": Entry("whether, how and in which language the client wants messages", "the ground for sending", SOURCE),
    "contacts": Entry("**number and e-mail address**", "where to send", SOURCE),
    "representatives": Entry(
        "who acts for a client, by which right and until when: **number and e-mail address**; **how the client is called**",
        "whom else to tell, and where to send", SOURCE,
    ),
    "employees": Entry(
        "of employees **number and e-mail address**, and of which changes they hear", "to tell them of their agendas", SOURCE
    ),
    "opt-outs": Entry("that a channel is off, and by whose word", "not to send against the client's will"),
    "organisations": Entry("nothing", "settings of the organisation", "until they are deleted"),
    "organisation-overrides": Entry("nothing", "what the organisation chose itself", "until it is deleted"),
    "holds": Entry("nothing", "what an organisation holds, and who decided that", "until it is deleted"),
    "requests": Entry("**text** of a third party's message", "to send it"),
    "erasures": Entry("that and when the client was erased", "so that all forget, also what is made anew later"),
    "fhir": Entry("**whatever the source sends: names, addresses, reasons too**", "to take times, place and contact from it"),
    "hl7v2": Entry("**whatever the source sends: names, addresses, reasons too**", "to take times, place and contact from it"),
    "client-events": Entry("each client's part of the above, **addresses and texts** too", "one order of events for each client"),
    "employee-events": Entry(
        "times and place of an employee's appointments, nothing of whose they are; **number and e-mail address**",
        "one order of events for each employee",
    ),
    "deliveries-sms": Entry("what to say: times, places, label, details; **texts** of requests", "to send it"),
    "deliveries-email": Entry("what to say: times, places, label, details; **texts** of requests", "to send it"),
    "delivery-reports": Entry("what the provider said of a message", "to know what arrived"),
    "delivery-log": Entry(
        "**text as sent** (of a request none), start of the first appointment, address masked, outcome, cost",
        "what was told; the bill; questions of clients",
        readers="`log`, `costs`, `why`, `replay`; analysts",
    ),
    "audit-log": Entry(
        "who was told what kind of thing, when, how, with which outcome", "accounting for it (NEN 7513)",
        "`AUDIT_DAYS`, at least 1827 days; `afspraakbericht retention` deletes", "`retention`; the privacy officer",
    ),
    "outcomes": Entry("who came to an appointment and who did not", "figures of no-shows", readers="who counts them"),
    "held": Entry(
        "what would be said: times, places", "to see what a hold holds", "until it is said, or is no longer so", "`hold`"
    ),
    "doubted": Entry(
        "nothing: counts", "to see that a source of snapshots fails", "until it is believed again", "`hold`, `status`"
    ),
    "access-log": Entry(
        "who looked at which client, when, in which role; ids of the clients; who changed which settings",
        "accounting for access (NEN 7513)",
        readers="`access`; the privacy officer",
    ),
    "dead-letters": Entry("**what could not be used, as it came**", "to mend the source", readers="who runs the system"),
}  # fmt: skip

OF_ROWS = {
    "intake appointments": Entry(
        "ids of clients, times, place, kind, label, details, who came",
        "which revision is the newest",
        CLIENTS,
    ),
    "intake polls": Entry(
        "times, place, kind, label, details of a client's appointments",
        "what vanished from an agenda",
        CLIENTS,
    ),
    "intake doubts": Entry("nothing: counts", "that a source of snapshots fails", "until it is believed again"),
    "notices consents": Entry("whether and how the client wants messages", "gate", SOURCE),
    "notices contacts": Entry("**number and e-mail address**", "gate, and where to send", SOURCE),
    "notices people": Entry(
        "of those who act for a client **number and e-mail address**, gone after their last day; **how the client is called**",
        "gate, and where to send",
        SOURCE,
    ),
    "notices opt-outs": Entry("that a channel is off", "gate", "until it is taken back"),
    "notices agendas": Entry(
        "times, place, kind, label, details; what the client was told; **texts** of requests that wait",
        "to tell what differs",
        CLIENTS,
    ),
    "notices organisations": Entry("nothing", "settings", "until they are deleted"),
    "notices overrides": Entry("nothing", "settings", "until they are deleted"),
    "notices holds": Entry("nothing", "what is held", "for ever"),
    "employees employees": Entry("of employees **number and e-mail address**; which channels are off", "gate", SOURCE),
    "employees agendas": Entry("times and place of an employee's appointments; what was told", "to tell what differs", CLIENTS),
    "sms ledger": Entry("what to say while it is under way; number masked, and its hash", "to send once", CLIENTS),
    "email ledger": Entry("what to say while it is under way; address masked, and its hash", "to send once", CLIENTS),
}

TEXTS = "text and address `TEXT_DAYS`, the rest `AUDIT_DAYS`"

OF_PROJECTION = {
    "messages": Entry(
        "id of the client, **text as sent**, start of the first appointment, ids of appointments, address masked, outcome",
        "the overview",
        TEXTS,
    ),
    "records": Entry("address masked, outcome", "to count each record once", TEXTS),
    "requests": Entry("hash of the client's id", "the API's answer: what became of a request", "`AUDIT_DAYS`"),
    "erased": Entry("hash of the client's id", "to leave out what is read again", "for ever"),
    "days": Entry("nothing: counts and sums", "totals and bill", "for ever"),
    "settings": Entry("nothing", "the page of settings", "until they are deleted"),
    "tallies": Entry("nothing: counts", "the overview's counts, figures", "as long as the messages that they count"),
    "buckets": Entry("nothing: counts", "figures", "`AUDIT_DAYS`"),
    "clients": Entry("id of the client", "to find a client by the beginning of the id", "as long as anything else of the client"),
    "states": Entry(
        "address masked, whether and how messages are wanted; times and places of appointments as they are said; what was told",
        "the page of a client",
        "as long as the workers' rows",
    ),
    "opt_outs": Entry("hash of the client's id: when a channel was turned off", "the page of a client, figures", "`AUDIT_DAYS`"),
    "visits": Entry("hash of the client's id: who came and who did not", "figures of no-shows", "`AUDIT_DAYS`"),
    "looks": Entry("who looked at which client on which day", "the page *Wie keek*", "`AUDIT_DAYS`; `erase` leaves it"),
    "changes": Entry("nothing of clients: which officer changed which settings", "*Wie wat wijzigde*", "`AUDIT_DAYS`"),
    "held": Entry("what would be said: times, places", "the page of holds", "until it is said, or is no longer so"),
    "doubts": Entry("nothing: counts", "the page of holds", "until it is believed again"),
    "volumes": Entry("nothing: counts", "to see that unusually much goes out", "35 days"),
    "warned": Entry("nothing", "to tell an organisation of it once", "for ever"),
    "ended": Entry("nothing: hashes of sessions", "to end them", "`TEXT_DAYS`"),
    "positions": Entry("nothing", "where to read on", "for ever"),
}


def of_topics(topics: Iterable[Topic] = TOPICS) -> str:
    """Return the table of topics. Raises KeyError for one of which nothing is said."""
    rows = [
        (f"`{topic.name}`", said.holds, said.purpose, _kept(topic, said), _readers(topic, said), _erased(topic))
        for topic in topics
        for said in [OF_TOPICS[topic.name]]
    ]
    return _table(("topic", "of a client", "for", "kept", "read by", "`erase`"), rows)


def of_rows(tables: Iterable[Table[object]] = TABLES) -> str:
    """Return the table of rows. Raises KeyError for a table of which nothing is said."""
    readers = {
        name: [name, *(node.name for node in graph(1) if name in node.peers), *["web"] * (name == FOLLOWED)] for name in STORES
    }
    rows = [
        (f"{one.store}: `{one.name}`", said.holds, said.purpose, said.kept, ", ".join(readers[one.store]))
        for one in tables
        for said in [OF_ROWS[f"{one.store} {one.name}"]]
    ]
    bare = [name for name in STORES if name not in {one.store for one in tables}]
    rows += [(f"{name}: no rows", "nothing", "where to read on", "for ever", name) for name in bare]
    return _table(("rows", "of a client", "for", "kept", "read by"), rows)


def of_projection(tables: Iterable[str] = tuple(METADATA.tables)) -> str:
    """Return the table of the projection's tables. Raises KeyError for one of which nothing is said."""
    rows = [(f"`{name}`", said.holds, said.purpose, said.kept) for name in tables for said in [OF_PROJECTION[name]]]
    return _table(("table", "of a client", "for", "kept"), rows)


def text(page: str) -> str:
    """Return the page with its tables made anew."""
    made: Mapping[str, str] = {"topics": of_topics(), "rows": of_rows(), "projection": of_projection()}
    for name, table in made.items():
        begin, end = f"<!-- {name}: made by deploy/privacy.py -->\n", f"<!-- end of {name} -->"
        page, count = re.subn(f"({re.escape(begin)}).*?({re.escape(end)})", rf"\g<1>{table}\g<2>", page, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"the page has no marks for {name}")
    return page


def _kept(topic: Topic, said: Entry) -> str:
    """Return how long: the catalogue's time, and the setting that changes it."""
    if topic.retention_ms is None:
        if not said.kept:
            raise KeyError(f"{topic.name}: kept for how long?")
        return said.kept
    settings = {
        "TEXT_DAYS": catalogue(text_days=1),
        "OPT_OUT_DAYS": catalogue(opt_out_days=1),
        "AUDIT_DAYS": catalogue(audit_days=1),
    }
    setting = [
        name for name, changed in settings.items() if any(one.name == topic.name and one.retention_ms == DAY for one in changed)
    ]
    return f"{topic.retention_ms // DAY} days" + "".join(f" (`{name}`)" for name in setting)


def _readers(topic: Topic, said: Entry) -> str:
    found = [node.name for node in graph(1) if topic in node.reads] + ["web"] * (topic.name in READ)
    return ", ".join(found + [said.readers] * bool(said.readers)) or "-"


def _erased(topic: Topic) -> str:
    """Say what `erase` does with it; time alone ends what it does not touch."""
    if "client" not in topic.key and topic.retention_ms is None:
        return "-"
    if topic == ACCESS_LOG:
        return "stays, and the proof says so"
    if topic == AUDIT_LOG:
        return "stays; `--with-audit` deletes"
    if topic in (ERASURES, CLIENT_EVENTS):
        return "its own record is added; goes with its time"
    return "deleted by null values" if topic in (*LASTING, HELD) else "goes with its time"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


if __name__ == "__main__":
    PAGE.write_text(text(PAGE.read_text()))
