"""What the command `access` shows, and what a command writes of itself before it shows anything."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

import pytest

from agents.access.command import record_of
from agents.commands.access import ending, is_wanted, line
from agents.projection.access import user_hash
from schemas.access import AccessRecord
from schemas.keys import ClientKey

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
SEEN = AccessRecord(
    id="1", at=NOW, organisation="linde", user="jan", role="inzage", action="messages", clients=("anna", "bert"), outcome="shown"
)  # fmt: skip


@pytest.mark.parametrize(
    ("what", "asked", "wanted"),
    [
        ("the client is in it", (ClientKey("linde", "anna"), None, None), True),
        ("another client", (ClientKey("linde", "carla"), None, None), False),
        ("a client of the same id elsewhere", (ClientKey("plein", "anna"), None, None), False),
        ("the user", (None, "jan", "linde"), True),
        ("another user", (None, "piet", None), False),
        ("another organisation", (None, "jan", "plein"), False),
    ],
)
def test_which_records_are_shown(what: str, asked: tuple[ClientKey | None, str | None, str | None], wanted: bool) -> None:
    assert is_wanted(SEEN, *asked) is wanted, what


def test_a_record_is_a_line() -> None:
    assert line(SEEN) == "2026-03-20T12:00:00+00:00  linde  jan  inzage  messages  shown  anna, bert"


def test_the_end_of_a_users_sessions_names_them_by_the_hash_that_the_web_looks_for() -> None:
    ended = ending("linde", "jan", NOW)
    assert (ended.action, ended.session, ended.filter) == ("end-sessions", user_hash("linde", "jan"), "user=jan")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            Namespace(command="why", run=None, client=ClientKey("linde", "anna"), appointment=None, json=True),
            ("linde", ("anna",), "json=True", "shown"),
        ),
        (
            Namespace(command="log", run=None, organisation=["linde", "plein"], client=["anna"], status=["sent", "failed"]),
            ("*", ("anna",), "status=sent,failed organisation=linde organisation=plein", "shown"),
        ),
        (Namespace(command="log", run=None, organisation=None, client=None), ("*", (), None, "shown")),
        (
            Namespace(command="erase", run=None, client=ClientKey("linde", "anna"), dry_run=False),
            ("linde", ("anna",), None, "done"),
        ),
    ],
)
def test_a_command_writes_whom_it_is_about_and_its_arguments(args: Namespace, said: tuple[object, ...]) -> None:
    record = record_of(args, NOW)
    assert (record.organisation, record.clients, record.filter, record.outcome) == said
    assert (record.role, record.action, bool(record.user)) == ("command", args.command, True)
