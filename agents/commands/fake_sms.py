"""`afspraakbericht fake-sms`: an SMS gateway on this machine that shows what it gets (`agents/fakes/sms.py`)."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from agents.fakes import Message
from agents.fakes.sms import ANSWERS, FakeSms, Program

from ..terminal import counted
from .running import refused, serve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8626, help="0: any that is free (default: 8626)")
    parser.add_argument("--path", default="", help="a base path of the API, such as /v1")
    parser.add_argument("--key", help="the only access key that is taken (default: any)")
    parser.add_argument("--signing-key", metavar="KEY", help="sign status reports with this key")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append each message to this file, before it is answered")
    parser.add_argument("--quiet", action="store_true", help="do not show the messages")
    parser.add_argument("--delay-seconds", type=float, default=0.0, help="before each answer")
    parser.add_argument("--answer", choices=sorted(ANSWERS), help="answer so, in place of taking the message")
    parser.add_argument("--error-every", type=int, default=0, metavar="N", help="answer so each N-th time only")
    parser.add_argument("--hang-every", type=int, default=0, metavar="N", help="leave each N-th request without an answer")
    parser.add_argument("--accept-then-hang", action="store_true", help="take the message that is left without an answer")
    parser.add_argument("--program", metavar="JSON", help="all of it at once, as POST /_program takes it")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped; 2 where it cannot listen, write or understand its program."""
    try:
        program = msgspec.json.decode(args.program, type=Program) if args.program else _program(args)
    except msgspec.MsgspecError as error:
        return refused(f"--program: {error}")

    def make() -> FakeSms:
        return FakeSms(
            args.host, args.port, key=args.key, signing_key=args.signing_key, program=program, record=args.record,
            on_message=None if args.quiet else _show, path=args.path.rstrip("/"),
        )  # fmt: skip

    return serve(make, lambda fake: f"SMS gateway on {fake.url}", f"an SMS gateway on {args.host}:{args.port}")


def _program(args: argparse.Namespace) -> Program:
    return Program(
        delay_seconds=args.delay_seconds,
        answer=args.answer,
        error_every=args.error_every,
        hang_every=args.hang_every,
        accept_then_hang=args.accept_then_hang,
    )


def _show(message: Message) -> None:
    to = ", ".join(f"+{recipient}" for recipient in message["recipients"])
    print(f"SMS {message['originator']} -> {to} ({counted(message['parts'], 'part')}): {message['body']!r}", flush=True)
