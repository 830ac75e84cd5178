"""The records that upstream services write (DESIGN.md "Records"): the input topics.

Checks that need more than one field stand in `streams/intake.py`; what one field may hold stands here, so that the JSON
Schema of each record (`afspraakbericht schema TOPIC`) says it too.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .wire import Id, Input, Instant, Line

Channel = Literal["email", "sms"]

LocalTime = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Local wall time, `HH:MM`."""

Template = Annotated[str, msgspec.Meta(max_length=200)]
"""Literal text that an organisation puts before or after the sentences: at most 200 characters."""

Subject = Annotated[Line, msgspec.Meta(min_length=1, max_length=200)]

Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]


class Location(Input, frozen=True, kw_only=True):
    """Where it is: a name only, never an address."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern="^[^\\x00-\\x1f\\x7f]*$")]


class Attendee(Input, frozen=True, kw_only=True):
    """A client on an appointment. `present: false` keeps the appointment and says nothing about it."""

    client: Id
    present: bool


class Appointment(Input, frozen=True, kw_only=True):
    """`appointments`, key `organisation/appointment`: the whole appointment as it is at this revision."""

    organisation: Id
    appointment: Id
    revision: int
    status: Literal["booked", "cancelled"]
    start: Instant
    end: Instant
    location: Location | None = None
    series: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    clients: list[Attendee]


class Consent(Input, frozen=True, kw_only=True):
    """`consents`, key `organisation/client`: whether and how the client wants notices; `channels` in order of preference."""

    organisation: Id
    client: Id
    notifications: bool
    channels: list[Channel]
    source: str | None = None


class Phone(Input, frozen=True, kw_only=True):
    """A number for SMS; `confirmed` is upstream's word that it is the client's."""

    number: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    confirmed: bool


class Email(Input, frozen=True, kw_only=True):
    """An e-mail address; `confirmed` is upstream's word that it is the client's."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=254, pattern="^[^@\\s\\x00-\\x1f]+@[^@\\s\\x00-\\x1f]+$")]
    confirmed: bool


class Contact(Input, frozen=True, kw_only=True):
    """`contacts`, key `organisation/client`. Null is unknown, and unknown is off."""

    organisation: Id
    client: Id
    sms: Phone | None = None
    email: Email | None = None


class OptOut(Input, frozen=True, kw_only=True):
    """`opt-outs`, key `organisation/client`: what a client or provider turned off, or on again with `off: false`."""

    organisation: Id
    client: Id
    channel: Channel
    off: bool
    source: Literal["link", "provider", "client"]


class Erasure(Input, frozen=True, kw_only=True):
    """`erasures`, key `organisation/client`: all that is known of the client goes. `at`: when that was decided.

    `stage`: others leave it out. `copied` is intake's own record for another partition, since a client's appointments may lie in
    any; `done` says that every node has forgotten the client, for those who read what they wrote until then.
    """

    organisation: Id
    client: Id
    at: Instant
    stage: Literal["asked", "copied", "done"] = "asked"


class WindowSettings(Input, frozen=True, kw_only=True):
    """How long changes are gathered: until `quiet_seconds` without another one, at most `max_seconds`. 0 and 0: at once."""

    quiet_seconds: Seconds = 30
    max_seconds: Seconds = 120


class ReminderSettings(Input, frozen=True, kw_only=True):
    """A reminder at `at` local wall time, `days_before` days before the local day of the appointment."""

    days_before: Annotated[int, msgspec.Meta(ge=0, le=365)]
    at: LocalTime


class QuietHours(Input, frozen=True, kw_only=True):
    """No messages from `from` (included) until `until` (not included); it may cross midnight."""

    from_: LocalTime = msgspec.field(name="from")
    until: LocalTime


class SmsSettings(Input, frozen=True, kw_only=True):
    """`unit_price` is of one SMS part; costs are logged as a number or a string, as the price is given."""

    originator: Annotated[str, msgspec.Meta(pattern="^([A-Za-z0-9]+( [A-Za-z0-9]+)*|\\+?[0-9]{3,17})$", max_length=18)]
    before: Template = ""
    after: Template = ""
    unit_price: float | str
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"


class EmailSettings(Input, frozen=True, kw_only=True):
    """`from` and `reply_to` as in a mail header: an address, or a name with the address in angle brackets."""

    from_: Annotated[Line, msgspec.Meta(min_length=3, max_length=320)] = msgspec.field(name="from")
    reply_to: Annotated[Line, msgspec.Meta(min_length=3, max_length=320)] | None = None
    subject: Subject = "Bericht over uw afspraak"
    before: Template = ""
    after: Template = ""


class Organisation(Input, frozen=True, kw_only=True):
    """`organisations`, key `organisation`: the settings of a care organisation. They count whole or not at all."""

    organisation: Id
    name: Line
    notifications: bool
    time_zone: str = "Europe/Amsterdam"
    window: WindowSettings = WindowSettings()
    reminder: ReminderSettings | None = None
    quiet_hours: QuietHours | None = None
    sms: SmsSettings
    email: EmailSettings


class SmsOverride(Input, frozen=True, kw_only=True):
    """The templates of an SMS that an organisation chose itself."""

    before: Template | UnsetType = UNSET
    after: Template | UnsetType = UNSET


class EmailOverride(Input, frozen=True, kw_only=True):
    """Subject and templates of an e-mail that an organisation chose itself."""

    subject: Subject | UnsetType = UNSET
    before: Template | UnsetType = UNSET
    after: Template | UnsetType = UNSET


class OrganisationOverride(Input, frozen=True, kw_only=True):
    """`organisation-overrides`, key `organisation`: what an organisation chose itself, over what upstream says of it.

    A field that is absent is upstream's; null, where upstream's may be null, turns it off. A null value takes all of it back.
    """

    organisation: Id
    notifications: bool | UnsetType = UNSET
    reminder: ReminderSettings | UnsetType | None = UNSET
    quiet_hours: QuietHours | UnsetType | None = UNSET
    sms: SmsOverride | UnsetType = UNSET
    email: EmailOverride | UnsetType = UNSET


class Request(Input, frozen=True, kw_only=True):
    """`requests`, key `organisation/client`: a message of a third party, through the same gates and channels."""

    organisation: Id
    client: Id
    request: Id
    party: Id
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=612)]
    subject: Subject | None = None
    send_at: Instant | None = None
    expires_at: Instant | None = None
