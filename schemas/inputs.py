"""The records that upstream services write (`schemas/README.md`): the input topics.

Checks that need more than one field stand in `streams/intake/intake.py`; what one field may hold stands here, so that the JSON
Schema of each record (`afspraakbericht schema TOPIC`) says it too.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .employee_settings import DIGEST_AT, EmployeeSettings
from .floods import FloodSettings
from .strict import about, bounds, whole
from .texts import (
    EXAMPLE_LABELS,
    EXAMPLE_TEXTS,
    EXAMPLE_TRANSLATIONS,
    TEXT,
    EmailSettings,
    EmailTexts,
    Labels,
    Languages,
    LinkHosts,
    SaySettings,
    SmsSettings,
    SmsTexts,
    Subject,
    Templates,
    ToOthers,
    Translations,
)
from .wire import LINE, ClientId, ClientIdIfAny, Id, Input, Instant, Int64, Line, LocalTime, OrganisationId, RecipientId

Channel = Literal["email", "sms"]

NOT_WITHIN_HOURS, NOT_WITHIN_MOST = 12, 168
"""Where nothing is said, and at most: hours in which there is no reminder after a message that told the same."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]


class Consent(Input, frozen=True, kw_only=True):
    """`consents`, key `organisation/client`: whether and how the client wants notices; `channels` in order of preference."""

    organisation: OrganisationId
    client: ClientId
    notifications: Annotated[bool, about("Whether the client wants notices at all.", True)]
    channels: Annotated[
        list[Channel], about("The channels that the client agrees to, the preferred one first.", ["sms", "email"])
    ]
    source: Annotated[str | None, about("Where the consent was given; for people.", "intake form")] = None
    revision: Annotated[
        Int64 | UnsetType | None, about("Of two that have one the lower is ignored; null: it counts as it comes.", 3)
    ] = UNSET  # left out where it is not known: rows of before have none
    language: Annotated[
        Annotated[str, whole("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", max_length=35)] | UnsetType | None,
        about("The client's language (BCP 47); null, or one that the organisation does not use: the organisation's first.", "en"),
    ] = UNSET


class Phone(Input, frozen=True, kw_only=True):
    """A number for SMS; `confirmed` is upstream's word that it is the client's."""

    number: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=50),
        about("As people write it: Dutch, or international with +.", "06 12345678"),
    ]
    confirmed: Annotated[
        bool | None,
        about(
            "Whether upstream knows that it is the client's; false: it is not used; null: as it is known of the same one.", True
        ),
    ]


class Email(Input, frozen=True, kw_only=True):
    """An e-mail address; `confirmed` is upstream's word that it is the client's."""

    address: Annotated[
        str, whole("[^@\\s\\x00-\\x1f]+@[^@\\s\\x00-\\x1f]+", min_length=3, max_length=254),
        about("The address.", "anna@example.org"),
    ]  # fmt: skip
    confirmed: Annotated[
        bool | None,
        about(
            "Whether upstream knows that it is the client's; false: it is not used; null: as it is known of the same one.", True
        ),
    ]


class Contact(Input, frozen=True, kw_only=True):
    """`contacts`, key `organisation/client`. Null is unknown, and unknown is off."""

    organisation: OrganisationId
    client: ClientId
    sms: Annotated[Phone | None, about("The number for SMS; null: unknown.", {"number": "06 12345678", "confirmed": True})] = None
    email: Annotated[
        Email | None, about("The e-mail address; null: unknown.", {"address": "anna@example.org", "confirmed": True})
    ] = None
    revision: Annotated[Int64 | None, about("Of two that have one the lower is ignored; null: it counts as it comes.", 3)] = None


class OptOut(Input, frozen=True, kw_only=True):
    """`opt-outs`, key `organisation/client`: what a client or provider turned off, or on again with `off: false`.

    Of an employee, key `organisation//employee`, it has a `recipient` and no client.
    """

    organisation: OrganisationId
    client: ClientIdIfAny = ""
    channel: Annotated[Channel, about("The channel.", "email")]
    off: Annotated[bool, about("Whether it is off from now on; false turns it on again.", True)]
    source: Annotated[
        Literal["link", "provider", "client"],
        about("Who turned it off: an unsubscribe link, the provider (STOP), or the client by other means.", "link"),
    ]
    recipient: Annotated[
        RecipientId | UnsetType,
        about("Whose it is, where that is not the client: `p:` and the person's id, or `e:` and an employee's.", "p:moeder"),
    ] = UNSET
    mark: Annotated[
        Annotated[str, whole("[0-9a-f]{16}")] | UnsetType, about("Ours: a hash of the person's address.", "0f1e2d3c4b5a6978")
    ] = UNSET


