"""Phone numbers at intake: one way of writing, and which of them get no SMS."""

from __future__ import annotations

import pytest

from streams.intake.phones import normalised

MOBILE = "+31612345678"

WRITTEN = [
    "0612345678", "06-12345678", "+31 (0)06 12345678", "+3106 12345678", "0031 (0)6 12345678", "00310612345678",
    "+31006 12345678",
    "06 12 34 56 78", "(06) 12345678", "+31612345678", "+31 6 12345678", "+31 (0)6 12345678",
    "0031612345678", "31612345678", "+310612345678", "612345678", "tel:+31612345678", "TEL:06-12345678", " 0612345678 ",
    "٠٦١٢٣٤٥٦٧٨", "０６１２３４５６７８", "06\u00a012345678", "06\u201312345678",
]  # fmt: skip


@pytest.mark.parametrize("raw", WRITTEN)
def test_every_way_of_writing_a_number_is_one_number(raw: str) -> None:
    assert normalised(raw) == (MOBILE, None)


@pytest.mark.parametrize("raw", ["+32470123456", "+4915112345678", "+12025550123", "0033612345678", "+48512345678"])
def test_mobiles_of_other_countries_get_an_sms(raw: str) -> None:
    assert normalised(raw).problem is None


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("+32 (0)0475 12 34 56", "+32475123456"), ("+49 (0)0151 12345678", "+4915112345678"),
        ("+39 06 1234 5678", "+390612345678"), ("+225 01 23 45 67 89", "+2250123456789"),
    ],
)  # fmt: skip
def test_zeros_behind_a_country_code_go_but_where_numbers_begin_with_them(raw: str, written: str) -> None:
    assert normalised(raw).text == written


@pytest.mark.parametrize("national", ["600000001", "670000001", "690000001", "680000001"])
def test_a_dutch_06_number_that_the_library_does_not_know_yet_is_the_providers_to_judge(national: str) -> None:
    assert normalised(f"0{national}") == (f"+31{national}", None)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("020-1234567", "landline"), ("0534870000", "landline"), ("+3225551234", "landline"),
        ("088-1234567", "company"), ("085-1234567", "internet"), ("0661234567", "pager"),
        ("0970 1234 5678", "machine"), ("+3197012345678", "machine"), ("097012345678", "machine"),
        ("0800-1234", "service"), ("0900-1234", "service"),
        ("06-1234567", "too_short"), ("0612345", "too_short"), ("06", "too_short"), ("112", "too_short"),
        ("06123456789", "invalid"), ("0612345678 x12", "extension"), ("06-12345678 ext. 3", "extension"),
        ("", "not_a_number"), ("-", "not_a_number"), ("geen", "not_a_number"), ("0612ABCDEF", "not_a_number"),
        ("06-12345678 (moeder)", "not_a_number"), ("0612345678/0687654321", "not_a_number"), ("+999123456", "not_a_number"),
        ("jan@example.org", "not_a_number"), ("0" * 50, "not_a_number"),
    ],
)  # fmt: skip
def test_a_number_that_gets_no_sms_says_why(raw: str, problem: str) -> None:
    assert normalised(raw).problem == problem


def test_what_cannot_be_written_as_a_number_stays_as_it_came() -> None:
    assert normalised("06-1234567").text == "06-1234567"
    assert normalised("020-1234567").text == "+31201234567"
