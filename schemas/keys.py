"""The keys of a client and of who is told for the client, as topics and tables have them."""

from __future__ import annotations

from typing import NamedTuple


class ClientKey(NamedTuple):
    """One client of one organisation. As text it is `organisation/client`: no id has a `/` (`schemas.wire.Id`)."""

    organisation: str
    client: str

    def __str__(self) -> str:
        """Return it as the key of a record or a row."""
        return f"{self.organisation}/{self.client}"

    @property
    def encoded(self) -> bytes:
        """Its bytes, as the key of a record."""
        return str(self).encode()

    @classmethod
    def of(cls, text: str) -> ClientKey:
        """Return the key in `organisation/client`. Raises ValueError for any other text."""
        organisation, client = text.split("/")
        return cls(organisation, client)


CLIENT = ""
"""The recipient that the client is."""

PERSON = "p:"
"""Begins a recipient who acts for the client; behind it stands the person's id, the organisation's own."""


class RecipientKey(NamedTuple):
    """Who is told: the client (`recipient` is empty), or `p:ID`, a person who acts for the client."""

    organisation: str
    client: str
    recipient: str = CLIENT

    def __str__(self) -> str:
        """Return it as text, which of the client is the client's key."""
        return f"{self.organisation}/{self.told}"

    @property
    def told(self) -> str:
        """Return `client`, of a person `client/p:ID`."""
        return f"{self.client}/{self.recipient}" if self.recipient else self.client

    @property
    def of_client(self) -> ClientKey:
        """Return the client's key."""
        return ClientKey(self.organisation, self.client)

    @property
    def encoded(self) -> bytes:
        """Its bytes."""
        return str(self).encode()

    @classmethod
    def of(cls, text: str) -> RecipientKey:
        """Return the key in `organisation/client` or `organisation/client/recipient`. Raises ValueError for any other text."""
        organisation, client, *recipient = text.split("/")
        return cls(organisation, client, *recipient) if len(recipient) < 2 else cls.of("")


def recipient_of(person: str) -> str:
    """Return the recipient that a person is."""
    return PERSON + person


def person_of(recipient: str) -> str:
    """Return the id of the person that a recipient is; empty of the client."""
    return recipient.removeprefix(PERSON)
