"""Notices: one writer of all that is known of a client; it decides what to tell, and when (DESIGN.md "Rules")."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from schemas.deliveries import ERASED
from schemas.events import ClientEvent, Erased
from schemas.inputs import OptOut, Request, WindowSettings
from schemas.state import Agenda, OptOuts, Pending, Settings
from schemas.topics import (
    AGENDAS,
    CONSENTS_TABLE,
    CONTACTS_TABLE,
    OPT_OUTS_TABLE,
)
from schemas.wire import encode

from .agenda import KEPT, Decided, close, grouped, pruned, take_in
from .contacts import refused, remembering
from .gates import Passage, Standing, passage
from .messages import DELIVERIES, emit_message, request_notice
from .moments import Moments
from .overrides import InForce
from .quiet import quiet_until
from .reminders import remind, upcoming
from .rows import Rows
from .turn import Decision, Output, Record, Shard, Turn

WINDOW, REMINDER, REQUEST, PRUNE = 0, 1, 2, 3
KINDS = ("window", "reminder", "request", "prune")
"""Kinds of moments, in the order in which they are handled at one instant."""

_event = msgspec.json.Decoder(ClientEvent).decode


class Notices:
    """The notices shard of one partition of `client-events`."""

    def __init__(self, partition: int, rows: MutableMapping[bytes, bytes]) -> None:
        self.partition = partition
        self.rows = Rows(rows)
        self.moments = Moments()
        self.settings = InForce()

    # -- what the driver asks ------------------------------------------------------------------------------------------

    def loaded(self) -> None:
        """Read the settings, and find the next moment of every client."""
        self.settings.load(self.rows)
        for key, agenda in self.rows.scan(AGENDAS):
            organisation, client = key.split("/")
            self._schedule(organisation, client, agenda, _BEGINNING)

    def decide(self, turn: Turn) -> Decision:
        """Due moments first, then events, in order."""
        decision = Decision()
        for name in self.moments.due(turn.due, turn.limit):
            self._fire(decision, name, turn.now)
            if decision.full:
                break
        for record in turn.records:
            if decision.full:
                break
            decision.taken += 1
            self._handle(decision, record, turn.now)
        decision.more = self.moments.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Settings and moments are kept as they are decided."""

    def next_due(self) -> datetime | None:
        """The earliest moment of any client."""
        return self.moments.next()

    # -- what other nodes may read -------------------------------------------------------------------------------------

    def standing(self, organisation: str, client: str, decision: Decision | None = None) -> Standing:
        """What the gates look at."""
        settings = self.settings.get(organisation)
        key = f"{organisation}/{client}"
        return Standing(
            self.rows.get(decision, CONSENTS_TABLE, CONSENTS_TABLE.row(key)),
            self.rows.get(decision, CONTACTS_TABLE, CONTACTS_TABLE.row(key)),
            self.rows.get(decision, OPT_OUTS_TABLE, OPT_OUTS_TABLE.row(key)),
            settings.organisation if settings is not None else None,
        )

    def agenda(self, organisation: str, client: str, decision: Decision | None = None) -> Agenda:
        """What is so and what was told."""
        found: Agenda | None = self.rows.get(decision, AGENDAS, AGENDAS.row(f"{organisation}/{client}"))
        return found if found is not None else Agenda()

    # -- events --------------------------------------------------------------------------------------------------------

    def _handle(self, decision: Decision, record: Record, now: datetime) -> None:
        event = _event(record.value or b"")
        organisation, client = event.organisation, event.client
        key = f"{organisation}/{client}"
        if event.appointment is not None:
            old = self.agenda(organisation, client, decision)
            settings = self.settings.get(organisation)
            window = settings.organisation.window if settings is not None else WindowSettings()
            agenda = take_in(old, event.appointment, window, now, seconds_since(event.written, now))
            if agenda is not old:
                if agenda.window is not None and agenda.window.closes <= now and 0 in (window.quiet_seconds, window.max_seconds):
                    agenda = self._close(decision, organisation, client, agenda, now, now)
                self._keep(decision, organisation, client, agenda, now)
        elif event.consent is not None:
            decision.put(CONSENTS_TABLE.row(key), encode(event.consent))
        elif event.contact is not None:
            before = self.rows.get(decision, CONTACTS_TABLE, CONTACTS_TABLE.row(key))
            decision.put(CONTACTS_TABLE.row(key), encode(remembering(before, event.contact)))
        elif event.bounce is not None:
            contact = refused(self.rows.get(decision, CONTACTS_TABLE, CONTACTS_TABLE.row(key)), event.bounce)
            if contact is not None:
                decision.count("refused_addresses", event.bounce.channel)
                decision.put(CONTACTS_TABLE.row(key), encode(contact))
        elif event.opt_out is not None:
            self._opt_out(decision, key, event.opt_out)
        elif event.request is not None:
            self._take_request(decision, organisation, client, event, event.request, now)
        elif event.erased is not None:
            self._erase(decision, organisation, client, event.erased, now)
        elif event.settings is not None or event.override is not None or event.forget in ("settings", "override"):
            self._set(decision, organisation, event, now)
        elif event.forget == "consent":
            decision.put(CONSENTS_TABLE.row(key), None)
        elif event.forget == "contact":
            decision.put(CONTACTS_TABLE.row(key), None)

    def _opt_out(self, decision: Decision, key: str, event: OptOut) -> None:
        row = OPT_OUTS_TABLE.row(key)
        old: OptOuts = self.rows.get(decision, OPT_OUTS_TABLE, row) or OptOuts()
        off = {channel: source for channel, source in old.off.items() if channel != event.channel}
        if event.off:
            off[event.channel] = event.source
        decision.put(row, encode(OptOuts(off)) if off else None)

    def _erase(self, decision: Decision, organisation: str, client: str, event: Erased, now: datetime) -> None:
        """Forget the client, or appointments that another partition of intake kept. The senders are told by a null value."""
        key, agenda = f"{organisation}/{client}", self.agenda(organisation, client, decision)
        if event.appointments is not None:
            left = {id_: entry for id_, entry in agenda.appointments.items() if id_ not in event.appointments}
            if len(left) < len(agenda.appointments):
                decision.scrub.add(AGENDAS.row(key))
                self._keep(decision, organisation, client, replace(agenda, appointments=left), now)
            return
        standing = self.standing(organisation, client, decision)
        for pending in agenda.requests.values():
            one = Decided(request_notice(organisation, client, pending.request), ERASED, now)
            emit_message(
                decision, self.partition, organisation, client, "request", [one], Passage(None, None), now, now, standing
            )
        for table in (CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, AGENDAS):
            if self.rows.get(decision, table, table.row(key)) is not None:
                decision.erase(table.row(key))
        self.moments.put(key, None)
        for topic in DELIVERIES.values():
            decision.emit(Output(topic, key.encode(), None, self.partition))

    def _set(self, decision: Decision, organisation: str, event: ClientEvent, now: datetime) -> None:
        """New settings, or what lies over them. Where other due moments follow, every client gets its next moment anew."""
        if not self.settings.take_in(self.rows, decision, event, now):
            return
        prefix = AGENDAS.row(f"{organisation}/")
        changed = [key for key in decision.rows if key.startswith(prefix)]
        clients = {key.split("/")[1] for key, _ in self.rows.scan(AGENDAS, f"{organisation}/")}
        for client in sorted(clients | {key[len(prefix) :].decode() for key in changed}):
            if (agenda := self.rows.get(decision, AGENDAS, AGENDAS.row(f"{organisation}/{client}"))) is not None:
                self._schedule(organisation, client, agenda, now)

    # -- moments -------------------------------------------------------------------------------------------------------

    def _schedule(self, organisation: str, client: str, agenda: Agenda, now: datetime) -> None:
        """The client's next moment, in the order in which moments of one instant are handled."""
        name = f"{organisation}/{client}"
        found: list[tuple[datetime, int, str]] = []
        if agenda.window is not None:
            found.append((agenda.window.closes, WINDOW, ""))
        if agenda.held_until is not None:
            found.append((agenda.held_until, WINDOW, ""))
        if (reminder := upcoming(agenda, self.settings.get(organisation), now)) is not None:
            found.append((reminder[0], REMINDER, reminder[1]))
        if agenda.requests:
            found.extend((pending.due, REQUEST, request) for request, pending in agenda.requests.items())
        if found:
            when, kind, detail = min(found)
            self.moments.put(name, (when, kind, organisation, client, detail))
        elif keep := [entry.keep_until for entry in agenda.appointments.values()] + list(agenda.seen.values()):
            self.moments.put_by(name, (max(keep), PRUNE, organisation, client, ""))
        else:
            self.moments.put(name, None)

    def _fire(self, decision: Decision, name: str, now: datetime) -> None:
        """Handle the moment that was taken off the index; which one it is follows from the agenda."""
        organisation, client = name.split("/")
        old = agenda = self.agenda(organisation, client, decision)
        settings = self.settings.get(organisation)
        reminder = upcoming(agenda, settings, now)
        windows = [agenda.window.closes] if agenda.window is not None else []
        windows += [agenda.held_until] if agenda.held_until is not None else []
        waiting = [(pending.due, name) for name, pending in agenda.requests.items()]
        found = [(min(windows), WINDOW)] if windows else []
        found += [(reminder[0], REMINDER)] if reminder is not None else []
        found += [(min(waiting)[0], REQUEST)] if waiting else []
        when, kind = min(found, default=(now, PRUNE))
        if when > now:  # the agenda has no moment that is due (any more)
            self._schedule(organisation, client, agenda, now)
            return
        decision.measure("moments", KINDS[kind], time=now - when)
        if kind == WINDOW:
            agenda = self._close(decision, organisation, client, agenda, when, now)
        elif kind == REMINDER and reminder is not None and settings is not None:
            agenda = self._remind(decision, organisation, client, agenda, settings, reminder, now)
        elif kind == REQUEST:
            agenda = self._decide_request(decision, organisation, client, agenda, min(waiting)[1], when, now)
        else:
            agenda = pruned(agenda, now)
        if agenda is old:
            self._schedule(organisation, client, agenda, now)
        else:
            self._keep(decision, organisation, client, agenda, now)

    def _keep(self, decision: Decision, organisation: str, client: str, agenda: Agenda, now: datetime) -> None:
        empty = not agenda.appointments and agenda == Agenda(reminded=agenda.reminded)
        decision.put(AGENDAS.row(f"{organisation}/{client}"), None if empty else encode(agenda))
        self._schedule(organisation, client, agenda, now)

    # -- decisions -----------------------------------------------------------------------------------------------------

    def _close(self, decision: Decision, organisation: str, client: str, agenda: Agenda, due: datetime, now: datetime) -> Agenda:
        """The window ends, at `now`; it was to at `due`."""
        if agenda.window is not None:
            due -= timedelta(seconds=agenda.window.late)
        standing = self.standing(organisation, client, decision)
        agenda, decided = close(organisation, client, pruned(agenda, now), standing.organisation, now)
        way = passage(standing) if decided else Passage(None, None)
        if way.closed is not None:
            decided = [replace_fate(one, one.fate or way.closed) for one in decided]
        for message in grouped(decided):
            emit_message(decision, self.partition, organisation, client, "direct", message, way, now, due, standing)
        return agenda

    def _remind(
        self, decision: Decision, organisation: str, client: str, agenda: Agenda, settings: Settings,
        reminder: tuple[datetime, str], now: datetime,
    ) -> Agenda:  # fmt: skip
        """The reminder of a day: it first closes the open window, held or not, and speaks of what then is so."""
        due, day = reminder
        if agenda.window is not None or agenda.held_until is not None:
            agenda = self._close(decision, organisation, client, agenda, due, now)
        found = remind(organisation, client, agenda, settings.organisation, day, due, now)
        if found is not None:
            standing = self.standing(organisation, client, decision)
            way = passage(standing)
            start = found.notice.now.start if found.notice.now is not None else due
            one = Decided(found.notice, found.fate or way.closed, start)
            emit_message(decision, self.partition, organisation, client, "reminder", [one], way, now, due, standing)
        return replace(agenda, reminded=(*agenda.reminded, day))

    def _take_request(
        self, decision: Decision, organisation: str, client: str, event: ClientEvent, request: Request, now: datetime
    ) -> None:
        """A third party's message waits for its moment; one that is known already is ignored."""
        agenda = self.agenda(organisation, client, decision)
        name = f"{request.party}/{request.request}"
        if name in agenda.seen or name in agenda.requests:
            return
        due = max(now, request.send_at) if request.send_at is not None else now
        agenda = replace(agenda, requests={**agenda.requests, name: Pending(request, due)})
        if due <= now:
            since = max(now - timedelta(seconds=seconds_since(event.written, now)), request.send_at or _BEGINNING)
            agenda = self._decide_request(decision, organisation, client, agenda, name, since, now)
        self._keep(decision, organisation, client, agenda, now)

    def _decide_request(
        self, decision: Decision, organisation: str, client: str, agenda: Agenda, name: str, since: datetime, now: datetime
    ) -> Agenda:
        request = agenda.requests[name].request
        standing = self.standing(organisation, client, decision)
        late = request.expires_at is not None and now > request.expires_at
        if not late and (until := quiet_until(standing.organisation, now)) is not None:
            return replace(agenda, requests={**agenda.requests, name: Pending(request, until)})
        way = passage(standing)
        one = Decided(request_notice(organisation, client, request), "expired" if late else way.closed, now)
        emit_message(decision, self.partition, organisation, client, "request", [one], way, now, since, standing, request)
        return replace(
            agenda,
            requests={other: pending for other, pending in agenda.requests.items() if other != name},
            seen={**agenda.seen, name: max(now, request.expires_at or now) + KEPT},
        )


_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def notices(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Shard]) -> Notices:
    """The factory of notices' shards."""
    return Notices(partition, rows)


def replace_fate(one: Decided, fate: str | None) -> Decided:
    """The same notice with what became of it."""
    return Decided(one.notice, fate, one.start)


def seconds_since(written: int, now: datetime) -> float:
    """How long a record was on its way, by two clocks; 0 where nobody says when it was written."""
    return max(0.0, round(now.timestamp() - written / 1000, 1)) if written > 0 else 0.0
