"""The order of the tests: what takes minutes comes first, so that a parallel run does not wait for it alone in the end.

Tests of one file run in one process, for they share a broker or a cluster (`APART` has the exceptions).

And what was not run, in one block at the end. With `REQUIRE_ALL` set, as `.ci/run` does, a test that was skipped fails the run.
"""

from __future__ import annotations

import logging
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import structlog

from agents.logs import LIBRARIES

# A busy machine is no fault of the code: no example has a time limit.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a shell's background: the processes that tests start would inherit it, and a Ctrl-C would not end them.
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "broker/test_belief.py",
    "broker/test_crash.py", "model/test_properties.py", "broker/test_erasure.py", "fuzz/test_fuzz.py",
    "broker/test_same_as_simulate.py", "agents/web/test_browser.py", "browser/test_inbox.py",
    "browser/test_email.py", "broker/test_outage.py", "broker/test_log.py",
    "broker/test_tls.py", "broker/test_status_reports.py", "broker/test_producers.py", "broker/test_topic_ids.py",
    "broker/test_web.py", "broker/test_broker.py", "broker/test_cluster.py", "drills/test_rolling_upgrade.py",
    "broker/test_engine.py", "broker/test_lost.py", "broker/test_supervised.py", "broker/test_engine_changelog.py",
    "broker/test_looking_back.py", "broker/test_worker.py", "broker/test_engine_disk.py", "broker/test_engine_group.py",
    "broker/test_stop.py", "broker/test_poison.py", "belief/test_belief.py", "deploy/test_deploy.py", "fuzz/test_web.py",
)  # fmt: skip
"""Files by how long they take, the longest first. One that is not named comes later, in its usual place."""

APART = frozenset({
    "broker/test_crash.py", "broker/test_erasure.py", "broker/test_broker.py", "broker/test_lost.py",
    "broker/test_producers.py", "broker/test_stop.py", "broker/test_supervised.py", "broker/test_topic_ids.py",
    "broker/test_web.py", "broker/test_status_reports.py", "model/test_properties.py", "belief/test_belief.py",
    "deploy/test_deploy.py", "fuzz/test_web.py",
})  # fmt: skip
"""Files whose tests share nothing that takes long to make: each test may run in another process than the rest of its file."""


@pytest.fixture(autouse=True)
def untouched_logs() -> Iterator[None]:
    """Have logging as pytest set it up after each test: commands that tests call set up their own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    yield
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, then what needs a broker: most of that is waiting, beside which the others run."""
    items.sort(key=lambda item: (_place(item), item.get_closest_marker("broker") is None))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one process; not by pytest-xdist's marks of groups, which its 3.8 loses under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if (file := _file(nodeid)) in APART else file

    return ByFile(config, log)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0].removeprefix("tests/")


def _place(item: pytest.Item) -> int:
    file = _file(item.nodeid)
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


MAY_BE_SKIPPED = {
    "make drill": "minutes of waiting for alerts; run before a release",
    "chdb": "180 MB for one test; run where deploy/analysis/clickhouse.sql changes",
    "kubeconform": "no Debian package; the schemas are the same as kubernetes-validate's, which is run",
}
"""Words of the reasons for which a test may be skipped even in CI, and why. `MAY_SKIP` has the Debian packages that CI lacks."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and why, most first."""
    skipped = _skipped(terminalreporter)
    if not skipped:
        return
    terminalreporter.section(f"not run: {sum(skipped.values())}")
    for reason, number in skipped.most_common():
        terminalreporter.line(f"{number:4}  {reason}{'  <- must run here' if _must_run(reason) else ''}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a test was skipped that could have run here."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.exitstatus == pytest.ExitCode.OK and reporter is not None and any(map(_must_run, _skipped(reporter))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped(reporter: pytest.TerminalReporter) -> Counter[str]:
    """Reason -> number of tests; a file that is skipped as a whole counts as one."""
    places = [one.longrepr for one in reporter.stats.get("skipped", ())]
    return Counter(str(place[2]).removeprefix("Skipped: ") for place in places)


def _must_run(reason: str) -> bool:
    packages = [f"(Debian package {name})" for name in os.environ.get("MAY_SKIP", "").split()]
    return "REQUIRE_ALL" in os.environ and not any(words in reason for words in (*MAY_BE_SKIPPED, *packages))
