"""`feed`: what is read becomes events piece by piece, and a line that cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from agents.commands.feed import batches, pieces
from agents.kafka.writer import Event
from schemas.wire import BadRecordError

EVENTS = [Event("consents", f"linde/c{number}", {"client": f"c{number}"}) for number in range(5)]
LINES = [orjson.dumps(one._asdict()) for one in EVENTS]
TEXT = b"\n".join([LINES[0], b"", *LINES[1:]])


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_events_come_once_however_the_text_is_cut(size: int, end: bytes) -> None:
    text = TEXT + end
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    assert [event for batch in batches(cut) for event in batch] == EVENTS


def test_what_has_come_is_handed_on_before_more_comes() -> None:
    found = batches(iter([LINES[0] + b"\n" + LINES[1][:9], LINES[1][9:] + b"\n"]))
    assert [next(found), next(found)] == [EVENTS[:1], EVENTS[1:2]]


def test_a_bad_line_has_its_number_whichever_piece_it_is_in() -> None:
    found = batches([TEXT + b"\n", b'{"topic": "nowhere", "key": null, "value": 1}\n'])
    assert next(found) == EVENTS
    with pytest.raises(BadRecordError, match="line 7: unknown topic `nowhere`"):
        next(found)


def test_of_a_file_nothing_is_written_where_its_last_line_is_bad(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(TEXT + b"\nno json")
    with pytest.raises(BadRecordError, match="line 7: not JSON"):
        next(batches(pieces(str(tmp_path / "events.jsonl"))))
