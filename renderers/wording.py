"""What a language has to have: its sentences, and the words of which dates, series and e-mails are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas.events import Remote
from schemas.notices import Kind


class Others(NamedTuple):
    """The words of one language for those who act for a client, in place of those of the same name for the client.

    Attributes:
        sentences, one, several, subject, unsubscribe, unsubscribe_link: as in `Wording`. The sentences have one form for both; in
            `with_name`, `of_name`, `at_name` stands the client's name, and nothing where it is not said.
        has, there_is: who has an appointment in a reminder, with the name and without.
        there_are: a reminder's appointments without a name, by CLDR's plural category.
    """

    sentences: Mapping[Remote | None, Mapping[Kind, str]]
    one: Mapping[Remote | None, str]
    several: Mapping[Remote | None, str]
    with_name: str
    of_name: str
    at_name: str
    has: str
    there_is: str
    there_are: Mapping[str, str]
    subject: str
    unsubscribe: str
    unsubscribe_link: str


class Colleagues(NamedTuple):
    """The words of one language for employees, in place of those of the same name for the client. There are no reminders."""

    sentences: Mapping[Remote | None, Mapping[Kind, str]]
    one: Mapping[Remote | None, str]
    several: Mapping[Remote | None, str]
    subject: str
    unsubscribe: str
    unsubscribe_link: str


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
        others: the words for those who act for a client. `employees`: those for employees.
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
    others: Others
    employees: Colleagues

    def for_employees(self) -> Wording:
        """Return the words for employees."""
        return self._replace(**self.employees._asdict())

    def for_others(self, name: str | None) -> Wording:
        """Return the words for those who act for a client; `name`: how the client is called, None where that is not said."""
        others = self.others
        put_in = {
            "{with_name}": others.with_name.format(name=name) if name is not None else "",
            "{of_name}": others.of_name.format(name=name) if name is not None else "",
            "{at_name}": others.at_name.format(name=name) if name is not None else "",
            "{there_is}": others.has.format(name=name) if name is not None else others.there_is,
        }
        if name is not None:
            put_in["{there_are}"] = others.has.format(name=name) + " {count}"
        return self._replace(
            sentences={
                remote: {kind: _put_in(sentence, put_in) for kind, sentence in sentences.items()}
                for remote, sentences in others.sentences.items()
            },
            one=others.one, several=others.several, subject=others.subject, unsubscribe=others.unsubscribe,
            unsubscribe_link=others.unsubscribe_link,
        )  # fmt: skip


def _put_in(sentence: str, words: Mapping[str, str]) -> str:
    for word, text in words.items():
        sentence = sentence.replace(word, text)
    return sentence