class WindowSettings(Input, frozen=True, kw_only=True):
    """How long changes are gathered: until `quiet_seconds` without another one, at most `max_seconds`. 0 and 0: at once."""

    quiet_seconds: Annotated[Seconds, about("A message is sent after so many seconds without another change.", 30)] = 30
    max_seconds: Annotated[Seconds, about("It is sent after so many seconds at the latest.", 120)] = 120


class ReminderSettings(Input, frozen=True, kw_only=True, omit_defaults=True):
    """A reminder at `at` local wall time, `days_before` days before the local day of the appointment.

    There is none within `not_within_hours` of a message that told all that it would speak of, or of another reminder of that day.
    """

    days_before: Annotated[int, msgspec.Meta(ge=0, le=365), about("Local days before the appointment's day.", 1)]
    at: Annotated[LocalTime, about("The local time on that day.", "17:00")]
    days: Annotated[
        Literal["calendar", "working"],
        about("Whether all days are counted, or those without weekends, public holidays and `free_days`.", "working"),
    ] = "calendar"
    not_within_hours: Annotated[
        int,
        msgspec.Meta(ge=0, le=NOT_WITHIN_MOST),
        about("Hours after a message that told all of the day, in which there is no reminder of it; 0: there always is.", 12, 0),
    ] = NOT_WITHIN_HOURS


MOST_REMINDERS = 3

Reminders = Annotated[list[ReminderSettings], msgspec.Meta(max_length=MOST_REMINDERS)]

EXAMPLE_REMINDERS = [{"days_before": 3, "at": "10:00", "days": "working"}, {"days_before": 1, "at": "10:00", "days": "working"}]

FreeDays = Annotated[list[date], msgspec.Meta(max_length=400)]


class QuietHours(Input, frozen=True, kw_only=True):
    """No messages from `from` (included) until `until` (not included); it may cross midnight."""

    from_: Annotated[LocalTime, about("The local time from which nothing is sent.", "21:00")] = msgspec.field(name="from")
    until: Annotated[LocalTime, about("The local time from which messages go again.", "08:00")]


NAME_MOST = 200
"""Characters of an organisation's name."""

SETTINGS_MOST = 64 << 10
"""Bytes of a record of an organisation's settings, or of what lies over them: each partition gets it, and keeps it."""


class Organisation(Input, frozen=True, kw_only=True):
    """`organisations`, key `organisation`: the settings of a care organisation. They count whole or not at all."""

    organisation: OrganisationId
    name: Annotated[str, bounds({"pattern": LINE, "maxLength": NAME_MOST}), about("Its name, for people.", "De Linde")]
    notifications: Annotated[bool, about("Whether its clients get messages at all.", True)]
    time_zone: Annotated[str, about("The IANA time zone of its days and times.", "Europe/Amsterdam")] = "Europe/Amsterdam"
    window: Annotated[
        WindowSettings, about("How long changes are gathered into one message.", {"quiet_seconds": 30, "max_seconds": 120})
    ] = WindowSettings()
    reminder: Annotated[
        ReminderSettings | None, about("When clients are reminded; null: they are not.", {"days_before": 1, "at": "17:00"})
    ] = None
    reminders: Annotated[
        Reminders | UnsetType | None,
        about("Up to three reminders of a day, instead of `reminder`; null: that.", EXAMPLE_REMINDERS),
    ] = UNSET
    free_days: Annotated[
        FreeDays | UnsetType | None, about("Days that are no working days, besides weekends and public holidays.", ["2027-05-05"])
    ] = UNSET
    quiet_hours: Annotated[
        QuietHours | None, about("When no message is sent; null: at any time.", {"from": "21:00", "until": "08:00"})
    ] = None
    sms: Annotated[SmsSettings, about("Sender, templates and price of SMS.", {"originator": "De Linde", "unit_price": "0.076"})]
    email: Annotated[EmailSettings, about("Sender and templates of e-mail.", {"from": "De Linde <afspraken@linde.example>"})]
    templates: Annotated[
        Templates | UnsetType | None, about("Templates by kind of message; null: all have the same.", {"reminder": EXAMPLE_TEXTS})
    ] = UNSET
    to_others: ToOthers = UNSET
    say: Annotated[
        SaySettings | UnsetType | None,
        about("What messages say of an appointment, and what not.", {"practitioner": True, "location": False}),
    ] = UNSET
    link_hosts: Annotated[
        LinkHosts | UnsetType | None, about("The hosts of links that an e-mailed reminder may say.", ["video.linde.example"])
    ] = UNSET
    languages: Annotated[
        Languages | UnsetType | None,
        about("Of its messages; the first is that of its other texts, and of clients of no listed one.", ["nl", "en"]),
    ] = UNSET
    translations: Annotated[Translations | UnsetType | None, about("Its texts in the other languages.", EXAMPLE_TRANSLATIONS)] = (
        UNSET
    )
    labels: Annotated[
        Labels | UnsetType | None, about("What is other of appointments by their label: at most 50.", EXAMPLE_LABELS)
    ] = UNSET
    alerts_to: Annotated[
        Annotated[Line, msgspec.Meta(min_length=3, max_length=320)] | UnsetType | None,
        about("An address that is told when unusually many messages go out; null: none.", "beheer@linde.example"),
    ] = UNSET
    flood: Annotated[FloodSettings | UnsetType | None, about("What keeps a flood small; null: usual.", {"urgent": 200})] = UNSET
    employees: Annotated[
        EmployeeSettings | UnsetType | None,
        about("Whether its employees get messages, and when; null: they do not.", {"notifications": True, "digest_at": "16:00"}),
    ] = UNSET

    @property
    def says_places(self) -> bool:
        """Tell whether messages name the place of an appointment."""
        return not self.say or self.say.location is not False

    @property
    def says_places_to_others(self) -> bool:
        """Tell whether messages to those who act for a client name it, too."""
        say = self.say or None
        return self.says_places and say is not None and say.location_to_others is True

    @property
    def tells_employees(self) -> bool:
        """Tell whether employees get messages of their own agendas."""
        own = self.employees or None
        return own is not None and own.notifications is True

    @property
    def digest_at(self) -> str:
        """Return the local time at which an employee hears what has changed."""
        own = self.employees.digest_at if self.employees else UNSET
        return own if isinstance(own, str) else DIGEST_AT


