"""Hostile events: what a careless or malicious producer may write to any topic, drawn from one seed.

Nothing here is told to anybody: the organisations of these events have their notifications off, or clients without a contact,
so whatever the worker makes of them is seen in the delivery log as suppressed or not at all. The canary is another organisation.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import orjson

from schemas.topics import TOPICS

INPUTS = tuple(topic.name for topic in TOPICS if topic.role == "input")
OURS = tuple(topic.name for topic in TOPICS if topic.role != "input" and topic.name != "dead-letters")
CODECS = (None, "gzip", "snappy", "lz4", "zstd")
BOMBS = (1 << 20, 5 << 20, 16 << 20, 64 << 20)
"""Bytes of a value that compresses to next to nothing."""

TIMES = (
    -(10**15), -1, 0, 1, 10**9, 1_577_836_800_000, 1_577_836_800_000_000, 253_402_300_799_999, 253_402_300_800_000, 2**62,
)  # fmt: skip
"""Record times in milliseconds: before 1970, 1970, seconds and microseconds in their place, the last of 9999 and after."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 1e308, 0.1, "", " ", "\n", "a\n", "a/b", "..",
    "%2F", "\x00",
    "\x1b[31m", "\u202e", "\ufeff", "a" * 201, "é" * 200, "é" * 5000, "<script>", "{{7*7}}", "${x}", "'; drop table", [], [[]],
    {}, {"": {}},
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-11-26T10:00:00", "24:00", "09:00\n",
    "posix/Europe/Amsterdam", "localtime", "../../etc/passwd", "Europe/Nergens", "+31612345678", "+31 (0)0612345678", "112",
    "a@b", "a@b\n",
    "Zorg, Huis <a@b.nl>", "@@@", "a@faß.example", "Zorg a@b>", "EUR\n", "-0.0", "NaN",
)  # fmt: skip
"""Values that some field of some event has broken a system with."""

WHEN = "2031-05-06T10:00:00+02:00"


class Hostile(NamedTuple):
    """One record to write, with the codec of its batch."""

    topic: str
    key: bytes | None
    value: bytes | None
    time: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    codec: str | None = None


