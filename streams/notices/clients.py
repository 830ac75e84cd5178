"""The rows of clients in one partition, and when each of them has to be looked at next."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime

from schemas.inputs import Organisation
from schemas.keys import CLIENT, ClientKey, RecipientKey, person_of, recipient_of
from schemas.state import Agenda, SettingsRow
from schemas.topics import AGENDAS, HOLDS_TABLE, ORGANISATIONS_TABLE, OVERRIDES_TABLE, PEOPLE_TABLE
from schemas.wire import encode

from ..processing.caps import LARGE
from ..processing.local_time import EPOCH
from ..processing.rows import Rows
from ..processing.timers import Timers
from ..processing.turn import Decision
from .agenda import pruned, renamed_at, zone_of
from .client_turn import ClientTurn, agenda_of, facts_of, people_of, view_for
from .due_moments import reminders_of, upcoming
from .flights import overdue_at
from .gates import ClientFacts
from .holds import holds_party, not_before, waiting_at
from .labels import by_labels
from .people import is_bare, person_view, with_view
from .representatives import forgets_at, listed
from .settings import EffectiveSettings
from .unsaid_places import says_places_to_others

WINDOW, REMINDER, REQUEST, FLIGHT, PRUNE, END = 0, 1, 2, 3, 4, 5
KINDS = ("window", "reminder", "request", "flight", "prune", "end")
"""Kinds of moments, in the order in which they are handled at one instant."""


class Clients:
    """What is kept of the clients of one partition of `client-events`."""

    def __init__(self, partition: int, rows: MutableMapping[bytes, bytes]) -> None:
        self.partition = partition
        self.rows = Rows(rows)
        self.timers = Timers()
        self.settings = EffectiveSettings()

    def loaded(self) -> None:
        """Read the settings, and find the next moment of every client."""
        self.rows.verify("notices", ORGANISATIONS_TABLE, OVERRIDES_TABLE, HOLDS_TABLE, AGENDAS, PEOPLE_TABLE)
        self.settings.load(self.rows)
        self.rows.each(AGENDAS, lambda key, agenda: self.load(key, agenda, EPOCH))
        self.rows.each(PEOPLE_TABLE, lambda key, _: self.schedule_people(None, ClientKey.of(key), EPOCH))

    def next_due(self) -> datetime | None:
        """Return the earliest moment of any client."""
        return self.timers.next()

    def facts(self, key: RecipientKey, now: datetime) -> ClientFacts:
        """Look up what the gates look at, as it is durable."""
        return facts_of(self.rows, None, key, self._organisation(key), now)

    def agenda(self, key: RecipientKey) -> Agenda:
        """Read what is so for a recipient and what was told, as it is durable."""
        return view_for(self.rows, None, key, self._organisation(key))

    def turn_of(self, decision: Decision, key: ClientKey, now: datetime, recipient: str = CLIENT) -> ClientTurn:
        """Return the turn of a client, or of somebody else of the client's, in a decision."""
        return ClientTurn(decision, self.partition, self.rows, key, self.settings.get(key.organisation), now, recipient)

    def _organisation(self, key: ClientKey | RecipientKey) -> Organisation | None:
        settings = self.settings.get(key.organisation)
        return settings.organisation if settings is not None else None

    def keep(self, turn: ClientTurn, agenda: Agenda) -> None:
        """Put a client's new row, or none where nothing is left to remember, and note when to look at it next.

        Of one who acts for the client `agenda` is what that one may be told; it stands in the client's row.
        """
        if turn.recipient:
            of_client = pruned(turn.of_client, turn.zone, turn.now)
            self._put(turn, with_view(of_client, person_of(turn.recipient), agenda, turn.zone))
            self.schedule_recipient(turn.whose, agenda, turn.forgets_at, turn.now)
            return
        self._put(turn, agenda)
        self.schedule(turn.key, agenda, turn.now)

    def _put(self, turn: ClientTurn, agenda: Agenda) -> None:
        row = b"" if _is_bare(agenda) else encode(agenda)
        if len(row) > LARGE:
            turn.decision.count("large_rows")
        turn.decision.put(AGENDAS.row(turn.name), row or None)

    def load(self, name: str, agenda: Agenda, now: datetime) -> None:
        """Set the next moment of a client whose row was read."""
        key = ClientKey.of(name)
        self.schedule(key, by_labels(agenda, self._organisation(key)), now)

    def schedule_people(self, decision: Decision | None, key: ClientKey, now: datetime) -> None:
        """Set the next moment of each who acts for a client, and of who did so and still has something under way."""
        organisation = self._organisation(key)
        agenda, row = agenda_of(self.rows, decision, key, organisation), people_of(self.rows, decision, key)
        zone, places = zone_of(organisation), says_places_to_others(organisation)
        for id_ in dict.fromkeys([*[person.id for person in row.people], *agenda.people]):
            person = listed(row, id_)
            view = person_view(agenda, person, zone, places=places)
            self.schedule_recipient(RecipientKey(*key, recipient_of(id_)), view, forgets_at(person, zone), now)

    def schedule_recipient(self, key: RecipientKey, view: Agenda, end: datetime | None, now: datetime) -> None:
        """Set the next moment of one who acts for a client; `end`: when that one's address is to be forgotten."""
        found = first_moment_of(view, self.settings.get(key.organisation), end, now)
        if found is None:
            self.timers.put(str(key), None)
            return
        when, kind, detail = found
        self.timers.put(str(key), (when, kind, *key.of_client, detail, key.recipient))

    def schedule_again(self, client: ClientTurn, agenda: Agenda) -> None:
        """Set the next moment of a recipient of whom nothing changed."""
        if client.recipient:
            self.schedule_recipient(client.whose, agenda, client.forgets_at, client.now)
        else:
            self.schedule(client.key, agenda, client.now)

    def schedule(self, key: ClientKey, agenda: Agenda, now: datetime) -> None:
        """Set the client's next moment, in the order in which moments of one instant are handled."""
        name = str(key)
        if (found := first_moment(agenda, self.settings.get(key.organisation), now)) is not None:
            when, kind, detail = found
            self.timers.put(name, (when, kind, *key, detail))
        elif keep := [*[entry.keep_until for entry in agenda.appointments.values()], *agenda.seen.values()]:
            self.timers.put_by(name, (max(keep), PRUNE, *key, ""))
        else:
            self.timers.put(name, None)


