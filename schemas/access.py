"""`access-log`: who looked at which client, and who changed what an organisation chose (NEN 7513)."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from .wire import Instant, Wire

Role = Literal["inzage", "kosten", "beheer"]
"""What a user may: see texts and clients; see sums alone; change settings, and see who looked."""

ROLES: tuple[Role, ...] = get_args(Role)

AccessOutcome = Literal["shown", "done", "refused", "failed"]

EVERY = "*"
"""The organisation of a record that is of all of them, or of none that is known."""

SIGN_OUT, END_SESSIONS = "sign-out", "end-sessions"
"""Actions after which sessions count no more: the one, and all of a user."""


class Change(Wire, frozen=True, kw_only=True):
    """One thing that an organisation changed of its settings, as its page calls it: what it was, and what it is, in words."""

    what: str
    was: str
    now: str


class AccessRecord(Wire, frozen=True, kw_only=True):
    """`access-log`, key `organisation` (`*`: of all of them). Written before the first byte of what it tells of is shown.

    `user` is who is signed in, the machine's user at a command, or the key of a third party; `for`: for whom that one works: the
    party, or who became that user by sudo. `role`: the roles in force, `command` or `party`. `action`: the page or command.
    `clients` are all whose data the answer holds; a command names only those it was asked for, and `filter` what it was asked.
    `outcome`: `shown`, `done` (something was changed), `refused`, or `failed` (it broke off after it was begun).
    `changes`: of settings that were saved, what was changed.
    `session`: a hash that is the same for all of one session; of `end-sessions`, of the user whose sessions end.
    """

    id: str
    at: Instant
    organisation: str
    user: str
    user_name: str | None = None
    role: str
    for_: str | None = msgspec.field(default=None, name="for")
    action: str
    clients: tuple[str, ...] = ()
    filter: str | None = None
    outcome: AccessOutcome
    session: str | None = None
    changes: tuple[Change, ...] = ()
