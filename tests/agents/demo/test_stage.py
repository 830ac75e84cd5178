"""How the demo begins and what it prints: one at a time in a folder, lines that fit, addresses that are there."""

from __future__ import annotations

import shlex
from argparse import Namespace
from pathlib import Path

import msgspec
import orjson
import pytest

from agents.commands.demo import run
from agents.demo import screen
from agents.demo.stage import KEY, PASSWORD, InUseError, claimed
from agents.demo.story import ORGANISATIONS, Story, names
from agents.web.api import keys
from schemas.inputs import Request
from schemas.wire import Id, check
from tests.renderers.samples import SENT


def test_a_second_demo_in_a_folder_is_refused_and_what_the_first_has_stays(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "demo"
    with claimed(folder):
        (folder / "accounts.toml").write_text("kept")
        with pytest.raises(InUseError, match=r"a demo runs in .*/data/demo already"), claimed(folder):
            pass
        assert (folder / "accounts.toml").read_text() == "kept"
    with claimed(folder):
        assert list(folder.iterdir()) == [], "what one before left is gone"


def test_the_command_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_DATA", str(tmp_path))
    with claimed(tmp_path / "demo"):
        assert run(Namespace(once=True, command="demo")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        said.err == f"a demo runs in {tmp_path / 'demo'} already: stop it first, or set AFSPRAAKBERICHT_DATA to another folder\n"
    )


PLACES = screen.places(
    "http://127.0.0.1:8624/", "http://127.0.0.1:65535/", "http://127.0.0.1:65534/metrics", PASSWORD, ORGANISATIONS, KEY
)


def test_the_last_lines_have_four_addresses_first_the_inbox_and_fit_a_terminal() -> None:
    found = [line.split()[:2] for line in PLACES.splitlines() if line[2:3].isupper() and "127.0.0.1" in line.split()[1]]
    assert found == [
        ["Inbox", "http://127.0.0.1:8624/"],
        ["Overview", "http://127.0.0.1:65535/berichten"],
        ["Settings", "http://127.0.0.1:65535/instellingen"],
        ["Metrics", "http://127.0.0.1:65534/metrics"],
    ]
    assert "/u/" not in PLACES, "without its token the page of a link is none"
    assert all(len(line) <= 80 for line in PLACES.splitlines())
    assert all(name in PLACES for name in (*ORGANISATIONS, PASSWORD))


def test_the_curl_that_is_printed_asks_for_a_message_to_a_client_that_is_there() -> None:
    command = PLACES[PLACES.index("curl") :].partition("\n  The API")[0]
    words = shlex.split(command)
    assert words[0] == "curl"
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert headers == [f"Authorization: Bearer {KEY}", "Content-Type: application/json"]
    assert "http://127.0.0.1:65535/v1/requests" in words
    body = orjson.loads(words[words.index("-d") + 1])
    (party,) = keys.read(keys.entry("vragenlijsten", "linde", KEY)).values()
    asked = {"organisation": party.organisation, "party": party.party, **body}
    assert msgspec.to_builtins(check(Request, asked))["text"] == "Neem uw pasje mee."
    assert body["client"] in names(Story(SENT).cast()).values()
    assert check(Id, party.party) == "vragenlijsten"


def test_each_number_of_the_story_is_one_clients() -> None:
    cast = Story(SENT).cast()
    clients = [event.value["client"] for event in cast if event.topic == "contacts"]
    assert sorted(names(cast).values()) == sorted([*clients, "els (moeder)", "medewerker m-204"])


def test_the_head_of_a_mail_is_whole_however_long() -> None:
    data = (
        "To: een-lang-adres@client.example\r\nFrom: Thuiszorg De Linde <afspraken@linde.example>\r\nSubject: s\r\n"
        "Content-Type: text/plain\r\n\r\nHallo\r\n"
    )
    drawn = screen.email({"data": data})
    assert "<afspraken@linde.example>" in " ".join(drawn.split())
    assert all(len(line) <= 80 for line in drawn.splitlines())


def test_a_closing_has_a_name_below_it() -> None:
    """`Met vriendelijke groet,` was followed by nothing."""
    closings = {
        event.value["name"]: event.value["email"]["after"] for event in Story(SENT).cast() if event.topic == "organisations"
    }
    assert closings == {name: f"Met vriendelijke groet,\n{name}" for name in closings}
    assert len(closings) == len(ORGANISATIONS)
