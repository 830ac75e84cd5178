"""Consents and contacts count part by part: a part that cannot be used is unknown, and what is unknown is off.

So a contact with a new number and a bad address never leaves the old number standing, and `notifications: false` counts whatever
else is wrong. What is wrong is returned beside the record, for its dead letter. A record without readable ids counts not at all.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, TypeVar

from msgspec import UNSET

from schemas.addresses import AddressError, normalised
from schemas.channels import CHANNELS
from schemas.inputs import Channel, Consent, Contact, Email, Phone
from schemas.strict import whole
from schemas.wire import BadRecordError, Id, Int64, check

T = TypeVar("T")

LanguageTag = Annotated[str, whole("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", max_length=35)]


class Partial(NamedTuple):
    """A record as far as it can be used, what of it cannot, and how many channels nobody here knows."""

    record: Any
    faults: list[str]
    unknown_channels: int = 0


def consent_of(plain: Any) -> Partial:
    """Read a consent. Raises BadRecordError where its ids are missing or wrong."""
    ids, faults = ids_of(plain), list[str]()
    listed: list[Any] = part(list, plain, "channels", [], faults)
    for number, one in enumerate(listed):
        if not isinstance(one, str):
            faults.append(f"Expected `str` - at `$.channels[{number}]`")
    names = [one for one in listed if isinstance(one, str)]
    revision = part(Int64 | None, plain, "revision", None, faults)
    language = part(LanguageTag | None, plain, "language", None, faults)
    consent = Consent(
        **ids, notifications=part(bool, plain, "notifications", False, faults),
        channels=[channel for name in names for channel in CHANNELS if channel == name],
        source=part(str | None, plain, "source", None, faults), revision=UNSET if revision is None else revision,
        language=UNSET if language is None else language,
    )  # fmt: skip
    return Partial(consent, faults, sum(name not in CHANNELS for name in names))


def contact_of(plain: Any) -> Partial:
    """Read a contact. Raises BadRecordError where its ids are missing or wrong."""
    ids, faults = ids_of(plain), list[str]()
    sms, email = part(Phone | None, plain, "sms", None, faults), email_part(plain, faults)
    return Partial(Contact(**ids, sms=sms, email=email, revision=part(Int64 | None, plain, "revision", None, faults)), faults)


def channels_part(plain: dict[str, Any], faults: list[str]) -> tuple[Channel, ...]:
    """Return the channels that a record lists, without what is none."""
    listed: list[Any] = part(list, plain, "channels", [], faults)
    faults += [f"Invalid enum value - at `$.channels[{number}]`" for number, one in enumerate(listed) if one not in [*CHANNELS]]
    return tuple(channel for one in listed for channel in CHANNELS if channel == one)


def email_part(plain: dict[str, Any], faults: list[str]) -> Email | None:
    """Return the e-mail address of a record, None where it is missing or no address of the domain name system."""
    email: Email | None = part(Email | None, plain, "email", None, faults)
    try:
        if email is not None:
            normalised(email.address)
    except AddressError as error:
        faults.append(f"{error} - at `$.email.address`")
        return None
    return email


def ids_of(plain: Any) -> dict[str, str]:
    """Return the ids of organisation and client. Raises BadRecordError."""
    if not isinstance(plain, dict):
        raise BadRecordError("Expected `object`")
    faults: list[str] = []
    ids = {name: part(Id, plain, name, "", faults) for name in ("organisation", "client")}
    if faults:
        raise BadRecordError(faults[0])
    return ids


def part(type_: Any, plain: dict[str, Any], name: str, unknown: T, faults: list[str]) -> T:
    """Return a field, or `unknown` where it is missing or wrong; that is a fault unless nothing is what `unknown` says too."""
    if name not in plain and unknown is None:
        return unknown
    if name not in plain:
        faults.append(f"Object missing required field `{name}`")
        return unknown
    try:
        return check(type_, plain[name])  # type: ignore[no-any-return]
    except BadRecordError as error:
        faults.append(placed(str(error), name))
        return unknown


def placed(fault: str, place: str) -> str:
    """Return what is wrong with a part of a record, with its place in the whole."""
    return fault.replace("`$", f"`$.{place}", 1) if " - at `$" in fault else f"{fault} - at `$.{place}`"
