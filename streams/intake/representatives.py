"""Take in who acts for a client. Each person counts for itself, and each part of one; what cannot be used is unknown.

Unknown is off: of whom it is not clear that, for how long or by which right a person acts for the client, that one hears nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from schemas.appointments import Attendee
from schemas.events import KnownPeople, KnownPerson
from schemas.inputs import Contact, Phone
from schemas.representatives import UNTIL_BIRTHDAY, CallName, Role
from schemas.state import Snapshot
from schemas.wire import MOST_PEOPLE, BadRecordError, Int64, PersonId, check

from ..processing.record_checks import FIRST_YEAR, LAST_YEAR
from .contacts import known_contact
from .partial import LanguageTag, channels_part, email_part, ids_of, part

_Tell = Annotated[list[PersonId], Meta(max_length=MOST_PEOPLE)]


def people_of(plain: Any) -> tuple[KnownPeople, list[str]]:
    """Read who acts for a client, and what of that cannot be used. Raises BadRecordError where its ids are missing or wrong."""
    ids, faults = ids_of(plain), list[str]()
    listed: list[Any] = part(list, plain, "people", [], faults)
    if len(listed) > MOST_PEOPLE:
        faults.append(f"more than {MOST_PEOPLE} people - at `$.people`")
        listed = []
    found: list[KnownPerson] = []
    for number, one in enumerate(listed):
        person, wrong = _person(one, ids)
        faults += [fault.replace("`$", f"`$.people[{number}]", 1) for fault in wrong]
        if person is not None:
            found.append(person)
    twice = {id_ for id_, times in Counter(_ids_of(listed)).items() if times > 1}
    if twice:
        faults.append("a person is listed twice - at `$.people`")
    people = KnownPeople(
        **ids, people=tuple(person for person in found if person.id not in twice),
        call_name=part(CallName, plain, "call_name", None, faults), revision=part(Int64 | None, plain, "revision", None, faults),
    )  # fmt: skip
    return people, faults


def _ids_of(listed: list[Any]) -> list[str]:
    """Return whom a list names, whether the rest of each can be read or not."""
    return [one["id"] for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _person(plain: Any, ids: dict[str, str]) -> tuple[KnownPerson | None, list[str]]:
    """Read one person; None where it cannot be said who it is, or by which right."""
    if not isinstance(plain, dict):
        return None, ["Expected `object` - at `$`"]
    faults: list[str] = []
    id_, role = part(PersonId, plain, "id", None, faults), part(Role, plain, "role", None, faults)
    faults += [f"Object missing required field `{name}` - at `$`" for name in ("id", "role") if name not in plain]
    if id_ is None or role is None:
        return None, faults
    unclear = list[str]()
    until = part(date | None, plain, "until", None, unclear)
    if until is None and not unclear and role in UNTIL_BIRTHDAY:
        unclear.append(f"a {role} must have one - at `$.until`")
    if until is not None and not FIRST_YEAR <= until.year <= LAST_YEAR:
        until = None
        unclear.append(f"the year must be {FIRST_YEAR} to {LAST_YEAR} - at `$.until`")
    sms, email = part(Phone | None, plain, "sms", None, faults), email_part(plain, faults)
    contact = known_contact(Contact(**ids, sms=sms, email=email))
    return KnownPerson(
        id=id_, role=role, notifications=part(bool, plain, "notifications", False, faults) and not unclear,
        channels=channels_part(plain, faults), sms=contact.sms, email=contact.email,
        language=part(LanguageTag | None, plain, "language", None, faults), until=until,
        all=_flag(plain, "all", faults), name_client=_flag(plain, "name_client", faults),
    ), [*faults, *unclear]  # fmt: skip


def _flag(plain: dict[str, Any], name: str, faults: list[str]) -> bool:
    return part(bool | None, plain, name, None, faults) is True


def without_bad_tells(plain: Any) -> list[str]:
    """Have an appointment told to nobody else where it cannot be understood who that may be; return what is wrong."""
    faults: list[str] = []
    listed = plain.get("clients") if isinstance(plain, dict) else None
    for number, one in enumerate(listed if isinstance(listed, list) else []):
        if (fault := without_bad_tell(one)) is not None:
            faults.append(f"{fault} - at `$.clients[{number}].tell`")
    return faults


def without_bad_tell(one: Any) -> str | None:
    """Have what cannot be understood in `tell` be nobody; return what is wrong with it."""
    if not isinstance(one, dict) or one.get("tell") is None:
        return None
    try:
        check(_Tell, one["tell"])
    except BadRecordError as error:
        one["tell"] = []
        return str(error).partition(" - at ")[0]
    return None


def tell_of(tell: list[str] | UnsetType | None) -> tuple[str, ...] | None:
    """Return who may be told, each once; None where it is not said."""
    return tuple(dict.fromkeys(tell)) if isinstance(tell, list) else None


def tells_of(attendees: Iterable[Attendee]) -> dict[str, tuple[str, ...]]:
    """Client -> who else may be told, where it says so. Of one that is listed twice, in two ways, nobody is."""
    found: dict[str, tuple[str, ...] | None] = {}
    for one in attendees:
        tell = tell_of(one.tell)
        found[one.client] = tell if found.get(one.client, tell) == tell else ()
    return {client: tell for client, tell in found.items() if tell is not None}


def attendees_of(last: Snapshot) -> list[Attendee]:
    """Return the clients of an appointment, and who else may be told, as its last revision has them."""
    return [
        Attendee(client=client, present=present, tell=list(last.tells[client]) if client in last.tells else UNSET)
        for client, present in last.clients.items()
    ]
