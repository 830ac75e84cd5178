"""Bounds of strings are found wherever they stand, also beside keys that look like parts of a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import strict
from schemas.agenda_snapshots import AgendaSnapshot
from schemas.appointments import Appointment
from schemas.inputs import Contact, Organisation, OrganisationOverride, Request

TYPES = (Appointment, AgendaSnapshot, Organisation, OrganisationOverride, Request, Contact)
NAMES = ("organisation", "client", "clients", "location", "name", "replaces", "labels", "translations", "nl", "sms", "email",
         "before", "subject", "appointments", "link", "[]", "{}", strict.KEYS, "a/b", "x\n")  # fmt: skip
JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "a", "a/b", "x\n", "y\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
)


@pytest.mark.parametrize(
    ("type_", "plain", "place"),
    [
        (Appointment, {"appointment": "a/1"}, "$.appointment"),
        (Appointment, {"clients": [{"client": "anna"}, {"client": "an/na"}]}, "$.clients[1].client"),
        (Appointment, {"replaces": ["a-1", "a/2"]}, "$.replaces[1]"),
        (Appointment, {"replaces": "a/2"}, "$.replaces"),
        (Organisation, {"labels": {"a/b": {}}}, "$.labels[...]"),
        (Organisation, {"labels": {"{}": {}, strict.KEYS: {}, "a/b": {}}}, "$.labels[...]"),
        (Organisation, {"labels": {"{}": {"templates": {"created": {"email": {"subject": "a\nb"}}}}}},
         "$.labels[...].templates.created.email.subject"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_with_its_place(type_: type, plain: Any, place: str) -> None:
    assert (strict.broken(type_, plain) or "").endswith(f" - at `{place}`")


@given(st.sampled_from(TYPES), JSON)
def test_a_record_walked_once_keeps_what_it_keeps_bound_by_bound(type_: type, plain: Any) -> None:
    kept = all(
        pattern.search(text) for path, pattern in strict.rules(type_) for _, text in strict._strings(plain, path, "$")
    )  # fmt: skip
    assert (strict.broken(type_, plain) is None) is kept
