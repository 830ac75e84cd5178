"""How much is kept of one client: what is one too many is set aside with its number, and what is known still comes through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from schemas.events import AppointmentEvent, ClientEvent, View
from schemas.inputs import Request
from schemas.state import Agenda, AgendaEntry, Pending
from schemas.topics import AGENDAS, ORGANISATIONS_TABLE
from schemas.wire import encode
from streams.notices.notices import Notices
from streams.processing.caps import LARGE, MOST_APPOINTMENTS, MOST_REQUESTS, REQUESTS, ROW
from streams.processing.rows import DECODERS
from streams.processing.turn import Decision, Record, Turn
from tests.world import World, appointment, at, organisation

NOW = at("2026-03-02 09:00")
KEY = b"zorg/anna"
LATER = NOW + timedelta(days=40)


def view(number: int = 0, location: str | None = None, start: Any = None) -> View:
    begin = start or LATER + timedelta(hours=number)
    return View(begin, begin + timedelta(hours=1), location)


def entry(one: View, *, booked: bool = True) -> AgendaEntry:
    return AgendaEntry(revision=1, booked=booked, present=True, actual=one, told=one if booked else None, keep_until=one.end)


def processor(agenda: Agenda) -> Notices:
    """Anna's agenda, in an organisation that is not known: nothing goes out, so only rows and dead letters are seen."""
    return Notices(0, {AGENDAS.row("zorg/anna"): encode(agenda)})


def change(
    name: str, one: View, *, revision: int = 2, booked: bool = True, replaces: tuple[str, ...] = ()
) -> AppointmentEvent:  # fmt: skip
    return AppointmentEvent(appointment=name, revision=revision, booked=booked, present=True, view=one, replaces=replaces)


def hear(notices: Notices, **what: Any) -> Decision:
    event = ClientEvent(organisation="zorg", client="anna", **what)
    return notices.decide(Turn(NOW, [Record("client-events", 0, 7, KEY, encode(event))]))


def row(decision: Decision) -> Agenda | None:
    """What the agenda becomes."""
    value = decision.rows.get(AGENDAS.row("zorg/anna"))
    return DECODERS[AGENDAS.store, AGENDAS.name](value) if value is not None else None


def reasons(decision: Decision) -> list[str]:
    return [dict(out.headers)["reason"].decode() for out in decision.outputs if out.topic == "dead-letters"]


WIDE = "\u00e9" * 200