class OrganisationOverride(Input, frozen=True, kw_only=True):
    """`organisation-overrides`, key `organisation`: what an organisation chose itself, over what upstream says of it.

    A field that is absent is upstream's; null, where upstream's may be null, turns it off. A null value takes all of it back.
    """

    organisation: OrganisationId
    notifications: Annotated[bool | UnsetType, about("Whether its clients get messages at all.", True)] = UNSET
    reminder: Annotated[
        ReminderSettings | UnsetType | None,
        about("When clients are reminded; null: not at all.", {"days_before": 1, "at": "17:00"}),
    ] = UNSET
    reminders: Annotated[
        Reminders | UnsetType, about("Its reminders, instead of all of upstream's; an empty list: none.", EXAMPLE_REMINDERS)
    ] = UNSET
    free_days: Annotated[FreeDays | UnsetType, about("Its free days, instead of all of upstream's.", ["2027-05-05"])] = UNSET
    quiet_hours: Annotated[
        QuietHours | UnsetType | None, about("When no message is sent; null: at any time.", {"from": "21:00", "until": "08:00"})
    ] = UNSET
    sms: Annotated[SmsTexts | UnsetType, about("Templates of SMS.", {"before": "Beste cliënt,"})] = UNSET
    email: Annotated[EmailTexts | UnsetType, about("Subject and templates of e-mail.", {"subject": "Uw afspraak"})] = UNSET
    templates: Annotated[Templates | UnsetType, about("Templates by kind of message.", {"reminder": EXAMPLE_TEXTS})] = UNSET
    say: Annotated[
        SaySettings | UnsetType,
        about("What messages say of an appointment, and what not.", {"practitioner": True, "location": False}),
    ] = UNSET
    link_hosts: Annotated[
        LinkHosts | UnsetType, about("The hosts of links in reminders, instead of all of upstream's.", ["video.linde.example"])
    ] = UNSET
    languages: Annotated[Languages | UnsetType, about("The languages of its messages.", ["nl", "en"])] = UNSET
    translations: Annotated[Translations | UnsetType, about("Its texts in others than the first.", EXAMPLE_TRANSLATIONS)] = UNSET
    labels: Annotated[Labels | UnsetType, about("What is other of appointments by their label.", EXAMPLE_LABELS)] = UNSET
    employees: Annotated[
        EmployeeSettings | UnsetType,
        about("Whether its employees get messages, and when.", {"notifications": True, "digest_at": "16:00"}),
    ] = UNSET


class Request(Input, frozen=True, kw_only=True):
    """`requests`, key `organisation/client`: a message of a third party, through the same gates and channels."""

    organisation: OrganisationId
    client: ClientId
    request: Annotated[
        Id, about("The party's id of this message: a second request with it is the same message.", "r-2026-11-001")
    ]
    party: Annotated[Id, about("Who asks.", "rooster")]
    text: Annotated[
        str, bounds({"pattern": TEXT}, min_length=1, max_length=612),
        about("The message, literally.", "De inloop is vrijdag van 10:00 tot 12:00."),
    ]  # fmt: skip
    subject: Annotated[Subject | None, about("Of an e-mail; null: the organisation's.", "De inloop van vrijdag")] = None
    send_at: Annotated[Instant | None, about("When to send it; null: at once.", "2026-12-03T09:00:00+01:00")] = None
    expires_at: Annotated[
        Instant | None, about("From when it must not go out any more; null: it never expires.", "2026-12-04T10:00:00+01:00")
    ] = None
