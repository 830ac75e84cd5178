"""The alphabet is held against the gsm0338 package, the counting against a naive counter over encoded bytes."""

from __future__ import annotations

import unicodedata

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers.gsm7 import BASIC, EXTENDED, Costly, Measure, costly, is_gsm7, measure, split, to_gsm7

CODEC = gsm0338.Codec()

some_text = st.lists(
    st.one_of(
        st.text(alphabet=BASIC + EXTENDED, max_size=40),
        st.text(alphabet="ëç’“–…\u00a0\u200b\u200d😀👍日e\u0301", max_size=6),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10),
        st.sampled_from(["a" * 66, "a" * 152, "]" * 80, "😀" * 35, "€"]),
    ),
    max_size=6,
).map("".join)


def encoded(text: str) -> tuple[str, list[bytes]]:
    """The encoding that the oracle finds, and the bytes of each character in it."""
    try:
        if "\x1b" not in text:  # the package takes a bare ESC, which phones cannot show
            return "GSM-7", [CODEC.encode(character)[0] for character in text]
    except UnicodeEncodeError:
        pass
    return "UCS-2", [character.encode("utf-16-be") for character in text]


def oracle(text: str) -> Measure:
    encoding, characters = encoded(text)
    size = 1 if encoding == "GSM-7" else 2
    single, each = (160, 153) if encoding == "GSM-7" else (140, 134)
    total = sum(map(len, characters))
    if total <= single:
        return Measure(encoding, 1, total // size)  # type: ignore[arg-type]
    rooms = [each]
    for character in characters:
        if rooms[-1] < len(character):
            rooms.append(each)
        rooms[-1] -= len(character)
    return Measure(encoding, len(rooms), total // size)  # type: ignore[arg-type]


def test_the_alphabet_is_that_of_the_standard() -> None:
    known = {c for c in map(chr, range(0x3000)) if encoded(c)[0] == "GSM-7"}
    assert set(BASIC + EXTENDED) == known
    assert len(BASIC) == 127
    assert "ç" not in BASIC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # lengths that a provider billed (Twilio's calculator, issue 66)
        ("a" * 80 + "\r\n" + "a" * 79, ("GSM-7", 2, 161)),
        ("a" * 80 + "\n" + "a" * 79, ("GSM-7", 1, 160)),
        ("a" * 200 + "\r\n" + "a" * 105, ("GSM-7", 3, 307)),
        ("é" * 70, ("GSM-7", 1, 70)),
        ("e\u0301" * 70, ("UCS-2", 3, 140)),
        ("e\u0301", ("UCS-2", 1, 2)),
        ("“Hallo”", ("UCS-2", 1, 7)),
        ("‚Hallo\u200c", ("UCS-2", 1, 7)),
        ("😀|", ("UCS-2", 1, 3)),
        ("a" * 160, ("GSM-7", 1, 160)),
        ("a" * 161, ("GSM-7", 2, 161)),
        ("中" * 70, ("UCS-2", 1, 70)),
        ("中" * 71, ("UCS-2", 2, 71)),
        ("|", ("GSM-7", 1, 2)),
        # an escape pair is not split: a part of 153 holds 76 of them
        ("]" * 80, ("GSM-7", 1, 160)),
        ("]" * 81, ("GSM-7", 2, 162)),
        ("]" * 152, ("GSM-7", 2, 304)),
        ("]" * 153, ("GSM-7", 3, 306)),
        ("]" * 160, ("GSM-7", 3, 320)),
        ("a" * 152 + "€" + "a" * 6, ("GSM-7", 1, 160)),
        ("a" * 152 + "€" + "a" * 151, ("GSM-7", 2, 305)),
        ("a" * 152 + "€" + "a" * 152, ("GSM-7", 3, 306)),
        ("a" * 151 + "€" + "a" * 153, ("GSM-7", 2, 306)),
        # nor is a surrogate pair: a part of 67 holds 33 of them
        ("😀" * 35, ("UCS-2", 1, 70)),
        ("😀" * 36, ("UCS-2", 2, 72)),
        ("😀" * 66, ("UCS-2", 2, 132)),
        ("😀" * 67, ("UCS-2", 3, 134)),
        ("ë" * 134, ("UCS-2", 2, 134)),
        ("ë" * 135, ("UCS-2", 3, 135)),
        # an extension character counts once where the message is UCS-2 anyway
        ("this is a " + "]" * 75 + "😘", ("UCS-2", 2, 87)),
        ("", ("GSM-7", 1, 0)),
        ("\x1b", ("UCS-2", 1, 1)),
        # Dutch
        ("één café, coördinator, reünie, crème, à € 5", ("GSM-7", 1, 44)),
        ("cliënt", ("UCS-2", 1, 6)),
        ("’s ochtends", ("UCS-2", 1, 11)),
    ],
)  # fmt: skip
def test_a_text_takes(text: str, expected: tuple[str, int, int]) -> None:
    assert measure(text) == expected
    assert len(split(text)) == expected[1]


