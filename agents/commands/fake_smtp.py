"""`afspraakbericht fake-smtp`: an SMTP server on this machine that shows what it gets (`agents/fakes/smtp.py`)."""

from __future__ import annotations

import argparse
import contextlib
from email import message_from_bytes, policy
from pathlib import Path

import msgspec

from agents.fakes import Message
from agents.fakes.smtp import FakeSmtp, ScriptedAnswer

from .running import refused, serve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8625, help="0: any that is free (default: 8625)")
    parser.add_argument("--control-port", type=int, help="where its control endpoint listens (default: nowhere)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append each message to this file, before it is answered")
    parser.add_argument("--quiet", action="store_true", help="do not show the messages")
    parser.add_argument("--idle-seconds", type=float, default=300.0, help="close connections that say nothing for so long")
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="JSON",
        help='a misbehaviour, such as {"at": "rcpt", "match": "@bad", "reply": "550 5.1.1 User unknown"}; may be repeated',
    )


def run(args: argparse.Namespace) -> int:
    """Serve until stopped; 2 where it cannot listen, write or understand its rules."""
    try:
        rules = [msgspec.json.decode(rule, type=ScriptedAnswer) for rule in args.rule]
    except msgspec.MsgspecError as error:
        return refused(f"--rule: {error}")

    def make() -> FakeSmtp:
        return FakeSmtp(
            args.host, args.port, rules=rules, idle_seconds=args.idle_seconds, record=args.record,
            on_message=None if args.quiet else _show, control_port=args.control_port,
        )  # fmt: skip

    return serve(make, _where, f"an SMTP server on {args.host}:{args.port}")


def _where(fake: FakeSmtp) -> str:
    control = f", controlled at http://{fake.host}:{fake.control_port}" if fake.control_port is not None else ""
    return f"SMTP server on {fake.host}:{fake.port}{control}"


def _show(message: Message) -> None:
    first = ""
    with contextlib.suppress(LookupError, ValueError):  # a charset that nobody knows: shown without its text
        body = message_from_bytes(message["data"].encode(), policy=policy.default).get_body(("plain", "html"))
        first = next((line for line in body.get_content().splitlines() if line.strip()), "") if body is not None else ""
    print(f"e-mail {message['mail_from']} -> {', '.join(message['recipients'])}: {message['subject']}: {first!r}", flush=True)
