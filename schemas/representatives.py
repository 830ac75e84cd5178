"""`representatives`: who acts for a client, and may be told of the client's appointments (`streams/README.md`, "Persons")."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from .inputs import Channel, Email, Phone
from .strict import about, whole
from .wire import MOST_PEOPLE, ClientId, Input, Int64, OrganisationId, PersonId

Role = Literal["parent", "guardian", "curator", "mentor"]
"""By which right a person acts for a client."""

UNTIL_BIRTHDAY: tuple[Role, ...] = ("parent", "guardian")
"""Their right ends by itself when the client is old enough, so it must be said when."""

CallName = Annotated[
    Annotated[str, whole("[^\\W\\d_]([^\\W\\d_]|['’ -])*", max_length=40)] | None,
    about("How the client is called, for messages to those who may be named the client; null: not said.", "Anna"),
]


class Person(Input, frozen=True, kw_only=True):
    """Somebody who acts for a client. What cannot be used of it is unknown, and unknown is off."""

    id: Annotated[PersonId, about("The person.", "mother")]
    role: Annotated[Role, about("By which right.", "parent")]
    notifications: Annotated[bool, about("Whether the person wants notices at all.", True)]
    channels: Annotated[list[Channel], about("The channels that the person agrees to, the preferred one first.", ["sms"])]
    sms: Annotated[Phone | None, about("The number for SMS; null: unknown.", {"number": "06 12345678", "confirmed": True})] = None
    email: Annotated[
        Email | None, about("The e-mail address; null: unknown.", {"address": "moeder@example.org", "confirmed": True})
    ] = None
    language: Annotated[
        Annotated[str, whole("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", max_length=35)] | None,
        about("The person's language (BCP 47); null: the organisation's first.", "nl"),
    ] = None
    until: Annotated[
        date | None,
        about("The local day from which on nothing is told; a parent and a guardian must have one.", "2031-04-17"),
    ] = None
    all: Annotated[bool, about("Whether the person may be told of appointments that do not say who may be told.", True)] = False
    name_client: Annotated[bool, about("Whether messages to the person say how the client is called.", True)] = False


class Representatives(Input, frozen=True, kw_only=True):
    """`representatives`, key `organisation/client`: all who act for a client, as it stands; a null value: nobody.

    Each person counts for itself, and each part of one: what cannot be used is unknown, and unknown is off.
    """

    organisation: OrganisationId
    client: ClientId
    people: Annotated[
        Annotated[list[Person], msgspec.Meta(max_length=MOST_PEOPLE)],
        about("All of them, at most 20; of those with one address the first gets the message.", [{
            "id": "mother", "role": "parent", "notifications": True, "channels": ["sms"],
            "sms": {"number": "06 12345678", "confirmed": True}, "until": "2031-04-17", "all": True,
        }]),
    ]  # fmt: skip
    call_name: CallName = None
    revision: Annotated[Int64 | None, about("Of two that have one the lower is ignored; null: it counts as it comes.", 3)] = None
