"""What a press on the brake writes to `holds`, by page or command, over what is held (`streams/README.md`, "Holds"). Pure.

Pressed twice is once: what is so already is not written again. An end that has nothing said is bound to what was shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from schemas.holds import MOST_PARTIES, Hold


class PressError(ValueError):
    """That cannot be pressed; the text says why."""


class NothingHeldError(PressError):
    """There is nothing to end."""


class NotShownError(PressError):
    """What was shown then is not what is held now."""


class TooManyPartiesError(PressError):
    """So many third parties cannot be held."""


def held(
    old: Hold | None, organisation: str, at: datetime, by: str | None, *, notices: bool = False, parties: Iterable[str] = ()
) -> Hold:
    """Return the record that holds this, beside what is held. A hold of notices that is on stays the same one.

    Raises:
        TooManyPartiesError: more third parties than a record takes.
    """
    on = old is not None and old.notices
    every = [*dict.fromkeys([*(old.parties if old is not None else []), *parties])]
    if len(every) > MOST_PARTIES:
        raise TooManyPartiesError(f"{organisation} holds the requests of {MOST_PARTIES} parties at most")
    return Hold(
        organisation=organisation, at=old.at if old is not None and on else at, notices=notices or on, parties=every, by=by
    )


def ended(
    old: Hold | None,
    organisation: str,
    at: datetime,
    by: str | None,
    *,
    parties: Iterable[str] = (),
    seen_at: datetime | None = None,
) -> Hold:
    """Return the record that ends the hold of notices, and leaves those of these parties. `seen_at`: nothing is said of what was
    shown then.

    Raises:
        NothingHeldError: nothing is held.
        NotShownError: this hold was not on yet when that was shown, or that is still to come.
    """
    if old is None or not (old.notices or old.parties):
        raise NothingHeldError(f"{organisation} holds nothing")
    if seen_at is not None and not old.at < seen_at <= at:
        raise NotShownError(f"this hold was set at {old.at.isoformat()}, and it is {at.isoformat()}")
    return Hold(organisation=organisation, at=at, notices=False, parties=[*parties], seen_at=seen_at, by=by)


def released(old: Hold | None, organisation: str, at: datetime, by: str | None, party: str) -> Hold:
    """Return the record that lets the requests of one party go, and leaves the rest as it is."""
    if old is None or party not in old.parties:
        raise NothingHeldError(f"{organisation} holds nothing of {party}")
    return Hold(
        organisation=organisation, at=old.at if old.notices else at, notices=old.notices,
        parties=[one for one in old.parties if one != party], by=by,
    )  # fmt: skip
