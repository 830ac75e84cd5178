"""HL7 v2 SIU as our appointments: each row is a message, and what is so then."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.intake.intake import Intake
from streams.processing.turn import Record, Turn
from streams.translate.siu import EVENTS, translate_siu
from tests.streams.translate.origins import origin, told
from tests.world import at

MSH = r"MSH|^~\&|PLANNER|ZORG|AFSPRAAKBERICHT|ZORG|20260302090000||SIU^{event}|m-1|P|2.5"
SCH = "SCH|p-1^PLANNER|a-77^PLANNER|||||||60|MIN|^^60^20260417131500^20260417141500||||||||||||||{status}"
PID = "PID|1||12345^^^ZORG^PI||Jansen^Anna"
AIL = "AIL|1|A|LINDE^^^^^^^^De Linde"

BOOKED: dict[str, Any] = {
    "organisation": "zorg", "appointment": "a-77", "revision": 1772438400000, "status": "booked",
    "start": "2026-04-17T11:15:00Z", "end": "2026-04-17T12:15:00Z", "location": {"name": "De Linde"}, "series": "a-77",
    "clients": [{"client": "12345", "present": True}], "replaces": None, "keep": [], "order": 0,
}  # fmt: skip


def message(event: str = "S12", status: str = "Booked", *segments: str, msh: str = MSH, sch: str = SCH) -> bytes:
    lines = [msh.format(event=event), sch.format(status=status), *(segments or (PID, AIL))]
    return "\r".join(lines).encode()


def read(value: bytes, **agreed: Any) -> list[Any]:
    return told(translate_siu, value, origin(**agreed))


def test_a_new_appointment() -> None:
    assert read(message()) == [BOOKED]


@pytest.mark.parametrize(
    ("event", "status", "so"),
    [
        ("S12", "Booked", "booked"), ("S13", "Booked", "booked"), ("S14", "Booked", "booked"), ("S18", "Booked", "booked"),
        ("S19", "Booked", "booked"), ("S20", "Booked", "booked"), ("S21", "Booked", "booked"), ("S22", "Booked", "booked"),
        ("S12", "", "booked"), ("S12", "BOOKED", "booked"), ("S12", "Overbook", "booked"), ("S14", '""', "booked"),
        ("S12", "Pending", "cancelled"), ("S12", "Waitlist", "cancelled"), ("S14", "Cancelled", "cancelled"),
        ("S14", "Deleted", "cancelled"), ("S14", "Discontinued", "cancelled"),
        ("S14", "Started", "arrived"), ("S14", "Complete", "fulfilled"), ("S14", "Noshow", "noshow"),
        ("S15", "Booked", "cancelled"), ("S15", "zzz", "cancelled"), ("S16", "", "cancelled"), ("S17", "", "cancelled"),
        ("S26", "Booked", "noshow"),
    ],
)  # fmt: skip
def test_event_and_status_say_what_is_so(event: str, status: str, so: str) -> None:
    (record,) = read(message(event, status))
    assert record["status"] == so


VRIES, BAKKER = "AIP|1|A|c-1^Vries^Anna^^^Dr", "AIP|2|A|c-2^Bakker^Bo"


@pytest.mark.parametrize(
    ("sch", "segments", "agreed", "more"),
    [
        ("|TEL^Telefonisch|60|", (), {"kinds": {"TEL": "phone"}}, {"label": "TEL", "kind": "phone"}),
        ("|TEL^Telefonisch|60|", (), {"kinds": {"THUIS": "home"}}, {"label": "TEL"}),
        ("|in/take|60|", (), {"kinds": {"in/take": "video"}}, {"label": "in%2Ftake", "kind": "video"}),
        ('|""|60|', (), {}, {}),
        ("||60|", (VRIES,), {}, {"practitioner": "Dr Anna Vries"}),
        ("||60|", (VRIES, VRIES), {}, {"practitioner": "Dr Anna Vries"}),
        ("||60|", (VRIES, BAKKER), {}, {}),
        ("||60|", (VRIES.replace("|A|", "|D|"), BAKKER), {}, {"practitioner": "Bo Bakker"}),
        ("||60|", ("NTE|1||Neem uw pas mee.", "NTE|2||Tot dan."), {"notes": True}, {"instructions": "Neem uw pas mee."}),
        ("||60|", ("NTE|1||komt nooit op tijd",), {}, {}),
    ],
)  # fmt: skip
def test_what_is_known_besides(sch: str, segments: tuple[str, ...], agreed: dict[str, Any], more: dict[str, str]) -> None:
    value = message("S12", "Booked", PID, AIL, *segments, sch=SCH.replace("||60|", sch, 1))
    assert read(value, **agreed) == [BOOKED | more]


def test_without_a_type_its_reason_is_the_label() -> None:
    (record,) = read(message(sch=SCH.replace("|||||||60|", "|||||CONTROLE^Controle||60|", 1)))
    assert record["label"] == "CONTROLE"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (message("S23"), "(slot)"),
        (message("S24"), "(slot)"),
        (message("S14", "Blocked"), "(slot)"),
        (message().replace(b"SIU^S12", b"ADT^A08"), "(type)"),
        (message().replace(b"|m-1|P|", b"|m-1|T|"), "(test)"),
    ],
)
def test_what_is_not_for_us_is_ignored_with_its_reason(value: bytes, reason: str) -> None:
    assert read(value) == [reason]


def test_every_event_of_the_standard_is_known() -> None:
    assert sorted(EVENTS) == [f"S{number}" for number in (*range(12, 25), 26)]


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("MSH|", "PID|", "it is no HL7 v2 message: it does not begin with MSH - at `MSH`"),
        ("SIU^S12", "SIU^S99", "an event that is not known here - at `MSH-9.2`"),
        ("|20260302090000|", "||", "not a time with hours and minutes - at `MSH-7`"),
        ("|20260302090000|", "|20261302090000|", "no such time - at `MSH-7`"),
        ("SCH|", "XCH|", "there must be one segment of it - at `SCH`"),
        ("|p-1^PLANNER|a-77^PLANNER|", "|||", "an id is missing - at `SCH-2`"),
        ("^20260417131500^", "^20260417^", "not a time with hours and minutes - at `SCH-11.4`"),
        ("^20260417141500", "^20260417121500", "the end is before the start - at `SCH-11.5`"),
        ("^20260417141500", "^geheim", "not a time with hours and minutes - at `SCH-11.5`"),
        ("^20260417131500^", "^19690101000000^", "the year must be 1970 to 2199 - at `SCH-11.4`"),
        ("Booked", "Geheim", "a status that is neither of table 0278 nor in the producer's table - at `SCH-25`"),
        ("^^^ZORG^PI", "^^^ELDERS^PI", "no identifier of the client's authority - at `PID-3`"),
        ("^^^ZORG^PI", "^^^ZORG^NNNLD", "no identifier of the client's authority - at `PID-3`"),
        ("12345^^^ZORG^PI", "^^^ZORG^PI", "no identifier of the client's authority - at `PID-3`"),
        ("|P|2.5", "|P|2.5\rMSH|^~\\&|PLANNER|ZORG", "more than one message - at `MSH`"),
        ("MSH|^~\\&|", "MSH|^^^^|", "these are no separators - at `MSH-2`"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_the_words_of_the_standard(old: str, new: str, refusal: str) -> None:
    value = message().decode()
    assert old in value
    assert read(value.replace(old, new, 1).encode()) == [refusal]


def test_another_facility_than_agreed_is_refused() -> None:
    assert read(message(), facilities=["ZORG"]) == [BOOKED]
    assert read(message(), facilities=["ELDERS"]) == ["it is of another producer than the record's key says - at `MSH-4`"]


def test_the_citizen_service_number_never_names_a_client() -> None:
    for bsn in ("999911120^^^NLMINBIZA^NNNLD", "999911120^^^NLMINBIZA", "999911120^^^X&2.16.840.1.113883.2.4.6.3&ISO"):
        (record,) = read(message("S12", "", f"PID|1||{bsn}~12345^^^ZORG^PI", AIL))
        assert record["clients"] == [{"client": "12345", "present": True}]
        assert read(message("S12", "", f"PID|1||{bsn}", AIL), clients=None) == [
            "no identifier of the client's authority - at `PID-3`"
        ]


def test_without_an_agreed_authority_the_one_identifier_counts_and_several_none() -> None:
    (record,) = read(message("S12", "", "PID|1||12345", AIL), clients=None)
    assert record["clients"] == [{"client": "12345", "present": True}]
    assert read(message("S12", "", "PID|1||12345~678^^^X", AIL), clients=None) == [
        "several identifiers, and no authority is agreed that names the client - at `PID-3`"
    ]


def test_a_group_is_several_patients() -> None:
    pid = "PID|{n}||c{n}^^^ZORG^PI"
    (record,) = read(message("S12", "", pid.format(n=1), pid.format(n=2), pid.format(n=1), AIL))
    assert [one["client"] for one in record["clients"]] == ["c1", "c2"]
    many = [pid.format(n=number) for number in range(1001)]
    assert read(message("S12", "", *many)) == ["more than 1000 clients - at `PID`"]


NO_TIMES = "SCH|p-1|a-77|||||||||||||||||||||||{status}"
"""Absent leaves what is known; `""` is empty."""


@pytest.mark.parametrize(
    ("event", "sch", "segments", "keep", "location"),
    [
        pytest.param("S14", SCH, (PID, AIL), [], {"name": "De Linde"}, id="all is there"),
        pytest.param("S14", SCH, (PID,), ["location"], None, id="no AIL: the place stays"),
        pytest.param("S14", SCH, (PID, "AIL|1|A|"), ["location"], None, id="an AIL without a place says nothing of it"),
        pytest.param("S14", SCH, (PID, 'AIL|1|A|""'), [], None, id="an empty place is none"),
        pytest.param("S14", SCH, (PID, "AIL|1|D|LINDE"), [], None, id="a place that is taken off is none"),
        pytest.param("S13", SCH, (AIL,), ["clients"], {"name": "De Linde"}, id="no PID: the clients stay"),
        pytest.param("S14", NO_TIMES, (PID, AIL), ["times"], {"name": "De Linde"}, id="no time: the times stay"),
        pytest.param("S26", NO_TIMES, ("NTE|1",), ["times", "clients", "location"], None, id="nothing but that nobody came"),
        pytest.param("S15", NO_TIMES, ("NTE|1",), [], None, id="a cancellation may leave out all"),
    ],
)
def test_what_a_message_does_not_say_stays_as_it_is(
    event: str, sch: str, segments: tuple[str, ...], keep: list[str], location: Any
) -> None:
    (record,) = read(message(event, "", *segments, sch=sch))
    assert (record["keep"], record["location"]) == (keep, location)


def test_a_new_one_must_say_when_and_who() -> None:
    assert read(message("S12", "", AIL)) == ["a new one without it - at `PID-3`"]
    assert read(message("S12", "", PID, sch=NO_TIMES)) == ["a new one without it - at `SCH-11.4`"]
    (record,) = read(message("S12", "", PID))
    assert (record["location"], record["keep"]) == (None, [])


def test_one_that_is_moved_must_say_to_when() -> None:
    assert read(message("S13", "", PID, sch=NO_TIMES)) == ["it is moved, and nothing says to when - at `SCH-11.4`"]


@pytest.mark.parametrize(
    ("sch", "segments", "start", "end"),
    [
        pytest.param(SCH, (), "11:15", "12:15", id="SCH-11"),
        pytest.param("SCH|p|a|||||||45|MIN|^^^20260417131500", (), "11:15", "12:00", id="a start, and how long by SCH-9"),
        pytest.param("SCH|p|a|||||||1|h|^^^20260417131500", (), "11:15", "12:15", id="in hours"),
        pytest.param("SCH|p|a|||||||1800|s|^^^20260417131500", (), "11:15", "11:45", id="in seconds"),
        pytest.param("SCH|p|a|||||||||^^M30^20260417131500", (), "11:15", "11:45", id="how long by SCH-11.3, its unit before it"),
        pytest.param("SCH|p|a|||||||||^^30^20260417131500", (), "11:15", "11:45", id="without a unit in minutes"),
        pytest.param(
            "SCH|p|a", ("TQ1|1||||||20260417131500|20260417141500",), "11:15", "12:15", id="TQ1, where SCH-11 has none"
        ),
        pytest.param(
            "SCH|p|a", ("AIS|1|A|X|20260417131500|||20|min",), "11:15", "11:35", id="AIS-4, and how long by AIS-7"
        ),
        pytest.param("SCH|p|a|||||||||^^^20260417131500+0300^20260417141500+0300", (), "10:15", "11:15", id="with an offset"),
        pytest.param("SCH|p|a|||||||||^^^202604171315^202604171415", (), "11:15", "12:15", id="without seconds"),
    ],
)  # fmt: skip
def test_start_and_end_in_every_place_that_the_standard_has(sch: str, segments: tuple[str, ...], start: str, end: str) -> None:
    (record,) = read(message("S12", "", PID, *segments, sch=sch))
    assert (record["start"][11:16], record["end"][11:16]) == (start, end)


@pytest.mark.parametrize(
    ("lasts", "refusal"),
    [
        ("|", "there is neither an end nor a duration - at `SCH-11.5`"),
        ("weinig|", "not a duration in seconds, minutes or hours - at `SCH-9`"),
        ("5|weken", "not a duration in seconds, minutes or hours - at `SCH-9`"),
    ],
)
def test_a_start_without_an_end_or_a_duration_is_refused(lasts: str, refusal: str) -> None:
    assert read(message("S12", "", PID, sch=f"SCH|p|a|||||||{lasts}|^^^20260417131500")) == [refusal]


OCTOBER = "SCH|p|a|||||||||^^^20261025023000^20261025030000"


@pytest.mark.parametrize(
    ("written", "start"),
    [
        pytest.param(0, "00:30", id="the first, where nobody says when it was written"),
        pytest.param(1_790_000_000_000, "00:30", id="weeks before: the first is nearer"),
        pytest.param(1_792_892_100_000, "01:30", id="written at 01:35 UTC: the second"),
        pytest.param(1_792_888_500_000, "00:30", id="written at 00:35 UTC: the first"),
    ],
)
def test_of_an_hour_that_a_night_has_twice_the_reading_nearest_to_the_record_counts(written: int, start: str) -> None:
    (record,) = told(translate_siu, message("S12", "", PID, sch=OCTOBER), origin(written))
    assert record["start"][11:16] == start


def test_the_revision_goes_on_through_the_hour_that_a_night_has_twice() -> None:
    revisions = []
    for written in (1_792_888_500_000, 1_792_892_100_000):  # 00:35 and 01:35 UTC, both 02:35 in Amsterdam
        value = message().replace(b"20260302090000", b"20261025023500")
        revisions += [record["revision"] for record in told(translate_siu, value, origin(written))]
    assert revisions == [1_792_888_500_000, 1_792_892_100_000]


def test_a_time_that_a_night_leaves_out_moves_forward_by_the_gap() -> None:
    (record,) = read(message("S12", "", PID, sch="SCH|p|a|||||||||^^^20260329023000^20260329033000"))
    assert (record["start"], record["end"]) == ("2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z")


@pytest.mark.parametrize(
    ("ail", "name"),
    [
        ("LINDE^^^^^^^^De Linde", "De Linde"),
        ("LINDE", "LINDE"),
        ("NOORD^101", "Polikliniek Noord"),
        ("^30^^^^^^^Kihei Clinic", "Kihei Clinic"),
        ("LINDE^^^^^^^^A \\T\\ B", "A & B"),
        ("LINDE^^^^^^^^Ca\\XE9\\", "Caé"),
        ("LINDE^^^^^^^^\\H\\De\\N\\Linde", "De Linde"),
    ],
)
def test_where_by_the_agreed_name_the_description_or_the_code(ail: str, name: str) -> None:
    (record,) = read(message("S12", "", PID, f"AIL|1|A|{ail}"), places={"NOORD": "Polikliniek Noord"})
    assert record["location"] == {"name": name}


@pytest.mark.parametrize(
    ("filler", "id_"),
    [("a-77^PLANNER", "a-77"), ("", "p-1"), ('""', "p-1"), ("a/7%", "a%2F7%25")],
)
def test_the_appointment_is_the_fillers_id_and_fits_a_key(filler: str, id_: str) -> None:
    (record,) = read(message(sch=SCH.replace("a-77^PLANNER", filler)))
    assert record["appointment"] == id_


def test_ids_that_are_too_long_are_refused() -> None:
    assert read(message(sch=SCH.replace("a-77", "x" * 201))) == ["an id of more than 200 characters - at `SCH-2`"]


@pytest.mark.parametrize(
    ("parents", "series"),
    [
        pytest.param("|||", "a-77", id="none named: its own id, which its children name"),
        pytest.param("|ouder^PLANNER||", "ouder", id="the parent's id by who placed it"),
        pytest.param("|ouder^PLANNER|ouder-9|", "ouder-9", id="or better by who filled it"),
    ],
)
def test_what_has_one_parent_is_a_series(parents: str, series: str) -> None:
    head, said = SCH.rsplit("|||", 1)
    (record,) = read(message(sch=f"{head}{parents}{said}"))
    assert record["series"] == series


def test_words_of_their_own_that_were_agreed() -> None:
    (record,) = read(message("S12", "Scheduled"), statuses={"Scheduled": "booked"})
    assert record["status"] == "booked"
    assert read(message("S12", "Scheduled")) == [
        "a status that is neither of table 0278 nor in the producer's table - at `SCH-25`"
    ]


@pytest.mark.parametrize(
    ("end", "around"),
    [
        (b"\r", (b"", b"")),
        (b"\n", (b"", b"\n")),
        (b"\r\n", (b"", b"\r\n")),
        (b"\r", (b"\x0b", b"\r\x1c\r")),
        (b"\r", (b"", b"\r")),
    ],
)
def test_line_ends_and_frames_of_any_kind(end: bytes, around: tuple[bytes, bytes]) -> None:
    assert read(around[0] + message().replace(b"\r", end) + around[1]) == [BOOKED]


@pytest.mark.parametrize(
    ("named", "codec", "place"),
    [
        ("", "utf-8", "Café"),
        ("UNICODE UTF-8", "utf-8", "Café"),
        ("8859/1", "latin-1", "Café"),
        ("8859/15", "iso8859-15", "Café €"),
    ],
)
def test_the_character_set_that_a_message_names(named: str, codec: str, place: str) -> None:
    text = message("S12", "", PID, f"AIL|1|A|X^^^^^^^^{place}").decode().replace("|P|2.5", f"|P|2.5||||||{named}")
    (record,) = read(text.encode(codec))
    assert record["location"] == {"name": place}


def test_a_character_set_that_is_not_there_is_refused() -> None:
    value = message().decode().replace("|P|2.5", "|P|2.5||||||{}")
    assert read(value.format("BIG-5").encode()) == ["a character set that is not known here - at `MSH-18`"]


LATIN = "the bytes are not of the character set that it names - at `MSH-18`"
LONG = "a whole text " * 20


@pytest.mark.parametrize(
    ("old", "new", "more", "beside"),
    [
        ("Jansen^Anna", "Jans\xe9n^Anna", {}, [LATIN]),
        ("De Linde", "De \xe9", {"location": {"name": "LINDE"}}, [LATIN]),
        ("LINDE^^^^^^^^De Linde", "\xe9^^^^^^^^\xe9", {"location": None}, [LATIN]),
        ("|60|MIN|", "|60|MIN\xe9|", {}, [LATIN]),
        ("|||||||60|", "||||||\xe9|60|", {}, ["(label)", LATIN]),
        ("|||||||60|", f"||||||{LONG}|60|", {}, ["(label)"]),
        ("|||||||60|", f"|||||{LONG}||60|", {}, ["(label)"]),
        ("||Booked", f"|{'s' * 201}|Booked", {}, ["(series)"]),
        ("||Booked", "|\xe9|Booked", {}, ["(series)", LATIN]),
        ("De Linde", LONG, {"location": {"name": "a whole text " * 15 + "a"}}, []),
        ("\rAIL", "\rAIP|1|A|c-1^\xe9\rAIL", {}, [LATIN]),
        ("\rAIL", "\rNTE|1||Kom \xe9\rAIL", {}, [LATIN]),
    ],
)
def test_what_only_describes_an_appointment_never_costs_it(old: str, new: str, more: dict[str, Any], beside: list[str]) -> None:
    text = message().decode()
    assert old in text
    assert read(text.replace(old, new, 1).encode("latin-1"), notes=True) == [BOOKED | more, *beside]


@pytest.mark.parametrize(("old", "new", "place"), [("a-77", "a\xe9", "SCH-2"), ("12345", "1\xe9", "PID-3.1")])
def test_an_id_whose_bytes_cannot_be_read_is_none(old: str, new: str, place: str) -> None:
    value = message().decode().replace(old, new, 1).encode("latin-1")
    assert read(value) == [f"an id with bytes that are not of its character set - at `{place}`"]


@pytest.mark.parametrize(
    ("segment", "field"),
    [(f"AIP|1|A|c-1^{'V' * 101}", "practitioner"), (f"NTE|1||{LONG}", "instructions"), ("NTE|1||Zie linde.nl", "instructions")],
)
def test_what_a_reminder_cannot_say_is_left_to_intake_which_names_it_and_takes_the_rest(segment: str, field: str) -> None:
    (record,) = read(message("S12", "Booked", PID, AIL, segment), notes=True)
    taken = Intake(4, {}).decide(Turn(at("2026-03-02 09:00"), [Record("appointments", 0, 0, b"zorg/a-77", orjson.dumps(record))]))
    assert [output.topic for output in taken.outputs] == ["client-events", "dead-letters"]
    assert f"`$.{field}`" in dict(taken.outputs[1].headers)["reason"].decode()


def test_other_separators_than_the_usual_ones() -> None:
    text = message().decode().replace("MSH|^~\\&|", "MSH|\x00~\\&|").replace("^", "@").replace("\x00", "@")
    assert read(text.encode()) == [BOOKED]