def good(rng: random.Random, topic: str) -> dict[str, Any]:
    """Make an event of an input topic that is right in itself, of an organisation that tells nobody anything."""
    organisation, client = rng.choice(("stil", "dicht", "weg")), f"c{rng.randrange(40)}"
    ids = {"organisation": organisation, "client": client}
    settings = {
        "organisation": organisation, "name": "Stil", "notifications": False, "time_zone": "Europe/Amsterdam",
        "window": {"quiet_seconds": 0, "max_seconds": 0}, "reminder": {"days_before": 2, "at": "09:00"},
        "quiet_hours": {"from": "22:00", "until": "07:00"},
        "sms": {"originator": "Stil", "before": "", "after": "", "unit_price": "0.07", "currency": "EUR"},
        "email": {"from": "Stil <stil@stil.example>", "reply_to": "x@stil.example", "subject": "Bericht", "before": "",
        "after": ""},
    }  # fmt: skip
    makers: dict[str, dict[str, Any]] = {
        "appointments": {
            "organisation": organisation, "appointment": f"a{rng.randrange(200)}", "revision": rng.randrange(1, 50),
            "status": rng.choice(("booked", "booked", "cancelled")), "start": WHEN, "end": "2031-05-06T11:00:00+02:00",
            "location": rng.choice((None, {"name": "Zaal 1"})), "series": rng.choice((None, "s1")),
            "clients": [{"client": f"c{n}", "present": rng.random() < 0.8} for n in rng.sample(range(40), rng.randrange(0, 6))],
            "employees": [
                {"employee": f"e{n}", "attending": rng.random() < 0.8} for n in rng.sample(range(9), rng.randrange(0, 4))
            ],
            "author": rng.choice((None, "e1", "e2")),
        },
        "agenda-snapshots": {
            **ids, "from": "2031-01-01T00:00:00Z", "to": "2032-01-01T00:00:00Z", "revision": rng.randrange(1, 50),
            "appointments": [
                {"appointment": f"p{n}", "start": WHEN, "end": "2031-05-06T11:00:00+02:00", "location": {"name": "Zaal 1"}}
                for n in rng.sample(range(40), rng.randrange(0, 6))
            ],
            "gone": [f"p{n}" for n in rng.sample(range(40), rng.randrange(0, 3))],
        },
        "consents": {**ids, "notifications": rng.random() < 0.5, "channels": ["sms", "email"], "source": "ecd"},
        "contacts": {
            **ids, "sms": {"number": "+31612345678", "confirmed": False}, "email": {"address": "a@stil.example",
            "confirmed": False},
        },
        "representatives": {
            **ids, "revision": rng.randrange(1, 50), "call_name": "Anna",
            "people": [
                {"id": f"m{n}", "role": "mentor", "notifications": rng.random() < 0.5, "channels": ["email"], "all": True,
                "email": {"address": "m@stil.example", "confirmed": False}}
                for n in range(rng.randrange(0, 3))
            ],
        },
        "employees": {
            "organisation": organisation, "employee": f"e{rng.randrange(9)}", "revision": rng.randrange(1, 50),
            "notifications": rng.choice(("all", "others", "soon", "none")), "channels": ["sms"],
            "sms": {"number": "+31612345678", "confirmed": False},
        },
        "opt-outs": {**ids, "channel": "email", "off": rng.random() < 0.5, "source": "client"},
        "organisations": settings,
        "organisation-overrides": {"organisation": organisation, "sms": {"before": "Let op:"}, "reminder": None},
        "holds": {
            "organisation": organisation, "at": "2026-01-01T00:00:00Z", "notices": rng.random() < 0.5, "parties": ["roqua"],
        },
        "requests": {**ids, "request": f"r{rng.randrange(99)}", "party": "roqua", "text": "Vul in.", "subject": "Vraag",
        "send_at": WHEN},
        "erasures": {**ids, "at": "2026-01-01T00:00:00Z"},
    }  # fmt: skip
    return makers[topic]


def key_of(topic: str, event: Any) -> bytes:
    """Join the ids that the topic's key has; what has none gives an empty one."""
    names = next(one.key for one in TOPICS if one.name == topic).split("/")
    return "/".join(str(event.get(name, "")) for name in names).encode("utf-8", "surrogatepass")


