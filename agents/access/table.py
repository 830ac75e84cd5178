"""Every route and every command: who may, and what `access-log` calls it. One that is missing here fails a test.

To add one: a row here. A route with an action in `shows` answers with data of clients: its handler must `await` the record
(`agents/web/sign_in/access.py`) before it answers, else nothing of its answer goes out. One in `changes` writes a record when it
changes something. A command with an outcome shows data of clients, or acts on them: `kafka_settings(args)` writes its record.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.access import AccessOutcome, Role

Who = Literal["anybody", "signed", "key", "provider", "user"] | Role
"""Anybody; whoever has a token that we sealed; a third party's key; a provider's signature; a user of whatever role; a role."""


class Rule(NamedTuple):
    """Who may ask, and the action in `access-log` of a route that shows clients' data, or changes something."""

    who: Who
    shows: str | None = None
    changes: str | None = None


ROUTES: dict[str, Rule] = {
    "GET /static/{name}": Rule("anybody"),
    "GET /live": Rule("anybody"),
    "GET /ready": Rule("anybody"),
    "GET /health": Rule("anybody"),
    "GET /openapi.json": Rule("anybody"),
    "GET /u/{token}": Rule("signed"),
    "POST /u/{token}": Rule("signed"),
    "GET /webhooks/messagebird": Rule("provider"),
    "GET /webhooks/messagebird/": Rule("provider"),
    "POST /webhooks/bird": Rule("provider"),
    "POST /webhooks/bird/": Rule("provider"),
    "POST /v1/requests": Rule("key"),
    "GET /v1/requests/{id}": Rule("key"),
    "PUT /fhir/{organisation}/{type}/{id}": Rule("key"),
    "POST /fhir/{organisation}/{type}": Rule("key"),
    "POST /fhir/{organisation}": Rule("key"),
    "GET /aanmelden": Rule("anybody"),
    "POST /aanmelden": Rule("anybody", changes="sign-in"),
    "GET /aanmelden/start": Rule("anybody"),
    "GET /aanmelden/terug": Rule("anybody", changes="sign-in"),
    "POST /afmelden": Rule("user", changes="sign-out"),
    "GET /": Rule("user"),
    "GET /berichten": Rule("inzage", shows="messages"),
    "POST /berichten": Rule("inzage"),
    "GET /berichten.csv": Rule("inzage", shows="export"),
    "GET /clienten/{client}": Rule("inzage", shows="client"),
    "GET /wie-keek": Rule("beheer"),
    "POST /wie-keek": Rule("beheer"),
    "GET /wie-keek/{client}": Rule("beheer", shows="looks"),
    "GET /tegenhouden": Rule("beheer", shows="held"),
    "POST /tegenhouden": Rule("beheer", changes="hold"),
    "GET /kosten": Rule("kosten"),
    "GET /kosten/{figure}.csv": Rule("kosten"),
    "GET /instellingen": Rule("beheer"),
    "POST /instellingen": Rule("beheer", changes="settings"),
    "GET /instellingen/teksten": Rule("beheer"),
    "POST /instellingen/voorbeeld": Rule("beheer"),
    "POST /instellingen/proef": Rule("beheer", changes="test-message"),
    "POST /instellingen/weg": Rule("beheer", changes="settings"),
}

COMMANDS: dict[str, AccessOutcome | None] = {
    "worker": None,
    "web": None,
    "mllp": None,
    "status": None,
    "why": "shown",
    "log": "shown",
    "costs": None,
    "replay": "shown",
    "access": "shown",
    "settings": None,
    "topics": None,
    "rights": None,
    "api-key": None,
    "hold": "shown",
    "dead-letters": "shown",
    "erase": "done",
    "retention": None,
    "project": None,
    "mend-row": None,
    "completion": None,
    "demo": None,
    "broker": None,
    "fake-sms": None,
    "fake-smtp": None,
    "simulate": None,
    "feed": None,
    "translate": None,
    "schema": None,
    "asyncapi": None,
    "graph": None,
    "sms": None,
    "provider-answer": None,
}
"""The outcome in a command's record. `translate` and `simulate` show what is in a file that the user has already; `costs` and
`retention` count; `mend-row` says places and sizes."""

HEADS = {f"HEAD{route.removeprefix('GET')}": rule for route, rule in ROUTES.items() if route.startswith("GET ")}
"""What is asked with HEAD is the same, without its body."""


def rule_of(method: str, pattern: str) -> Rule:
    """Return the rule of a route, by its pattern. Raises KeyError for one that is not in the table."""
    route = f"{method} {pattern}"
    return ROUTES[route] if route in ROUTES else HEADS[route]
