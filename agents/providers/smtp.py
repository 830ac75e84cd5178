"""E-mail through an SMTP server, over a few connections that are kept open (RFC 5321).

`aiosmtplib` has no pool, and a send that is cut off leaves its connection out of step: the next one would read its reply. So each
connection has one user at a time and is closed on anything but an answer. The commands are given one by one, because what a
failure means depends on where it happened: before the whole message was handed over nothing was sent, after it nobody knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from schemas.addresses import AddressError, mailbox, normalised

from ..settings.sending import SenderSettings
from . import AnswerKind, EmailCall, ProviderAnswer, tls
from .smtp_answers import enhanced_code, smtp_rule

IDLE_SECONDS = 60.0
"""A connection that was idle for longer is opened anew: something between us and the server may have forgotten it."""

TLS: dict[str, Literal["starttls", "tls", "none"]] = {"starttls": "starttls", "implicit": "tls", "none": "none"}
"""By the setting's word."""

KINDS: dict[str, AnswerKind] = {
    "sent": "sent",
    "retry": "retry",
    "permanent_address": "permanent_address",
    "permanent_message": "permanent_message",
    "our_fault_stop": "stop",
}

_QUEUED = re.compile(r"\b(?:queued as |id=)<?([A-Za-z0-9._-]{4,80})")


@dataclass
class _Progress:
    """How far a send came: the phase as in `smtp_answers.PHASES`, and whether the server may have the whole message."""

    phase: str = "connect"
    handed_over: bool = False


@dataclass(frozen=True)
class _Mail:
    """What goes over the wire: addresses that were checked, lines that end in CR LF."""

    sender: str
    recipient: str
    data: bytes


