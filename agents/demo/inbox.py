"""The demo's inbox: a page, on this machine only, that shows each SMS and e-mail as it arrives.

An e-mail's HTML is shown in a frame of its own that runs no script, loads nothing and is of no origin. A request that names
another host than this machine is refused: a page elsewhere cannot read along by a name that leads here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..fakes import Message, serve_http
from .received import Received, of_email, of_sms

HOST, PORT = "127.0.0.1", 8624
"""Where it listens, so that a page that is open finds it again; on another port where that one is taken."""

MOST = 1000
"""Messages that it keeps."""

PAGES = Path(__file__).parent / "pages"
FILES = {path.name: path.read_bytes() for path in PAGES.iterdir() if path.suffix in (".css", ".js")}
TYPES = {".css": "text/css", ".js": "text/javascript"}

VIEWS = {"html": "HTML", "phone": "On a phone", "text": "Text", "source": "Source"}
"""The ways to look at an e-mail, and their names."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FRAME = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""The content policy of an e-mail's own page: styles of its own, and links that open elsewhere."""


class Inbox:
    """`async with Inbox(zone) as inbox: …`; `url` is its address then, `places` what its pages lead to.

    `names`: client by number. `zone`: in which times are told.
    """

    def __init__(self, zone: ZoneInfo, names: Mapping[str, str] | None = None, port: int = PORT) -> None:
        self.zone, self.names, self._wanted = zone, dict(names or {}), port
        self.places: dict[str, str] = {}
        self.messages: deque[Received] = deque(maxlen=MOST)
        self._count, self._more = 0, asyncio.Event()
        self._pages = Environment(
            loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._pages.globals["static"] = lambda name: f"/static/{name}?{hashlib.sha256(FILES[name]).hexdigest()[:10]}"

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self._list),
                web.get("/messages/{number:[0-9]{1,9}}", self._message),
                web.get("/messages/{number:[0-9]{1,9}}/frame", self._frame),
                web.get("/messages/{number:[0-9]{1,9}}/{view:phone|text|source}", self._message),
                web.get("/events", self._events),
                web.get("/static/{name}", self._static),
            ]
        )
        try:
            self._runner, port = await serve_http(app, HOST, self._wanted)
        except OSError:
            self._runner, port = await serve_http(app, HOST, 0)
        self.url, self._hosts = f"http://{HOST}:{port}/", {f"{HOST}:{port}", f"localhost:{port}"}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def take_sms(self, message: Message) -> None:
        """Keep an SMS as `FakeSms` gives it, and tell the pages that are open."""
        self._take(of_sms(self._count + 1, message, self.names))

    def take_email(self, message: Message) -> None:
        """Keep an e-mail as `FakeSmtp` gives it, and tell the pages that are open."""
        self._take(of_email(self._count + 1, message))

    def _take(self, one: Received) -> None:
        self._count = one.number
        self.messages.append(one)
        self._more.set()
        self._more = asyncio.Event()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> web.StreamResponse:
        if request.host not in self._hosts:
            return web.Response(status=421, text=f"This is {self.url}\n", headers=HEADERS)
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            response = self._page("missing.html", status=404, one=None)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=f"{error.reason}\n")
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _list(self, _: web.Request) -> web.Response:
        return self._page("list.html", one=None)

    async def _message(self, request: web.Request) -> web.Response:
        one, view = self._found(request), request.match_info.get("view", "html")
        if one.channel == "sms" and view != "html":
            raise web.HTTPNotFound
        thread = [other for other in self.messages if (other.channel, other.to) == (one.channel, one.to)]
        return self._page(f"{one.channel}.html", one=one, view=view, views=VIEWS, thread=thread)

    async def _frame(self, request: web.Request) -> web.Response:
        """Show an e-mail's HTML alone. Its links open windows of their own, as in a mail client: no page of ours is framed."""
        html = self._found(request).html.replace("<head>", '<head><base target="_blank">', 1)
        headers = {"Content-Security-Policy": FRAME}
        return web.Response(body=html.encode(), content_type="text/html", charset="utf-8", headers=headers)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Say how many there are, and again with each that comes (server-sent events)."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the page was closed
            while True:
                more = self._more
                await response.write(f"retry: 1000\ndata: {self._count}\n\n".encode())
                await more.wait()
        return response

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in FILES:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "public, max-age=604800"}
        return web.Response(body=FILES[name], content_type=TYPES[Path(name).suffix], charset="utf-8", headers=headers)

    def _found(self, request: web.Request) -> Received:
        number = int(request.match_info["number"])
        found = next((one for one in self.messages if one.number == number), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    def _page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        rendered = self._pages.get_template(template).render(
            messages=reversed(self.messages), count=self._count, places=self.places, zone=self.zone, **values
        )
        return web.Response(status=status, text=rendered, content_type="text/html", charset="utf-8")
