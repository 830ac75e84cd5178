"""What an organisation has said: texts around the sentences, by kind of message, label and language; and details."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from .appointments import Notify
from .languages import Language
from .strict import about, bounds, whole
from .wire import Id, Input, Line

TEXT = "^[^\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f]*$"
"""Text of more than one line: of all control characters it may have line breaks alone."""

Template = Annotated[str, bounds({"pattern": TEXT}, max_length=200)]
"""Literal text that an organisation puts before or after the sentences: at most 200 characters."""

Subject = Annotated[Line, msgspec.Meta(min_length=1, max_length=200)]

EXAMPLE_TEXTS = {"sms": {"after": "Kunt u niet? Bel 0544 123456."}}


class SmsSettings(Input, frozen=True, kw_only=True):
    """`unit_price` is of one SMS part; costs are logged as a number or a string, as the price is given."""

    originator: Annotated[
        str, whole("([A-Za-z0-9]+( [A-Za-z0-9]+)*|\\+?[0-9]{3,17})", max_length=18),
        about("The sender that clients see: at most 11 letters, digits and spaces, or a number.", "De Linde"),
    ]  # fmt: skip
    before: Annotated[Template, about("Text before the sentences.", "Beste cliënt,")] = ""
    after: Annotated[Template, about("Text after the sentences.", "Groet, De Linde")] = ""
    unit_price: Annotated[float | str, about("The price of one SMS part, for the bill.", "0.076")]
    currency: Annotated[str, whole("[A-Z]{3}"), about("The price's currency (ISO 4217).", "EUR")] = "EUR"


class EmailSettings(Input, frozen=True, kw_only=True):
    """`from` and `reply_to` as in a mail header: an address, or a name with the address in angle brackets."""

    from_: Annotated[
        Line, msgspec.Meta(min_length=3, max_length=320), about("The sender.", "De Linde <afspraken@linde.example>")
    ] = msgspec.field(name="from")
    reply_to: Annotated[
        Annotated[Line, msgspec.Meta(min_length=3, max_length=320)] | None,
        about("Where answers go; null: to the sender.", "balie@linde.example"),
    ] = None
    subject: Annotated[Subject, about("The subject.", "Bericht over uw afspraak")] = "Bericht over uw afspraak"
    before: Annotated[Template, about("Text before the sentences.", "Beste cliënt,")] = ""
    after: Annotated[Template, about("Text after the sentences.", "Met vriendelijke groet,\\nDe Linde")] = ""


class SmsTexts(Input, frozen=True, kw_only=True):
    """The templates of an SMS that are other than those they stand for; what is absent is as those."""

    before: Annotated[Template, about("Text before the sentences.", "Beste cliënt,")] | UnsetType = UNSET
    after: Annotated[Template, about("Text after the sentences.", "Groet, De Linde")] | UnsetType = UNSET


class EmailTexts(Input, frozen=True, kw_only=True):
    """Subject and templates of an e-mail that are other than those they stand for; what is absent is as those."""

    subject: Annotated[Subject, about("The subject.", "Bericht over uw afspraak")] | UnsetType = UNSET
    before: Annotated[Template, about("Text before the sentences.", "Beste cliënt,")] | UnsetType = UNSET
    after: Annotated[Template, about("Text after the sentences.", "Groet, De Linde")] | UnsetType = UNSET


class MessageTexts(Input, frozen=True, kw_only=True):
    """The templates of one kind of message; what is absent is as for all messages."""

    sms: Annotated[SmsTexts, about("Of an SMS.", {"after": "Kunt u niet? Bel 0544 123456."})] | UnsetType = UNSET
    email: Annotated[EmailTexts, about("Of an e-mail.", {"subject": "Uw afspraak is verplaatst"})] | UnsetType = UNSET


ToOthers = Annotated[
    MessageTexts | UnsetType | None,
    about(
        "Templates of messages to those who act for a client; absent: what stands after those to clients.",
        {"sms": {"before": "Goedendag,"}},
    ),
]


class LabelTemplates(Input, frozen=True, kw_only=True):
    """Templates by kind of message (`schemas.templates`): a message of several kinds has those of the first of its kinds."""

    moved: Annotated[MessageTexts, about("Of what is moved or has another place.", EXAMPLE_TEXTS)] | UnsetType = UNSET
    created: Annotated[MessageTexts, about("Of what is made.", EXAMPLE_TEXTS)] | UnsetType = UNSET
    cancelled: Annotated[MessageTexts, about("Of what is cancelled.", EXAMPLE_TEXTS)] | UnsetType = UNSET
    reminder: Annotated[MessageTexts, about("Of reminders.", EXAMPLE_TEXTS)] | UnsetType = UNSET


class Templates(LabelTemplates, frozen=True, kw_only=True):
    """Templates by kind of message: of what we say, and of what third parties ask."""

    request: Annotated[MessageTexts, about("Of what third parties ask.", EXAMPLE_TEXTS)] | UnsetType = UNSET


EXAMPLE_LABELS = {"intake": {"notify": "reminder", "templates": {"reminder": EXAMPLE_TEXTS}}}

MOST_LABELS = 50


class LabelSettings(Input, frozen=True, kw_only=True):
    """What is other of appointments of one label."""

    notify: (
        Annotated[
            Notify, about("What may tell the client of them first, where the appointment does not say it itself.", "reminder")
        ]
        | UnsetType
    ) = UNSET
    templates: Annotated[LabelTemplates, about("Templates by kind of message; what is absent is as for all labels.", {
        "reminder": EXAMPLE_TEXTS
    })] | UnsetType = UNSET  # fmt: skip


Labels = Annotated[dict[Id, LabelSettings], msgspec.Meta(max_length=MOST_LABELS)]


class Translation(Input, frozen=True, kw_only=True):
    """The texts of an organisation in one more language; what is absent is not said."""

    sms: Annotated[SmsTexts, about("Templates of SMS.", {"after": "Can't come? Call 0544 123456."})] | UnsetType = UNSET
    email: Annotated[EmailTexts, about("Subject and templates of e-mail.", {"subject": "Your appointment"})] | UnsetType = UNSET
    templates: (
        Annotated[
            Templates, about("Templates by kind of message.", {"cancelled": {"sms": {"after": "Call us for another one."}}})
        ]
        | UnsetType
    ) = UNSET
    labels: (
        Annotated[
            Annotated[dict[Id, LabelTemplates], msgspec.Meta(max_length=MOST_LABELS)],
            about("Templates by label.", {"intake": {"reminder": {"sms": {"after": "Bring your identity card."}}}}),
        ]
        | UnsetType
    ) = UNSET


Languages = Annotated[list[Language], msgspec.Meta(min_length=1, max_length=10)]

Translations = dict[Language, Translation]

EXAMPLE_TRANSLATIONS = {"en": {"sms": {"after": "Can't come? Call 0544 123456."}, "email": {"subject": "Your appointment"}}}


class SaySettings(Input, frozen=True, kw_only=True):
    """What messages say of an appointment: its place, unless that is false; a reminder the others, where they are true."""

    location: Annotated[bool, about("Whether messages say where it is; absent: they do.", False)] | UnsetType = UNSET
    practitioner: Annotated[bool, about("Whether it says whom the appointment is with.", True)] | UnsetType = UNSET
    instructions: Annotated[bool, about("Whether an e-mail says what to prepare by.", True)] | UnsetType = UNSET
    location_to_others: (
        Annotated[bool, about("Whether messages to those who act for a client say where it is; absent: they do not.", False)]
        | UnsetType
    ) = UNSET


LinkHosts = Annotated[
    list[Annotated[str, whole("[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+", max_length=253)]], msgspec.Meta(max_length=20)
]