@dataclass(frozen=True)
class _Server:
    """Where to connect, and as whom."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    user: str | None
    password: str | None
    timeout: float
    local_hostname: str | None
    tls_context: ssl.SSLContext | None


class Smtp:
    """A mail server. One recipient a mail, so that an answer is about that recipient."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: Literal["starttls", "tls", "none"] = "starttls",
        user: str | None = None,
        password: str | None = None,
        timeout: float = 15.0,
        connections: int = 8,
        per_connection: int = 100,
        local_hostname: str | None = None,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make it; it connects when there is something to send.

        Args:
            host: the server.
            port: 587 for `starttls`, 465 for `tls`, as a rule.
            tls: `starttls` and `tls` are required, not tried; `none` is for a server on this machine.
            user: logs in where it is given.
            password: of that user.
            timeout: seconds for the whole send, waiting for a connection included.
            connections: how many are open at most.
            per_connection: how many mails one carries before it is opened anew.
            local_hostname: our name in EHLO; None: this machine's, which may need a slow look-up.
            tls_context: trusts other certificates than the system's.
        """
        server = _Server(host, port, tls, user, password, timeout, local_hostname, tls_context)
        self._timeout = timeout
        # Last in, first out: the warm ones are used, the others are never opened.
        self._free: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        self._all = [_Connection(server, per_connection) for _ in range(connections)]
        for connection in self._all:
            self._free.put_nowait(connection)

    async def __call__(self, call: EmailCall) -> ProviderAnswer:
        """Send it. Cancelled after the message was handed over, it may arrive all the same."""
        try:
            recipient = normalised(call.recipient)
        except AddressError:
            return ProviderAnswer(kind="permanent_address", detail="smtp: not an address")
        try:
            sender = mailbox(call.mail_from).address
        except AddressError:  # of one organisation: it must not stop the others
            return ProviderAnswer(kind="stop", detail="smtp: the sender is not an address", whose="organisation")
        mail = _Mail(sender, recipient, normalize_message_line_endings(call.data))
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(mail, progress)
        except aiosmtplib.SMTPResponseException as error:
            return _answered(error.code, error.message, progress)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # a TimeoutError is an OSError
            return _failed(error, progress)

    async def close(self) -> None:
        """Say goodbye on all connections."""
        for connection in self._all:
            connection.quit()

    async def _send(self, mail: _Mail, progress: _Progress) -> ProviderAnswer:
        connection = await self._free.get()
        try:
            try:
                return await connection.send(mail, progress)
            # Servers close idle connections when they like, with a 421 or without. What was not handed over can go again at once.
            except aiosmtplib.SMTPServerDisconnected:
                if progress.handed_over:
                    raise
            except aiosmtplib.SMTPSenderRefused as error:
                if error.code != 421 or not connection.reused:
                    raise
            return await connection.send(mail, progress)
        finally:
            self._free.put_nowait(connection)


class _Connection:
    """One connection, opened when needed. It has one user at a time."""

    def __init__(self, server: _Server, limit: int) -> None:
        self._server = server
        self._limit = limit
        self._smtp: aiosmtplib.SMTP | None = None
        self._mails = 0
        self._used = 0.0
        self._envelope_open = False

    @property
    def reused(self) -> bool:
        """Tell whether it carried a mail before the one at hand."""
        return self._mails > 1

    async def send(self, mail: _Mail, progress: _Progress) -> ProviderAnswer:
        """Send a mail. Raises what aiosmtplib raises; `progress` says where."""
        try:
            smtp = await self._ready(progress)
            self._mails += 1
            outcome = await self._transact(smtp, mail, progress)
        except aiosmtplib.SMTPResponseException as error:
            # A refusal, so we are in step; an envelope that was begun is dropped before the next one.
            self._envelope_open, self._used = True, asyncio.get_running_loop().time()
            if progress.phase not in ("mail", "rcpt", "data") or error.code == 421 or not 400 <= error.code < 600:
                self.close()
            raise
        except BaseException:  # cut off: the next reply would be to our last command, not to the next
            self.close()
            raise
        self._used = asyncio.get_running_loop().time()
        return outcome

    def close(self) -> None:
        """Drop the connection."""
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def quit(self) -> None:
        """Say goodbye and close, without waiting for an answer that changes nothing."""
        if self._smtp is not None and self._smtp.protocol is not None and self._smtp.is_connected:
            self._smtp.protocol.write(b"QUIT\r\n")
        self.close()

    async def _ready(self, progress: _Progress) -> aiosmtplib.SMTP:
        """Return the connection, open, encrypted, logged in and without an envelope."""
        if self._mails >= self._limit or asyncio.get_running_loop().time() - self._used > IDLE_SECONDS:
            self.quit()
        if self._smtp is not None and self._smtp.is_connected:
            progress.phase = "mail"
            if not self._envelope_open or await _reset(self._smtp):
                self._envelope_open = False
                return self._smtp
        self.close()
        server, self._mails, self._envelope_open = self._server, 0, False
        smtp = self._smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "tls",
            start_tls=False,  # done below, where its failure is told from the connection's
            timeout=server.timeout,
            local_hostname=server.local_hostname,
            tls_context=server.tls_context,
        )
        progress.phase = "connect"
        await smtp.connect()
        if server.tls == "starttls":
            progress.phase = "starttls"
            await smtp.starttls()  # raises where it is not offered
        if server.user is not None:
            progress.phase = "auth"
            await smtp.login(server.user, server.password or "")
        return smtp

    async def _transact(self, smtp: aiosmtplib.SMTP, mail: _Mail, progress: _Progress) -> ProviderAnswer:
        if smtp.is_ehlo_or_helo_needed:
            progress.phase = "ehlo"
            await smtp.ehlo()
        progress.phase = "mail"
        wide = not mail.recipient.isascii()
        if wide and not smtp.supports_extension("smtputf8"):
            return ProviderAnswer(kind="permanent_address", detail="smtp: SMTPUTF8 is not supported")
        options = [f"SIZE={len(mail.data)}"] if smtp.supports_extension("size") else []
        if not mail.data.isascii() and smtp.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        encoding = "utf-8" if wide else "ascii"
        await smtp.mail(mail.sender, options=[*options, "SMTPUTF8"] if wide else options, encoding=encoding)
        progress.phase = "rcpt"
        await smtp.rcpt(mail.recipient, encoding=encoding)
        progress.phase = "data"
        ready = await smtp.execute_command(b"DATA")
        if ready.code != 354 or smtp.protocol is None:
            raise aiosmtplib.SMTPDataError(ready.code, ready.message)
        progress.handed_over = True
        smtp.protocol.write(re.sub(rb"(?m)^\.", b"..", mail.data) + b".\r\n")
        reply = await smtp.protocol.read_response(timeout=self._server.timeout)
        if not 200 <= reply.code < 300:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        return _answered(reply.code, reply.message, progress)


async def _reset(smtp: aiosmtplib.SMTP) -> bool:
    """Drop the envelope that was begun; false where the server will not."""
    with contextlib.suppress(aiosmtplib.SMTPResponseException):
        await smtp.rset()
        return True
    return False


def _answered(code: int, text: str, progress: _Progress) -> ProviderAnswer:
    if not progress.handed_over and code < 400:  # an odd success before there was a message: the session is out of step
        code = -1
    enhanced = enhanced_code(text)
    detail = " ".join(filter(None, ("smtp:", str(code), enhanced, progress.phase)))
    if progress.handed_over and not 200 <= code < 600:  # no reply at all: the message may have been taken
        return ProviderAnswer(kind="unknown", detail=detail)
    rule = smtp_rule(code, enhanced, text, progress.phase)
    kind = KINDS[rule.answer]
    queued = _QUEUED.search(text) if kind == "sent" else None
    return ProviderAnswer(kind=kind, detail=detail, whose=rule.whose, provider_id=queued[1] if queued else None)


def _failed(error: Exception, progress: _Progress) -> ProviderAnswer:
    detail = f"smtp: {type(error).__name__} {progress.phase}"
    if progress.handed_over:
        return ProviderAnswer(kind="unknown", detail=detail)
    if (refused := tls.refusal(error)) is not None:
        return ProviderAnswer(kind="stop", detail=f"smtp: {type(refused).__name__} {progress.phase}")
    if isinstance(error, OSError):  # refused, cut off, timed out
        return ProviderAnswer(kind="retry", detail=detail)
    if isinstance(error, ValueError) and progress.phase == "rcpt":
        return ProviderAnswer(kind="permanent_address", detail=detail)
    # STARTTLS or AUTH is not offered, or our own sender, user or host name cannot be put into a command.
    return ProviderAnswer(kind="stop", detail=detail)


def mail_server(settings: SenderSettings, connections: int) -> Smtp:
    """Return the mail server of the settings."""
    return Smtp(
        settings.smtp_host, settings.smtp_port, TLS[settings.smtp_tls], settings.smtp_user, settings.smtp_password,
        timeout=settings.smtp_timeout_seconds, connections=connections,
    )  # fmt: skip
