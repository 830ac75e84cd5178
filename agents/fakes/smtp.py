"""An SMTP server that keeps what arrives, and misbehaves on demand. Its protocol is aiosmtpd's."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

import aiosmtpd.smtp
import msgspec
from aiohttp import web

from . import SHOWN, Fake, control, listen, serve_http


class ScriptedAnswer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One misbehaviour. The first rule that strikes decides; without one the server does what it is asked.

    Attributes:
        at: the command it answers: `connect` the greeting, `data` the DATA command, `payload` the whole message after it.
        match: searched for in the recipient (at `mail`: in the sender); empty: any.
        do: `answer` with the reply, `hang` without one, `drop` the connection.
        reply: code and text.
        keep: whether a message is kept all the same, at `payload`.
        delay_seconds: before it does so.
        every: only each n-th time that it fits.
        times: how often at most; None: without end.
    """

    at: Literal["connect", "ehlo", "mail", "rcpt", "data", "payload"] = "rcpt"
    match: str = ""
    do: Literal["answer", "hang", "drop"] = "answer"
    reply: str = "550 5.1.1 User unknown"
    keep: bool = False
    delay_seconds: float = 0.0
    every: int = 1
    times: int | None = None


class _Strikes:
    """The rules, and how often each has fitted and struck."""

    def __init__(self, rules: Sequence[ScriptedAnswer]) -> None:
        self._rules = rules
        self._fitted = [0] * len(rules)
        self._struck = [0] * len(rules)

    def find(self, at: str, subject: str) -> ScriptedAnswer | None:
        for index, rule in enumerate(self._rules):
            if rule.at != at or not re.search(rule.match, subject):
                continue
            self._fitted[index] += 1
            if self._fitted[index] % rule.every == 0 and (rule.times is None or self._struck[index] < rule.times):
                self._struck[index] += 1
                return rule
        return None


