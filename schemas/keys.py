"""The key of a client, as topics and tables have it."""

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
