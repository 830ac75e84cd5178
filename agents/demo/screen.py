"""What the demo shows on a terminal of 80 columns. The clients are invented, so numbers and addresses are shown whole."""

from __future__ import annotations

import textwrap
from email import message_from_bytes, policy
from typing import Any

WIDTH = 78


def title(text: str) -> str:
    """Draw the heading of an act."""
    return f"\n── {text} ".ljust(WIDTH, "─")


def note(text: str) -> str:
    """Draw something that the demo says."""
    return textwrap.fill(text, WIDTH, subsequent_indent="  ")


def sms(message: dict[str, Any]) -> str:
    """Draw an SMS as it arrived."""
    return _card(f"SMS   to +{message['recipients'][0]}  from {message['originator']}", message["body"])


def email(message: dict[str, Any]) -> str:
    """Draw the plain text of an e-mail as it arrived."""
    parsed = message_from_bytes(message["data"].encode("utf-8", "surrogateescape"), policy=policy.default)
    body = parsed.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return _card(f"EMAIL to {parsed['to']}  from {parsed['from']}", f"{parsed['subject']}\n\n{text}")


def _card(head: str, text: str) -> str:
    heads = textwrap.wrap(head, WIDTH - 2, subsequent_indent="      ", break_on_hyphens=False)
    lines = [line for one in text.strip().splitlines() for line in textwrap.wrap(one, WIDTH - 6, break_long_words=False) or [""]]
    return "\n".join(["", *(f"  {line}" for line in heads), *(f"    │ {line}".rstrip() for line in lines)])


def places(inbox: str, web: str, metrics: str, password: str, users: list[str], key: str) -> str:
    """Draw where to look now: four addresses, and a message to ask for by the API."""
    body = '{"client": "anna", "request": "pasje-1", "text": "Neem uw pasje mee."}'
    return "\n".join(
        [
            f"  Inbox      {inbox}",
            f"  Overview   {web}berichten",
            f"  Settings   {web}instellingen",
            f"             user {', '.join(users[:-1])} or {users[-1]}; password {password}",
            f"  Metrics    {metrics}",
            "",
            "  Ask for a message by the API, as another system would; the inbox gets it:",
            f"  curl -H 'Authorization: Bearer {key}' \\",
            f"    -H 'Content-Type: application/json' {web}v1/requests \\",
            f"    -d '{body}'",
            f"  The API is described at {web}openapi.json",
        ]
    )


def table(rows: list[tuple[str, ...]]) -> str:
    """Draw rows in columns; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
