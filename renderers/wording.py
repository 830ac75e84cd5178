"""What a language has to have: its sentences, and the words of which dates, series and e-mails are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas.events import Remote
from schemas.notices import Kind


class Wording(NamedTuple):
    """The words of one language. In braces stand what is put in there.

    Attributes:
        locale: of CLDR, for names of days and months and for plurals. `direction`: of its script.
        sentences: by kind of appointment and of notice; `{words}` stand in `sentences.WORDS`. Of what was known it is the kind as
            it was. A request has none: it brings its text.
        one, several: what is said of a kind of appointment that something is now.
        at, from_to, between, until_day, through, from_through, midnight: a day with times; the day before its end; of whole days.
        on, from_day: a period with its preposition; of several whole days.
        all_day, nowhere: what tells one that is cancelled from others of its day, of its times.
        monthly, weekly, off: the rhythm of a series that is not each week, and days left out.
        place, is_now, are_now: what follows a sentence.
        counted: how many appointments, by CLDR's plural category.
        practitioner, link: what a reminder says besides.
        subject: of an e-mail, where the organisation has none in this language.
        unsubscribe, unsubscribe_at, unsubscribe_link: the last lines of an e-mail.
    """

    locale: str
    direction: Literal["ltr", "rtl"]
    sentences: Mapping[Remote | None, Mapping[Kind, str]]
    one: Mapping[Remote | None, str]
    several: Mapping[Remote | None, str]
    at: str
    from_to: str
    between: str
    until_day: str
    through: str
    from_through: str
    midnight: str
    on: str
    from_day: str
    all_day: str
    nowhere: str
    monthly: str
    weekly: str
    off: str
    place: str
    is_now: str
    are_now: str
    counted: Mapping[str, str]
    practitioner: str
    link: str
    subject: str
    unsubscribe: str
    unsubscribe_at: str
    unsubscribe_link: str