def _is_bare(agenda: Agenda) -> bool:
    """Tell whether nothing is left to remember."""
    if agenda.appointments or not all(map(is_bare, agenda.people.values())):
        return False
    return agenda == Agenda(
        reminded=agenda.reminded, handled=agenda.handled, backs=agenda.backs, returned=agenda.returned, unsaid=agenda.unsaid,
        sent=agenda.sent, people=agenda.people,
    )  # fmt: skip


def first_moment(agenda: Agenda, settings: SettingsRow | None, now: datetime) -> tuple[datetime, int, str] | None:
    """Return the client's next moment, its kind, and the day of its reminder or the name of its request.

    While a message flies no window closes, and no reminder is due.
    """
    found: list[tuple[datetime, int, str]] = []
    if agenda.flight:
        found.append((overdue_at(agenda), FLIGHT, ""))
    else:
        found += [(when, WINDOW, "") for when in closings(agenda, settings)]
        if agenda.reminding is not None and settings is not None and reminders_of(settings.organisation):
            found.append((agenda.reminding[1], REMINDER, agenda.reminding[0]))
        elif (reminder := upcoming(agenda, settings, now)) is not None:
            found.append((reminder[0], REMINDER, reminder[1]))
    found += [
        (not_before(settings, pending.due), REQUEST, name)
        for name, pending in agenda.requests.items()
        if not holds_party(settings, pending.request.party)
    ]
    return min(found, default=None)


def first_moment_of(
    view: Agenda, settings: SettingsRow | None, end: datetime | None, now: datetime
) -> tuple[datetime, int, str] | None:  # fmt: skip
    """Return the next moment of a recipient; `end`: when the address of one who acts for the client is to be forgotten."""
    found = first_moment(view, settings, now)
    return min(one for one in (found, (end, END, "")) if one is not None) if end is not None else found


def closings(agenda: Agenda, settings: SettingsRow | None) -> list[datetime]:
    """Return when the window closes: the open one, what quiet hours or a hold hold, and the one that another time zone opened."""
    window = agenda.window.closes if agenda.window is not None else None
    moments = (window, agenda.held_until, renamed_at(agenda, settings), waiting_at(agenda, settings))
    return [moment for moment in moments if moment is not None]
