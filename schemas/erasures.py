"""`erasures`: whom all is to be forgotten of."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, UnsetType

from .keys import RecipientKey, employee_key
from .strict import about
from .wire import ClientIdIfAny, EmployeeId, Input, Instant, OrganisationId, PersonId


class Erasure(Input, frozen=True, kw_only=True):
    """`erasures`, key `organisation/client`: all that is known of the client goes. `at`: when that was decided.

    `stage`: others leave it out. `copied` is intake's own record for another partition, since a client's appointments may lie in
    any; `done` says that every node has forgotten the client, for those who read what they wrote until then.
    """

    organisation: OrganisationId
    client: ClientIdIfAny = ""
    at: Annotated[Instant, about("When that was decided.", "2026-11-27T09:00:00Z")]
    stage: Annotated[Literal["asked", "copied", "done"], about("Ours: producers leave it out.", "asked")] = "asked"
    person: Annotated[
        PersonId | UnsetType, about("Only this one who acts for the client goes; absent: the client.", "moeder")
    ] = UNSET
    employee: Annotated[
        EmployeeId | UnsetType, about("The employee of whom all goes, key `organisation//employee`; absent: the client.", "m-204")
    ] = UNSET

    @property
    def whose(self) -> RecipientKey:
        """Return of whom all goes."""
        if isinstance(self.employee, str):
            return employee_key(self.organisation, self.employee)
        return RecipientKey(self.organisation, self.client)
