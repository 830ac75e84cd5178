"""E-mail addresses: one grammar for what comes in, what headers name and what envelopes carry."""

from __future__ import annotations

import pytest

from schemas.addresses import AddressError, mailbox, normalised, to_ascii


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("jan.de-boer+zorg@client.example", "jan.de-boer+zorg@client.example"),
        (" jan@client.example\n", "jan@client.example"),
        ("o'neill@x.example", "o'neill@x.example"),
        ("josé@x.example", "josé@x.example"),
        ("jan@faß.example", "jan@xn--fa-hia.example"),  # IDNA 2003 has fass.example, somebody else's
        ("jan@straße.nl", "jan@xn--strae-oqa.nl"),
        ("jan@CLIËNT.example", "jan@xn--clint-psa.example"),
        ("jan@βόλος.example", "jan@xn--nxasmm1c.example"),
        ("jan@xn--fa-hia.example", "jan@xn--fa-hia.example"),
        ("jan@mail_1.example", "jan@mail_1.example"),
    ],
)
def test_an_address_as_servers_take_it(address: str, expected: str) -> None:
    assert normalised(address) == expected


@pytest.mark.parametrize(
    "bad",
    [
        "", "jan", "@x", "jan@", "a b@c", "a\nb@c", "a@b\r\nBcc: c@d", "a@b,c@d", "a@b>c", "<a@b>", "a..b@c", ".a@b", "a.@b",
        "a,b@x",
        '"jan boer"@x.example', "a@[127.0.0.1]", "a@-b.nl", "a@b-.nl", "a@b..nl", "a@.nl", "a@b.nl.", "a@" + "é" * 70,
        "a" * 65 + "@b.nl", "a@" + "b." * 130 + "nl", "a\u202e@b.nl", "\u2028@b", "a@b\u200b.nl\x00",
    ],
)  # fmt: skip
def test_what_is_no_address(bad: str) -> None:
    with pytest.raises(AddressError):
        normalised(bad)


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("post@deboom.example", "", "post@deboom.example"),
        ("<post@deboom.example>", "", "post@deboom.example"),
        ("De Boom <post@deboom.example>", "De Boom", "post@deboom.example"),
        ('"De Boom, Zuid" <post@deboom.example>', "De Boom, Zuid", "post@deboom.example"),
        ("De Boom, Zuid <post@deboom.example>", "De Boom, Zuid", "post@deboom.example"),
        ("Zorg; [Huis] @ (GGZ) <post@deboom.example>", "Zorg; [Huis] @ (GGZ)", "post@deboom.example"),
        ('Zorg "De Boom" (GGZ) <post@deboom.example>', 'Zorg "De Boom" (GGZ)', "post@deboom.example"),
        (" De Boom  <post@zorgcliënt.example> ", "De Boom", "post@xn--zorgclint-14a.example"),
    ],
)
def test_a_mailbox(text: str, name: str, address: str) -> None:
    assert mailbox(text) == (name, address)


@pytest.mark.parametrize(
    "bad",
    [
        "Zorg @ Huis", "@@@", "Zorg a@b>", "a@b, c@d", "info@zorg.nl, x@zorg.nl", "<>@", "Zorg <a@b> <c@d>", "Zorg <a@b",
        "é@zorg.nl",
        "Zorg <é@zorg.nl>", "a\r\nBcc: x@y <a@b>", "a\u202eb <a@b>", "Zorg <a@b>,", "",
    ],
)  # fmt: skip
def test_what_is_no_mailbox(bad: str) -> None:
    with pytest.raises(AddressError):
        mailbox(bad)


def test_a_domain_of_no_script() -> None:
    with pytest.raises(AddressError):
        to_ascii("\u0378.example")
