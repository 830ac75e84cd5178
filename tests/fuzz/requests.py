"""Hostile requests, as bytes: every route, with what strangers put into methods, paths, headers, cookies and bodies."""

from __future__ import annotations

import random
from typing import NamedTuple

METHODS = (
    "GET",
    "GET",
    "POST",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "G\x00T",
    "A" * 300,
)
TYPES = (
    "application/json", "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "x" * 300,
    "text/plain", "", ";" * 190, ";" * 8000, "application/json" + ";a=(" * 40, "\u00e9", "a/b/c",
    'multipart/form-data; boundary="a\\"b"',
)  # fmt: skip
VALUES = (
    "", "x", "1", "-1", "0x10", "9" * 400, "é", "\xff", "%00", "%ff", "%2e%2e%2f", "../../etc/passwd",
    "<script>alert(1)</script>",
    "'; drop table messages;--", "{{7*7}}", "a" * 2000, "\u202e", "linde/anna", "2026-02-30", "0001-01-01",
    "9999-12-31T23:59:59Z", "NaN",
    "null", "true", "[]", "{}",
)  # fmt: skip
PARTS = ("Content-Disposition: form-data;" + ";" * 900, 'Content-Disposition: form-data; name="((((((((("',
"Content-Disposition: x",
         'Content-Disposition: form-data; name="keuze"', "X: " + "(a)" * 300, "", ":", "\x00")  # fmt: skip
NAMES = (
    "keuze",
    "List-Unsubscribe",
    "gebruiker",
    "wachtwoord",
    "formulier",
    "van",
    "tot",
    "pagina",
    "zoek",
    "client",
    "code",
    "state",
    "onbekend",
)


class Sent(NamedTuple):
    """One request. `marks`: what of it must never stand in a log."""

    data: bytes
    marks: tuple[bytes, ...]


def request(rng: random.Random, paths: list[str]) -> Sent:
    """Draw a request to one of the routes."""
    mark = f"GEHEIM{rng.randrange(10**9):09d}"
    path = rng.choice(paths)
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + rng.choice((mark, *VALUES)).replace(" ", "%20") + rest.partition("}")[2]
    if rng.random() < 0.4:
        path += "?" + "&".join(f"{rng.choice(NAMES)}={rng.choice(VALUES)}" for _ in range(rng.choice((1, 2, 3, 300))))
    headers = [f"Host: {rng.choice(('localhost', 'evil.example', '', 'a' * 300))}"]
    body, kind = payload(rng)
    if rng.random() < 0.9:
        headers.append(f"Content-Type: {kind}")
    if rng.random() < 0.5:
        headers.append(
            "Authorization: "
            + rng.choice((f"Bearer {mark}", "Bearer \xff", "Bearer", "Basic eDp5", f"bearer {mark}", "B" * 5000))
        )
    if rng.random() < 0.5:
        cookie = rng.choice(
            (f"afspraakbericht={mark}", "afspraakbericht=\xff", "a=" + "b" * 3000, ";" * 500, '="', "afspraakbericht=" + "." * 99)
        )
        headers.append(f"Cookie: {cookie}")
    if rng.random() < 0.3:
        names = (
            "Accept",
            "Accept-Language",
            "Origin",
            "Referer",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "Range",
            "If-None-Match",
            "Expect",
            "TE",
        )
        headers.append(f"{rng.choice(names)}: {rng.choice(VALUES)}")
    headers.append(rng.choice((
        f"Content-Length: {len(body)}", f"Content-Length: {len(body)}", f"Content-Length: {len(body)}", "Content-Length: -1",
        "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        f"Content-Length: {len(body)}\r\nContent-Length: 0", f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked", "X: y",
        f"Content-Length: {len(body)}\r\nContent-Encoding: gzip", f"Content-Length: {len(body)}\r\n folded: y",
        f"Bad Header{mark}",
    )))  # fmt: skip
    version = rng.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "", f"HTTP/1.1 {mark}"))
    head = f"{rng.choice(METHODS)} {path} {version}\r\n" + "\r\n".join(headers) + "\r\nConnection: close\r\n\r\n"
    return Sent(head.encode("latin-1", "replace") + body, (mark.encode(),))


def payload(rng: random.Random) -> tuple[bytes, str]:
    """Draw a body and its Content-Type, which need not fit."""
    fields = "&".join(f"{rng.choice(NAMES)}={rng.choice(VALUES)}" for _ in range(rng.choice((0, 1, 3, 2000))))
    parts = "".join(f"--x\r\n{rng.choice(PARTS)}\r\n\r\n{rng.choice(VALUES)}\r\n" for _ in range(rng.choice((0, 1, 3, 500))))
    body = rng.choice((
        b"", b"null", b"{}", b"[" * 30_000, b'{"client":"c","request":"r","party":"p","text":"x"}', b'{"client":"\xff"}',
        b"\x00" * 100,
        b'{"request":1e999}', fields.encode(), (parts + "--x--\r\n").encode(), parts.encode(), b"a" * 70_000, rng.randbytes(200),
    ))  # fmt: skip
    return body, rng.choice(TYPES)