def wide(size: int) -> Agenda:
    """Appointments in places with long names, that leave 200 to 600 of so many bytes."""
    each = len(encode(entry(view(1000, WIDE)))) + len(b'"a1000":,')
    found = {f"a{1000 + n}": entry(view(n, WIDE)) for n in range(size // each - 1)}
    while len(encode(Agenda(found))) < size - 600:
        found[f"b{len(found)}"] = entry(view(len(found)))
    return Agenda(found)


FULL = Agenda({f"a{n}": entry(view(n)) for n in range(MOST_APPOINTMENTS)})
OVER = entry(view(start=NOW - timedelta(days=3)))
HEAVY = wide(ROW)

APPOINTMENTS: list[tuple[str, Agenda, AppointmentEvent, str | None]] = [
    ("one more than may be ahead", FULL, change("new", view()), "more than 2000 appointments ahead of one client"),
    ("one that was cancelled, and is on again", Agenda({**FULL.appointments, "off": entry(view(), booked=False)}),
     change("off", view()), "more than 2000 appointments ahead of one client"),
    ("the last that may be ahead", Agenda({**FULL.appointments, "a0": OVER}), change("new", view()), None),
    ("one that is over", FULL, change("new", OVER.actual), None),
    ("a cancellation of a known one", FULL, change("a7", view(7), booked=False), None),
    ("a move of a known one", FULL, change("a7", view(9000)), None),
    ("another place of a known one", FULL, change("a7", view(7, "De Linde")), None),
    ("a new one where the row is full", HEAVY, change("new", view(1, WIDE)), "more than 1048576 bytes of one client"),
    ("a longer place where the row is full", Agenda({**HEAVY.appointments, "short": entry(view())}),
     change("short", view(0, WIDE)), "more than 1048576 bytes of one client"),
    ("a cancellation where the row is full", HEAVY, change("a1007", view(7, WIDE), booked=False), None),
    ("a move where the row is full", HEAVY, change("a1007", view(9000, WIDE)), None),
    ("one that replaces ten where the row is full", Agenda({**HEAVY.appointments, "short": entry(view())}),
     change("short", view(), replaces=(WIDE, *"abcdefghi")), "more than 1048576 bytes of one client"),
    ("one that was never on, and that replaces ten, where the row is full", HEAVY,
     change("new", view(), booked=False, replaces=(WIDE, *"abcdefghi")), "more than 1048576 bytes of one client"),
    ("a repetition of a known one", FULL, change("a7", view(7, WIDE), revision=1), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "agenda", "event", "reason"), APPOINTMENTS, ids=[one[0] for one in APPOINTMENTS])
def test_an_appointment_is_taken_in_or_set_aside_with_the_number(
    what: str, agenda: Agenda, event: AppointmentEvent, reason: str | None
) -> None:
    decision = hear(processor(agenda), appointment=event)

    if reason is not None:
        cap = "bytes" if "bytes" in reason else "appointments"
        assert (decision.rows, reasons(decision), decision.tally) == ({}, [reason], {("capped", cap): 1})
        return
    assert reasons(decision) == []
    if event.revision > 1:
        agenda_after = row(decision)
        assert agenda_after is not None
        assert agenda_after.appointments[event.appointment].actual == event.view
        assert agenda_after.window is not None


def test_what_has_been_kept_long_enough_makes_room() -> None:
    old = entry(view(start=NOW - timedelta(days=90)))
    heavy = Agenda({**HEAVY.appointments, **{f"old{n}": old for n in range(10)}})
    decision = hear(processor(heavy), appointment=change("new", view(1)))

    assert reasons(decision) == []
    assert set(row(decision).appointments) == {*HEAVY.appointments, "new"}  # type: ignore[union-attr]


def asked(number: int, **more: Any) -> Request:
    return Request(
        organisation="zorg", client="anna", request=f"r{number}", party="roqua", text="x", send_at=NOW + timedelta(days=9), **more
    )


WAITING = Agenda(requests={f"roqua/r{n}": Pending(asked(n), NOW + timedelta(days=9)) for n in range(MOST_REQUESTS)})
REMEMBERED = Agenda(seen={f"roqua/{'x' * 180}{n}": NOW + timedelta(days=30) for n in range(REQUESTS // 200)})
AT_ONCE = {"send_at": None}


def test_a_request_too_many_is_set_aside_with_the_number_and_the_log_tells_who_asks() -> None:
    decision = hear(processor(WAITING), request=asked(1000))

    told = [orjson.loads(out.value or b"") for out in decision.outputs if out.topic == "delivery-log"]
    assert decision.rows == {}
    assert reasons(decision) == ["more than 100 requests wait for one client"]
    assert [(one["status"], one["detail"], one["reason"]) for one in told] == [("suppressed", "too_many", "request")]
    assert decision.tally["capped", "requests"] == 1


def test_what_is_remembered_of_requests_leaves_room_for_appointments() -> None:
    """One party may not fill a client's row until no appointment fits."""
    requested, booked = (
        hear(processor(REMEMBERED), request=asked(1)),
        hear(processor(REMEMBERED), appointment=change("a", view())),
    )

    assert (requested.rows, reasons(requested)) == ({}, ["more than 262144 bytes of requests for one client"])
    assert reasons(booked) == []
    assert set(row(booked).appointments) == {"a"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("what", "request_"),
    [
        ("one that goes at once", Request(organisation="zorg", client="anna", request="new", party="roqua", text="x")),
        ("one that waits already", asked(7)),
    ],
)
def test_where_as_many_wait_as_may_a_request_still_is_taken(what: str, request_: Request) -> None:
    assert reasons(hear(processor(WAITING), request=request_)) == []


def test_in_quiet_hours_a_request_that_would_go_at_once_waits_too() -> None:
    notices = processor(WAITING)
    settings = orjson.dumps({"organisation": organisation(quiet_hours={"from": "00:00", "until": "23:59"}), "since": NOW})
    notices.rows.base[ORGANISATIONS_TABLE.row("zorg")] = settings
    notices.loaded()
    request = Request(organisation="zorg", client="anna", request="new", party="roqua", text="x")

    assert reasons(hear(notices, request=request)) == ["more than 100 requests wait for one client"]


@pytest.mark.parametrize(("size", "counted"), [(LARGE - 2000, False), (LARGE + 2000, True)])
def test_a_large_row_is_counted_before_it_is_full(size: int, counted: bool) -> None:
    decision = hear(processor(wide(size)), appointment=change("new", view()))

    assert (("large_rows",) in decision.tally) == counted


def test_in_a_group_the_others_are_told_though_one_client_has_too_many() -> None:
    world = World()
    for client in ("anna", "bram"):
        world.consent(client=client).contact(client=client)
    rows = world.simulation.rows["notices"]
    rows[AGENDAS.row("zorg/anna")] = encode(FULL)
    both = [{"client": client, "present": True} for client in ("anna", "bram")]
    world.feed("appointments", "zorg/g", appointment("2026-04-17 13:15", appointment="g", clients=both)).wait("2026-03-02 09:05")

    assert [(one["client"], one["status"]) for one in world.log if "g" in str(one["notices"])] == [("bram", "sent")]
    assert world.refused == ["more than 2000 appointments ahead of one client"]
