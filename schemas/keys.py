"""The keys of a client, of who is told for the client, and of an employee, as topics and tables have them."""

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


EMPLOYEE = "e:"
"""Begins a recipient who works for the organisation; behind it stands the employee's id, the organisation's own. There is no
client then, so that no record about an employee can say whose appointment it is of."""


class RecipientKey(NamedTuple):
    """Who is told: the client (`recipient` is empty), or `p:ID`, a person who acts for the client.

    Or `e:ID`, an employee: `client` is empty then. As text that is `organisation//employee`, which is no client's key.
    """

    organisation: str
    client: str
    recipient: str = CLIENT

    def __str__(self) -> str:
        """Return it as text, which of the client is the client's key."""
        return f"{self.organisation}/{self.told}"

    @property
    def told(self) -> str:
        """Return `client`, of a person `client/p:ID`, of an employee `/ID`."""
        if not self.client:
            return f"/{employee_of(self.recipient)}"
        return f"{self.client}/{self.recipient}" if self.recipient else self.client

    @property
    def of_client(self) -> ClientKey:
        """Return the client's key."""
        return ClientKey(self.organisation, self.client)

    @property
    def encoded(self) -> bytes:
        """Its bytes."""
        return str(self).encode()

    @property
    def of_topics(self) -> str:
        """Return the key of its records on topics: the client's, whoever acts for the client, or the employee's."""
        return str(self) if not self.client else f"{self.organisation}/{self.client}"

    @classmethod
    def of(cls, text: str) -> RecipientKey:
        """Return the key in a text that `str` made of one. Raises ValueError for any other text."""
        parts = text.split("/")
        if len(parts) == 3 and not parts[1]:
            return employee_key(parts[0], parts[2])
        organisation, client, *recipient = parts
        return cls(organisation, client, *recipient) if len(recipient) < 2 else cls.of("")


def employee_key(organisation: str, employee: str) -> RecipientKey:
    """Return the key of an employee."""
    return RecipientKey(organisation, "", EMPLOYEE + employee)


def employee_of(recipient: str) -> str:
    """Return the id of the employee that a recipient is."""
    return recipient.removeprefix(EMPLOYEE)


def is_employee(recipient: str) -> bool:
    """Tell whether a recipient is an employee."""
    return recipient.startswith(EMPLOYEE)


def is_person(recipient: str) -> bool:
    """Tell whether a recipient is one who acts for the client."""
    return recipient.startswith(PERSON)


def recipient_of(person: str) -> str:
    """Return the recipient that a person is."""
    return PERSON + person


def person_of(recipient: str) -> str:
    """Return the id of the person that a recipient is; empty of the client."""
    return recipient.removeprefix(PERSON)