@given(some_text)
def test_any_text_takes_what_the_oracle_counts(text: str) -> None:
    assert measure(text) == oracle(text)


@given(some_text)
def test_the_parts_are_the_text_and_each_fits(text: str) -> None:
    parts = split(text)
    encoding, count, _ = measure(text)
    assert "".join(parts) == text
    assert len(parts) == count
    if count > 1:
        sizes = [sum(map(len, encoded(part)[1])) for part in parts] if encoding == "GSM-7" else []
        assert all(size <= 153 for size in sizes)
        assert encoding == "GSM-7" or all(len(part.encode("utf-16-be")) <= 134 for part in parts)


@pytest.mark.parametrize(
    ("text", "kept", "replaced"),
    [
        ("’s ochtends ‘vroeg’ ‚nu", "'s ochtends 'vroeg' 'nu", None),
        ("“ja” „nee” «wel»", '"ja" "nee" "wel"', None),
        ("€ 5,– — ‑ − ‐", "€ 5,- - - - -", None),
        ("en zo…", "en zo...", None),
        ("a\u00a0b\u2009c\u202fd\te", "a b c d e", None),
        ("zo\u200bmer\ufeff af\u00adspraak\u2060", "zomer afspraak", None),
        ("• brood\u2028• melk", "- brood\n- melk", None),
        ("cafe\u0301 cr\u0065\u0300me", "café crème", None),
        ("e\u200d\u0301", "é", None),
        ("„\u200cHallo”", '"Hallo"', None),
        ("éèàüöäñåæøß€ÉÇ[]{}~^|\\\f\r\n", "éèàüöäñåæøß€ÉÇ[]{}~^|\\\f\r\n", None),
        ("cliënt Zoë, maïs, vóór", "cliënt Zoë, maïs, vóór", "client Zoe, mais, voor"),
        ("François, Curaçao, enquête", "François, Curaçao, enquête", "Francois, Curacao, enquete"),
        ("ĳs Ĳ œuvre Łódź ş đ", "ĳs Ĳ œuvre Łódź ş đ", "ijs IJ oeuvre Lodz s d"),
        ("´`", "´`", "''"),
        ("½ × 20 °C ² ™", "½ × 20 °C ² ™", "1/2 x 20 oC 2 (tm)"),
        ("q\u0303", "q\u0303", "q"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "???"),
        ("❤\ufe0f 日 ≠ д α", "❤\ufe0f 日 ≠ д α", "? ? ? ? ?"),
        ("a\x00b\x1bc", "a\x00b\x1bc", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم", "???????"),
        ("", "", None),
    ],
)
def test_characters_become_gsm7(text: str, kept: str, replaced: str | None) -> None:
    assert to_gsm7(text) == kept
    assert to_gsm7(text, keep_rest=False) == (kept if replaced is None else replaced)


@given(some_text, st.booleans())
def test_replacing_twice_changes_nothing_more(text: str, keep_rest: bool) -> None:
    once = to_gsm7(text, keep_rest=keep_rest)
    assert to_gsm7(once, keep_rest=keep_rest) == once


@given(st.text(alphabet=BASIC + EXTENDED), st.booleans())
def test_characters_of_gsm7_are_never_touched(text: str, keep_rest: bool) -> None:
    assert to_gsm7(text, keep_rest=keep_rest) == text


@given(some_text)
def test_with_the_rest_replaced_any_text_is_gsm7(text: str) -> None:
    assert is_gsm7(to_gsm7(text, keep_rest=False))


@given(some_text)
def test_no_letter_or_digit_is_replaced_that_is_to_be_kept(text: str) -> None:
    def letters(of: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", of) if unicodedata.category(c)[0] in "LN")

    assert letters(to_gsm7(text)) == letters(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Uw afspraak", []),
        ("€ 5 [of €6]", [("€", 2, "counts double"), ("[", 1, "counts double"), ("]", 1, "counts double")]),
        ("cliënt € ë", [("ë", 2, "not in GSM-7: makes the whole message UCS-2")]),
    ],
)
def test_the_characters_that_cost_are_named(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert costly(text) == [Costly(*row) for row in expected]
