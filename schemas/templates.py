"""Which templates of an organisation stand around the sentences of a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType

from .channels import CHANNELS
from .inputs import Channel, Organisation
from .keys import CLIENT, is_employee
from .languages import DEFAULT, Language
from .notices import Notice
from .texts import EmailTexts, LabelTemplates, SmsTexts, Templates, Translation

Message = Literal["moved", "created", "cancelled", "reminder", "request"]

MESSAGES: tuple[Message, ...] = ("moved", "created", "cancelled", "reminder", "request")
"""Kinds of messages, in the order in which one that has several kinds of notices takes its templates."""

_MESSAGE_OF: dict[str, Message] = {name: name for name in MESSAGES} | {"relocated": "moved", "changed": "moved"}


class Texts(NamedTuple):
    """What stands around the sentences; an SMS has no subject."""

    before: str
    after: str
    subject: str = ""


def message_of(notices: Iterable[Notice]) -> Message:
    """Return of which kind a message of these notices is."""
    found = {_MESSAGE_OF[notice.kind.removeprefix("series_")] for notice in notices}
    return next((message for message in MESSAGES if message in found), "created")


def label_of(notices: Iterable[Notice]) -> str | None:
    """Return the label that all of a message is of; None where it is of several, or of none."""
    labels = {notice.label for notice in notices}
    return labels.pop() if len(labels) == 1 else None


def texts_around(
    organisation: Organisation, channel: Channel, notices: Iterable[Notice], language: Language | None = None,
    recipient: str = CLIENT,
) -> Texts:  # fmt: skip
    """Return the templates of a message of these notices, in a language (None: that which needs no setting).

    Those to employees have none: an organisation's texts speak to its clients.
    """
    if is_employee(recipient):
        return Texts("", "")
    found = _texts_of_client(organisation, channel, notices, language)
    return found if recipient == CLIENT else _to_others(found, organisation, channel, language)


def _to_others(texts: Texts, organisation: Organisation, channel: Channel, language: Language | None) -> Texts:
    """Return the templates to who acts for the client: of the client's only what stands after the sentences.

    Salutation and subject speak to the client. What the organisation has for others is in the first of its languages.
    """
    used = organisation.languages or [DEFAULT]
    own = getattr(organisation.to_others or None, channel, UNSET) if (language or DEFAULT) == used[0] else UNSET
    return texts._replace(**{"before": "", "subject": ""} | fields_of(own, channel))


def _texts_of_client(
    organisation: Organisation, channel: Channel, notices: Iterable[Notice], language: Language | None
) -> Texts:  # fmt: skip
    notices = tuple(notices)
    message, label, used = message_of(notices), label_of(notices), organisation.languages or [DEFAULT]
    if (language or DEFAULT) == used[0]:
        return texts_of(organisation, channel, message, label)
    return translated(organisation, channel, message, label, language or DEFAULT)


def translated(organisation: Organisation, channel: Channel, message: Message, label: str | None, language: Language) -> Texts:
    """Return the templates in another language than that of the organisation's other texts: none where there is none."""
    translation = (organisation.translations or {}).get(language) or Translation()
    own = own_texts(translation.templates, channel, message)
    if label is not None and translation.labels is not UNSET:
        own |= own_texts(translation.labels.get(label, UNSET), channel, message)
    general = fields_of(getattr(translation, channel), channel)
    if message == "request":
        general.pop("after", None)
    return Texts(**{"before": "", "after": ""} | general | own)


def texts_of(organisation: Organisation, channel: Channel, message: Message, label: str | None = None) -> Texts:
    """Return the templates of a kind of message, of appointments of a label.

    What a label has none of its own for is as for all labels.
    What an organisation has none of its own for is as for all messages. But what third parties ask has no `after`, for it speaks
    of appointments; unless the organisation has no templates by kind of message at all: then all have the same.
    """
    templates = organisation.templates or None
    general, own = getattr(organisation, channel), own_texts(templates, channel, message)
    if label is not None and (of_label := (organisation.labels or {}).get(label)) is not None:
        own |= own_texts(of_label.templates, channel, message)
    found = {field: own.get(field, getattr(general, field)) for field in CHANNELS[channel].template}
    if message == "request" and templates not in (None, Templates()):
        found["after"] = own.get("after", "")
    return Texts(**found)


def own_texts(templates: LabelTemplates | UnsetType | None, channel: Channel, message: Message) -> dict[str, str]:
    """Return those fields of a kind of message that are its own."""
    return fields_of(getattr(getattr(templates, message, UNSET), channel, UNSET), channel)


def fields_of(texts: SmsTexts | EmailTexts | UnsetType, channel: Channel) -> dict[str, str]:
    """Return those fields of a channel's texts that are there."""
    return {field: value for field in CHANNELS[channel].template if (value := getattr(texts, field, UNSET)) is not UNSET}