class FakeSmtp(Fake):
    """The server. `port` is its port once it was started, `connections` how many it had.

    `received.messages` is what it took, as JSON; `raw` the same mails as bytes.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        rules: Sequence[ScriptedAnswer] = (),
        users: dict[str, str] | None = None,
        tls_context: ssl.SSLContext | None = None,
        smtputf8: bool = True,
        idle_seconds: float = 300.0,
        size_limit: int = 10 << 20,
        record: Path | None = None,
        on_message: SHOWN | None = None,
        control_port: int | None = None,
    ) -> None:
        """Make it.

        Args:
            host: where to listen.
            port: 0: any that is free.
            rules: how it misbehaves.
            users: names and passwords; with them a login is required.
            tls_context: offers STARTTLS, and AUTH only after it.
            smtputf8: whether it takes addresses outside ASCII.
            idle_seconds: it closes a connection that says nothing for so long.
            size_limit: of a message, in bytes.
            record: a file for what it took.
            on_message: called with each message.
            control_port: where the control endpoint listens; None: there is none.
        """
        super().__init__(record, on_message)
        self.host, self.port, self.control_port = host, port, control_port
        self.users = users
        self.strikes = _Strikes(rules)
        self.raw: list[bytes] = []
        self.connections = 0
        self.open: set[_Session] = set()
        self._runner: web.AppRunner | None = None
        self._settings: dict[str, Any] = {
            "hostname": "fake.invalid",
            "ident": "ESMTP",
            "enable_SMTPUTF8": smtputf8,
            "tls_context": tls_context,
            "auth_require_tls": tls_context is not None,
            "authenticator": self._authenticate,
            "timeout": idle_seconds,
            "data_size_limit": size_limit,
        }
        # Its lines hold addresses, and a hook that fails is seen as a 500.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)

    async def start(self) -> None:
        """Listen. Raises OSError where it cannot."""
        loop = asyncio.get_running_loop()
        listening = listen(self.host, self.port)
        self._server = await loop.create_server(lambda: _Session(self, loop=loop, **self._settings), sock=listening)
        self.port = int(listening.getsockname()[1])
        if self.control_port is not None:
            app = web.Application()
            app.add_routes(control(self.received, self._reprogram))
            self._runner, self.control_port = await serve_http(app, self.host, self.control_port)

    async def stop(self) -> None:
        """Cut everything off."""
        self.stopping.set()
        self._server.close()
        for session in list(self.open):
            session.abort()
        if self._runner is not None:
            await self._runner.cleanup()
        await super().stop()

    def program(self, *rules: ScriptedAnswer) -> None:
        """Misbehave like that from now on."""
        self.strikes = _Strikes(rules)

    def _reprogram(self, settings: bytes) -> None:
        self.program(*msgspec.json.decode(settings, type=list[ScriptedAnswer]))

    def cut(self) -> None:
        """Close every connection, as a server does that was restarted or that was idle for too long."""
        for session in list(self.open):
            session.abort()

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        known = (self.users or {}).get(data.login.decode())
        return aiosmtpd.smtp.AuthResult(success=known is not None and known == data.password.decode(), handled=False)


class _Session(aiosmtpd.smtp.SMTP):  # type: ignore[misc]  # aiosmtpd has no types
    """One connection. aiosmtpd calls the `handle_` hooks of its handler, which is this object as well."""

    def __init__(self, fake: FakeSmtp, **settings: Any) -> None:
        self._fake = fake
        self._greeted = False
        super().__init__(self, **settings)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self not in self._fake.open:  # STARTTLS comes here again
            self._fake.connections += 1
            self._fake.open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._fake.open.discard(self)
        super().connection_lost(error)

    def abort(self) -> None:
        """Cut the connection without a word."""
        transport = self._original_transport or self.transport
        if transport is not None:
            transport.abort()

    async def handle_exception(self, error: Exception) -> str:
        """Return what the client hears of a mistake in this file."""
        return f"451 4.3.0 {type(error).__name__}"

    async def push(self, status: Any) -> None:
        """Say something to the client, the greeting first: all that the server says goes through here."""
        if not self._greeted:
            self._greeted = True
            status = await self._struck("connect", "") or status
        await super().push(status)

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, lines: list[str]) -> list[str]:  # noqa: N802
        reply = await self._struck("ehlo", hostname)
        session.host_name = hostname
        return [reply] if reply else lines

    async def handle_MAIL(self, _server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if self._fake.users and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = await self._struck("mail", address)
        if reply is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802
        reply = await self._struck("rcpt", address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Answer the DATA command, perhaps with a refusal before the message is handed over."""
        reply = await self._struck("data", " ".join(self.envelope.rcpt_tos))
        if reply is None:
            await super().smtp_DATA(arg)
        else:
            await self.push(reply)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        number = len(self._fake.received.messages) + 1
        rule = self._fake.strikes.find("payload", " ".join(envelope.rcpt_tos))
        if rule is None or rule.keep:
            self._fake.raw.append(envelope.content)
            self._fake.received.add(_message(envelope))
        return (rule and await self._do(rule)) or f"250 2.0.0 OK: queued as FAKE{number:06d}"

    async def _struck(self, at: str, subject: str) -> str | None:
        rule = self._fake.strikes.find(at, subject)
        return await self._do(rule) if rule else None

    async def _do(self, rule: ScriptedAnswer) -> str:
        await self._fake.wait(rule.delay_seconds)
        if rule.do == "hang":
            await self._fake.wait(3600)
        if rule.do != "answer":
            self.abort()
            raise asyncio.CancelledError  # aiosmtpd ends the session on it
        return rule.reply


def _message(envelope: Any) -> dict[str, Any]:
    parsed = message_from_bytes(envelope.content, policy=policy.default)
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "mail_from": envelope.mail_from,
        "recipients": list(envelope.rcpt_tos),
        "message_id": parsed["Message-ID"],
        "subject": parsed["Subject"],
        "data": envelope.content.decode("utf-8", "replace"),
    }
