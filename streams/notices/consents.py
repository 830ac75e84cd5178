"""The part of notices that takes in whether and how a client wants notices."""

from __future__ import annotations

from schemas.events import KnownContact
from schemas.inputs import Consent
from schemas.topics import CONSENTS, CONSENTS_TABLE, CONTACTS, CONTACTS_TABLE
from schemas.wire import encode

from .client_turn import ClientTurn
from .clients import Clients
from .contacts import is_stale, remembering


class Consents(Clients):
    """Consents and contacts of the clients of a partition."""

    def _take_consent(self, client: ClientTurn, consent: Consent) -> None:
        old = client.facts.consent
        if old is not None and is_stale(old.revision, consent.revision):
            client.decision.count("stale", CONSENTS.name)
        else:
            client.decision.put(CONSENTS_TABLE.row(client.key), encode(consent))

    def _take_contact(self, client: ClientTurn, contact: KnownContact) -> None:
        old = client.facts.contact
        if old is not None and is_stale(old.revision, contact.revision):
            client.decision.count("stale", CONTACTS.name)
        else:
            self._keep_contact(client, remembering(old, contact))

    def _keep_contact(self, client: ClientTurn, contact: KnownContact) -> None:
        client.decision.put(CONTACTS_TABLE.row(client.key), encode(contact))
