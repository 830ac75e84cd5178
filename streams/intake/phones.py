"""Phone numbers: one way of writing each (E.164), and which of them can get an SMS.

A number that can get none is not refused: what else the contact says counts. It is kept with the reason, and counts as not
confirmed (gate `contact_unconfirmed`).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_for_type_with_reason,
    is_valid_number,
    number_type,
    parse,
)

REGION = "NL"
"""Where a number is from that does not say it."""

Problem = Literal[
    "not_a_number", "extension", "too_short", "too_long", "invalid",
    "landline", "company", "internet", "pager", "personal", "service", "machine", "no_mobile",
]  # fmt: skip
"""Why a number gets no SMS."""

TYPES: dict[int, Problem] = {
    PhoneNumberType.FIXED_LINE: "landline",  # in the Netherlands 010 to 079; some operators read an SMS out, none promises it
    PhoneNumberType.UAN: "company",  # 088, 084
    PhoneNumberType.VOIP: "internet",  # 085, 091
    PhoneNumberType.PAGER: "pager",  # 066
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.TOLL_FREE: "service",  # 0800
    PhoneNumberType.PREMIUM_RATE: "service",  # 0900, 0906, 0909
    PhoneNumberType.SHARED_COST: "service",
}

MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
"""In North America a number does not tell which of the two it is."""

_MACHINE = re.compile(r"97\d*")
"""Dutch numbers for machines (097, 12 digits): the metadata calls them mobile, but a person reads none of what they get."""

_DUTCH_MOBILE = re.compile(r"6[0-57-9]\d{7}")
"""Ranges are handed out before the library knows of them. Whether a number is in use is the provider's to say: it tells us."""

_LETTER = re.compile(r"[^\W\d_]")


class Number(NamedTuple):
    """A number as E.164, or as it came where it cannot be; with the reason why it gets no SMS."""

    text: str
    problem: Problem | None


def normalised(raw: str) -> Number:
    """Read a number as people write it: `06-12345678`, `0031 6 …`, `+31 (0)6 …`, `tel:+316…`, in any script's digits."""
    text = re.sub(r"(?i)^\s*tel:", "", raw)
    try:
        number = parse(text, REGION)
    except NumberParseException:
        return Number(raw, "not_a_number")
    if number.extension:  # it would be lost without a word, and the text go to the switchboard
        return Number(raw, "extension")
    if _LETTER.search(text):  # the library reads letters as the keys they stand on
        return Number(raw, "not_a_number")
    number = _without_trunk_zeros(number)
    problem = _problem(number)
    written = raw if problem in _WRONG else format_number(number, PhoneNumberFormat.E164)
    return Number(written, problem)


def _without_trunk_zeros(number: PhoneNumber) -> PhoneNumber:
    """Drop the zeros between a country code and the number, as in `+31 (0)06 …`, where no number begins with them.

    Some countries' numbers do (Italy's): there the number is valid with them, and stays.
    """
    if not number.italian_leading_zero or is_valid_number(number):
        return number
    return PhoneNumber(country_code=number.country_code, national_number=number.national_number)


_WRONG = ("too_short", "too_long", "invalid")


def _problem(number: PhoneNumber) -> Problem | None:
    national = str(number.national_number)
    if number.country_code == 31 and _MACHINE.fullmatch(national):
        return "machine"
    if number.country_code == 31 and _DUTCH_MOBILE.fullmatch(national):
        return None
    if not is_valid_number(number):  # `is_possible_number` takes a digit too few or too many
        reason = is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
        if reason in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
            return "too_short"
        if reason == ValidationResult.TOO_LONG:
            return "too_long"
        return "invalid"
    kind = number_type(number)
    return None if kind in MOBILE else TYPES.get(kind, "no_mobile")
