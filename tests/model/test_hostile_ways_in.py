"""Whatever comes as FHIR, as HL7 v2 or in an envelope is a record, ignored, or refused in words of ours: no fault of the node."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import APPOINTMENTS, CONTACTS, DEAD_LETTERS
from streams.intake.intake import Intake
from streams.processing.turn import Decision, Record, Turn
from streams.translate.node import Translate
from streams.translate.producers import Producer
from tests.model.budget import examples
from tests.streams.translate.test_envelopes import GOOD, debezium, event
from tests.streams.translate.test_fhir import ANNA, APPOINTMENT, MAIL, MOBILE, bundle, patient
from tests.streams.translate.test_siu import message
from tests.world import at

NOW = at("2026-03-02 09:00")
PRODUCERS = {"zorg": Producer(organisation="zorg", clients=None, contacts=True)}

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12),
    st.sampled_from(["Patient/anna", "#p", "urn:uuid:1", "2026-03-29T02:30:00+01:00", "9999-12-31T23:59:59-12:00", "\u0000"]),
)  # fmt: skip
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)

RESOURCES = [
    APPOINTMENT
    | {
        "contained": [ANNA],
        "replaces": [{"reference": "Appointment/x"}],
        "originatingAppointment": {"reference": "Appointment/y"},
    },
    patient(MOBILE | {"rank": 1, "period": {"end": "2027"}}, MAIL, identifier=ANNA["identifier"]),
    bundle(
        {"fullUrl": "urn:uuid:1", "resource": APPOINTMENT, "request": {"method": "PUT", "url": "x"}},
        {"request": {"method": "DELETE", "url": "Appointment/z"}},
    ),
]


@st.composite
def spoilt(draw: st.DrawFn, whole: Any) -> Any:
    """The same with something else in some of its places."""
    plain = orjson.loads(orjson.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        holder, found = plain, []
        while isinstance(holder, dict | list) and holder:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = draw(st.sampled_from(keys))
            found.append((holder, key))
            holder = holder[key]
        if found:
            inside, key = draw(st.sampled_from(found))
            inside[key] = draw(anything)
    return plain


def is_sound(decision: Decision, topic: str) -> None:
    """Nothing is lost without a word, and what is written can be read by intake."""
    assert decision.taken == 1
    written = [output for output in decision.outputs if output.topic in (APPOINTMENTS.name, CONTACTS.name)]
    letters = [dict(output.headers)["reason"].decode() for output in decision.outputs if output.topic == DEAD_LETTERS.name]
    ignored = sum(times for (name, *_), times in decision.tally.items() if name == "ignored")
    assert written or letters or ignored or topic == "fhir", "an empty Bundle says nothing"
    assert [letter for letter in letters if "our translator failed" in letter] == []
    for output in written:
        taken = Intake(4, {}).decide(Turn(NOW, [Record(output.topic, 0, 0, output.key, output.value)]))
        reasons = [dict(one.headers)["reason"].decode() for one in taken.outputs if one.topic == DEAD_LETTERS.name]
        assert [reason for reason in reasons if "keep" not in reason and "required field" not in reason] == []


def translated(topic: str, value: bytes) -> Decision:
    return Translate(PRODUCERS, {}).decide(Turn(NOW, [Record(topic, 0, 7, b"zorg/a", value, 1_772_442_000_000)]))


@examples(200)
@given(st.sampled_from(RESOURCES).flatmap(spoilt))
def test_any_resource(plain: Any) -> None:
    try:
        value = orjson.dumps(plain)
    except TypeError:  # a number or a text that JSON cannot write
        return
    is_sound(translated("fhir", value), "fhir")


MESSAGE = message("S14", "Booked").replace(
    b"\r", b"\rTQ1|1||||||20260417131500|20260417141500\rAIS|1|A|X|20260417131500|||20|min\r", 1
)
edits = st.lists(
    st.tuples(
        st.integers(0, len(MESSAGE)),
        st.integers(0, 12),
        st.one_of(
            st.binary(max_size=6), st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b'""', b"\\X4\\", b"99999999999999"])
        ),
    ),
    min_size=1,
    max_size=4,
)


@examples(200)
@given(edits)
def test_any_message(changes: list[tuple[int, int, bytes]]) -> None:
    value = MESSAGE
    for where, length, new in changes:
        value = value[:where] + new + value[where + length :]
    is_sound(translated("hl7v2", value), "hl7v2")


@examples(150)
@given(
    st.sampled_from(
        [event(data=GOOD), debezium("u", before=GOOD, after=GOOD), debezium("d", before=GOOD), {"schema": {}, "payload": GOOD}]
    ).flatmap(spoilt)
)
def test_any_envelope(plain: Any) -> None:
    try:
        value = orjson.dumps(plain)
    except TypeError:
        return
    for topic in ("appointments", "consents", "organisations"):
        decision = Intake(4, {}).decide(Turn(NOW, [Record(topic, 0, 7, b"zorg/a", value)]))
        assert decision.taken == 1


@examples(150)
@given(st.binary(max_size=200))
def test_any_bytes(value: bytes) -> None:
    is_sound(translated("fhir", value), "fhir")
    is_sound(translated("hl7v2", value), "hl7v2")
