"""Who may take back whose opt-out."""

from __future__ import annotations

from typing import Literal

import pytest

from schemas.inputs import OptOut
from schemas.state import OptOuts
from streams.notices.contacts import opted

Source = Literal["link", "provider", "client"]


def word(source: Source, off: bool) -> OptOut:
    return OptOut(organisation="zorg", client="anna", channel="email", off=off, source=source)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        pytest.param([word("link", True)], "link", id="a link turns off"),
        pytest.param([word("link", True), word("link", False)], None, id="and takes it back"),
        pytest.param([word("client", True), word("link", False)], "client", id="but not the client's own word"),
        pytest.param([word("provider", True), word("link", False)], "provider", id="nor the provider's"),
        pytest.param(
            [word("client", True), word("link", True), word("link", False)], "client", id="nor after turning it off, too"
        ),
        pytest.param([word("link", True), word("client", True), word("link", False)], "client", id="the client's word stays"),
        pytest.param([word("link", True), word("client", False)], None, id="the client takes back a link's"),
        pytest.param([word("client", True), word("client", False)], None, id="and its own"),
        pytest.param([word("provider", True), word("client", False)], None, id="and a provider's"),
    ],
)
def test_a_link_takes_back_only_a_links(words: list[OptOut], left: str | None) -> None:
    known: OptOuts | None = OptOuts({"sms": "client"})
    for one in words:
        known = opted(known, one)
    assert known is not None
    assert known.off == {"sms": "client"} | ({"email": left} if left is not None else {})
