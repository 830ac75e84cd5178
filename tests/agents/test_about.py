"""What a worker and the web service say of themselves when they start."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.about import WEB, WORKER, about
from agents.settings.settings import Settings

GIVEN = {
    "AFSPRAAKBERICHT_APPLICATION": "zorg",
    "AFSPRAAKBERICHT_INSTANCE": "host-1",
    "AFSPRAAKBERICHT_MESSAGEBIRD_KEY": "geheim-1",
    "AFSPRAAKBERICHT_SMTP_PASSWORD": "geheim-2",
    "AFSPRAAKBERICHT_UNSUBSCRIBE_KEYS": "geheim-3-of-at-least-32-characters",
    "AFSPRAAKBERICHT_WEB_DATABASE": "postgresql+psycopg://web:geheim-4@db/overview",
}


@pytest.mark.parametrize("names", [WORKER, WEB])
def test_it_names_versions_and_settings_and_no_secret(names: tuple[str, ...], tmp_path: Path) -> None:
    told = about(Settings.from_env({**GIVEN, "AFSPRAAKBERICHT_DATA": str(tmp_path)}), names)
    assert list(told) == ["version", "revision", "python", "tzdata", *names]
    assert told["data"] == str(tmp_path)
    assert "geheim" not in str(told)


def test_a_worker_says_who_it_is() -> None:
    told = about(Settings.from_env(GIVEN), WORKER)
    assert (told["application"], told["instance"], told["partitions"]) == ("zorg", "host-1", Settings.partitions)
