from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers.gsm7 import measure, to_gsm7
from renderers.sentences import joined, sentences
from renderers.sms import MAX_PARTS, SmsText, texts
from schemas.deliveries import Delivery
from schemas.events import View
from tests.renderers.samples import AT_13, SENT, delivery, notice, organisation, request

CREATED = "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15."
CANCELLED = "Uw afspraak op vrijdag 17 januari 2020 is geannuleerd."


def created(location: str, count: int) -> Delivery:
    at = View(AT_13.start, AT_13.end, location)
    return delivery(*[notice("created", now=at, id_=f"n{n}") for n in range(count)])


def test_a_message_is_before_the_sentences_and_after_with_one_space_between() -> None:
    told = delivery(notice("cancelled", AT_13), notice("created", now=AT_13))
    text = f"De Boom: {CANCELLED} {CREATED} Vragen? Bel 0800-1234."
    assert texts(told, organisation("De Boom:", "Vragen? Bel 0800-1234."), SENT) == SmsText(text, (text,), 2, text)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", CANCELLED),
        ("Beste,", "", f"Beste, {CANCELLED}"),
        ("", "Groet", f"{CANCELLED} Groet"),
        (" ", "\n", CANCELLED),
        ("{now} %s \\n", "${x}", f"{{now}} %s \\n {CANCELLED} ${{x}}"),
        ("’s Heerenloo –", "“Tot dan…”", f'\'s Heerenloo - {CANCELLED} "Tot dan..."'),
        ("Beste cliënt,", "Groet, Zoë 😀", f"Beste cliënt, {CANCELLED} Groet, Zoë 😀"),
    ],
)
def test_templates_are_literal_but_for_their_typography(before: str, after: str, expected: str) -> None:
    said = texts(delivery(notice("cancelled", AT_13)), organisation(before, after), SENT)
    assert said == SmsText(expected, (expected,), measure(expected).parts, expected)


def test_the_texts_without_templates_are_one_part_each() -> None:
    assert texts(delivery(notice("created", now=AT_13)), organisation(), SENT).parts == 1
    assert texts(delivery(notice("cancelled", AT_13)), organisation(), SENT).parts == 1


def test_one_letter_outside_the_alphabet_makes_it_three_parts() -> None:
    assert texts(delivery(notice("created", now=AT_13)), organisation("Beste client, dit is een bericht."), SENT).parts == 1
    assert texts(delivery(notice("created", now=AT_13)), organisation("Beste cliënt, dit is een bericht."), SENT).parts == 2


def test_a_request_says_its_text_between_the_templates() -> None:
    said = texts(request("Vul in: https://roqua.example/?a={b}&c=%d"), organisation("De Boom:", "Groet"), SENT)
    assert said.text == "De Boom: Vul in: https://roqua.example/?a={b}&c=%d Groet"


def test_a_long_message_is_split_between_sentences() -> None:
    said = texts(delivery(*[notice("created", now=AT_13)] * 20), organisation("Begin.", "Eind."), SENT)
    whole = " ".join(["Begin.", *[CREATED] * 20, "Eind."])
    first, second = said.pieces
    assert said.text == whole == f"{first} {second}"
    assert first == " ".join(["Begin.", *[CREATED] * 16])
    assert second == " ".join([*[CREATED] * 4, "Eind."])
    assert said.parts == measure(first).parts + measure(second).parts == 9 + 3


def test_nine_parts_are_one_message() -> None:
    text = "a" * (9 * 153 - 400)
    said = texts(request(text), organisation("b" * 200, "c" * 198), SENT)
    assert said == SmsText(f"{'b' * 200} {text} {'c' * 198}", (said.text,), 9, said.text)
    assert len(texts(request(text), organisation("b" * 200, "c" * 199), SENT).pieces) == 2


def test_a_single_sentence_is_never_broken() -> None:
    said = texts(created("😀" * 200, 3), organisation("Voor.", "Na."), SENT)
    one = f"{CREATED} Locatie: {'😀' * 200}."
    assert said.pieces == (f"Voor. {one}", one, f"{one} Na.")
    assert said.parts == 24


def test_templates_go_alone_only_where_they_fit_beside_no_sentence() -> None:
    said = texts(created("😀" * 200, 2), organisation("V" * 200, "N" * 200), SENT)
    one = f"{CREATED} Locatie: {'😀' * 200}."
    assert said.pieces == ("V" * 200, one, one, "N" * 200)


def test_a_long_request_is_split_after_its_own_sentences() -> None:
    told = "Beste cliënt, wij vragen u de vragenlijst in te vullen op https://roqua.example/a.b?c=d! "
    text = (told * 7)[:612]
    said = texts(request(text), organisation(), SENT)
    assert len(text) == 612
    assert measure(text).parts == 10
    assert " ".join(said.pieces) == said.text == text
    assert len(said.pieces) == 2
    assert said.pieces[0].endswith("c=d!")


parts_of_text = st.text(alphabet="ab ë€]’…😀.", max_size=200)


@given(before=parts_of_text, after=parts_of_text, location=st.text("aë€😀", max_size=200), count=st.integers(1, 30))
def test_any_message_goes_out_whole_in_pieces_that_fit(before: str, after: str, location: str, count: int) -> None:
    told = created(location, count)
    said = texts(told, organisation(before, after), SENT)
    assert said.text == to_gsm7(joined(before, *sentences(told, organisation(), SENT), after))
    assert " ".join(said.pieces) == said.text
    assert said.parts == sum(measure(piece).parts for piece in said.pieces)
    assert all(measure(piece).parts <= MAX_PARTS for piece in said.pieces)