def dumps(value: Any) -> bytes:
    """JSON as another library writes it: numbers of any size, floats that JSON has not."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        import json

        return json.dumps(value).encode()


def mutated(rng: random.Random) -> Hostile:
    """Change one to three fields, at any depth; the key follows the ids as they then are, but now and then."""
    topic = rng.choice(INPUTS)
    event = good(rng, topic)
    key = key_of(topic, event)
    for _ in range(rng.randrange(1, 4)):
        change(rng, event)
    return Hostile(topic, key if rng.random() < 0.3 else key_of(topic, event), dumps(event))


def change(rng: random.Random, event: dict[str, Any]) -> None:
    """Put an odd value in the place of a field, of one of its parts or beside it, or take it away."""
    holder: Any = event
    while holder and rng.random() < 0.5:
        parts = [
            part for part in (holder.values() if isinstance(holder, dict) else holder) if part and isinstance(part, dict | list)
        ]
        if not parts:
            break
        holder = rng.choice(parts)
    if isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), deepcopy(rng.choice((*ODD, *holder))))
        return
    name = rng.choice(list(holder) or ["x"])
    if rng.random() < 0.15:
        holder.pop(name, None)
    else:
        holder[rng.choice((name, name, name, "onbekend"))] = deepcopy(rng.choice(ODD))


def torn(rng: random.Random) -> Hostile:
    """Bytes that are no JSON, or JSON that is no event."""
    topic = rng.choice(INPUTS)
    event = good(rng, topic)
    whole = dumps(event)
    value = rng.choice((
        None, b"", b"null", b"[]", b"{}", b"0", b'""', b"\x00", b"\xff\xfe", b"\xef\xbb\xbf" + whole,
        whole[: rng.randrange(len(whole))],
        whole + whole, whole.replace(b'"', b"'"), b"[" * rng.choice((100, 100_000)), b'{"a":' * 50_000,
        rng.randbytes(rng.randrange(300)),
        whole[:-1] + b',"revision":NaN}', whole[:-1] + b',"organisation":"stil"}', b"\x00\x00\x00\x00\x07" + whole,
        b'{"payload":' + whole + b"}",
    ))  # fmt: skip
    return Hostile(topic, key_of(topic, event), value)


def keyed(rng: random.Random) -> Hostile:
    """A right event under an odd key."""
    topic = rng.choice(INPUTS)
    event = good(rng, topic)
    right = key_of(topic, event)
    key = rng.choice((
        None, b"", b"/", b"//", b"stil", right + b"/", b"/" + right, right + b"\n", right.upper(), b"\xff\xfe", b"a" * 300_000,
        rng.randbytes(20),
        right.replace(b"/", b"%2F"), "stil/\u202e".encode(),
    ))  # fmt: skip
    return Hostile(topic, key, None if rng.random() < 0.2 else dumps(event))


def large(rng: random.Random) -> Hostile:
    """Near the size that the broker takes, and beyond; of text that does not compress, in a field or as it is."""
    topic = rng.choice(INPUTS)
    event = good(rng, topic)
    filler = rng.randbytes(rng.choice((30_000, 60_000, 200_000, 450_000))).hex()
    event[rng.choice((*event, "onbekend"))] = filler
    if rng.random() < 0.3:
        event["clients"] = [{"client": f"{n}{filler[:400]}", "present": True} for n in range(1000)]
    return Hostile(topic, key_of(topic, good(rng, topic)), dumps(event))


def bomb(rng: random.Random) -> Hostile:
    """A value that is large when it is unpacked, and next to nothing before."""
    topic = rng.choice(INPUTS)
    size = rng.choice(BOMBS)
    value = b'{"organisation":"' + b"a" * size + b'"}' if rng.random() < 0.5 else b" " * size
    return Hostile(topic, b"stil/bom" if rng.random() < 0.8 else b"k" * size, value, codec=rng.choice(CODECS[1:]))


def headed(rng: random.Random) -> Hostile:
    """A right event with odd headers and at an odd record time."""
    topic = rng.choice(INPUTS)
    event = good(rng, topic)
    names = ("traceparent", "ce_id", "baggage", "reason", "topic", "partition", "é", "", "a" * 5000)
    headers = tuple((rng.choice(names), rng.randbytes(rng.randrange(50))) for _ in range(rng.randrange(8)))
    return Hostile(topic, key_of(topic, event), dumps(event), rng.choice(TIMES), headers)


def ours(rng: random.Random) -> Hostile:
    """Junk on a topic that only we write."""
    event = good(rng, rng.choice(INPUTS))
    kinds: tuple[Any, ...] = (
        {},
        [],
        1,
        "x",
        {"organisation": "stil", "client": "c1"},
        {"organisation": 1},
        {"message": "a" * 300},
        event,
    )
    value = rng.choice((None, b"", b"null", rng.randbytes(40), b"[" * 5000, *(dumps(kind) for kind in kinds)))
    key = rng.choice((None, b"", b"stil/c1", b"stil", b"\xff", b"a/b/c/d", rng.randbytes(10)))
    return Hostile(rng.choice(OURS), key, value, rng.choice((None, *TIMES)))


KINDS: tuple[tuple[Callable[[random.Random], Hostile], float], ...] = (
    (mutated, 50), (torn, 14), (keyed, 10), (headed, 10), (ours, 10), (large, 1.0), (bomb, 0.1),
)  # fmt: skip
"""What is drawn, and how often."""


def events(rng: random.Random, count: int) -> list[Hostile]:
    """Draw events of all kinds, each in a batch of some codec."""
    kinds, weights = [kind for kind, _ in KINDS], [weight for _, weight in KINDS]
    drawn = [kind(rng) for kind in rng.choices(kinds, weights, k=count)]
    return [one if one.codec else one._replace(codec=rng.choice(CODECS)) for one in drawn]
