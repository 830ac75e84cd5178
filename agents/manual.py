"""The command line's own words: its help, and what it says of a command or an option that is not there."""

from __future__ import annotations

import argparse
import difflib
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import NoReturn

EXIT_CODES = {
    "0": "good; of a process: it was told to stop",
    "1": "something is left for a person, or what was asked for is not there",
    "2": "bad input or settings; Kafka does not answer, or lacks a topic",
    "3": "of status: Kafka cannot be seen",
    "70": "a process stopped itself rather than go on wrongly",
    "75": "of processes and topics: what they need is not there yet; try again",
    "130": "stopped by Ctrl-C in the middle",
}

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "worker": (
        ("afspraakbericht worker", "run by the settings in the environment; `afspraakbericht settings` shows them"),
        ("AFSPRAAKBERICHT_METRICS_PORT=9100 afspraakbericht worker", "with metrics and health at that port"),
    ),
    "web": (
        ("AFSPRAAKBERICHT_WEB_PORT=8080 afspraakbericht web", "serve at that port"),
        ("afspraakbericht web --account jan linde --roles inzage >> accounts.toml", "a local account; its password is asked"),
    ),
    "mllp": (
        ("afspraakbericht mllp", "listen by the settings in the environment"),
        ("AFSPRAAKBERICHT_MLLP_PORT=2576 afspraakbericht mllp", "listen at that port"),
    ),
    "status": (
        ("afspraakbericht status", "in words; exit code 0 where all is well"),
        ("afspraakbericht status --late 300 --json", "for a supervisor: late is what waits for five minutes"),
    ),
    "why": (
        ("afspraakbericht why linde/anna", "all that is known and was decided of client anna of linde"),
        ("afspraakbericht why linde//m-204", "the same of employee m-204"),
        ("afspraakbericht why linde/anna --appointment a1 --since 2026-11-01T00:00", "of one appointment, without older history"),
    ),
    "log": (
        ("afspraakbericht log --since 2026-11-01 --client linde/anna", "what anna was told since that day, in order of time"),
        ("afspraakbericht log --period 2026-11 --format csv --output november.csv", "a month for a spreadsheet"),
        ("afspraakbericht log --follow --status failed --json | jq .detail", "failures as they come, for a program"),
    ),
    "costs": (
        ("afspraakbericht costs", "of this month so far"),
        ("afspraakbericht costs --month 2026-11 --csv > november.csv", "for the invoice: exact, a line for each price"),
    ),
    "replay": (
        ("afspraakbericht replay --dry-run --since 2026-11-01T00:00 --limit 20", "the tally, and the first 20 differences"),
        ("afspraakbericht replay --dry-run --organisations new.json --summary", "what other settings would change, counted"),
    ),
    "access": (
        ("afspraakbericht access linde/anna", "who looked at this client"),
        ("afspraakbericht access --user jan --organisation linde --end-sessions", "jan has left: his sessions end"),
    ),
    "settings": (
        ("afspraakbericht settings", "what is in force, and where each value came from"),
        ("afspraakbericht settings --example > env.example", "every setting, its default and what it means"),
    ),
    "topics": (
        ("afspraakbericht topics", "make what is missing, put settings right"),
        ("afspraakbericht topics --check", "change nothing: say what is not as it should be"),
    ),
    "rights": (
        ("afspraakbericht rights > acls.sh", "the script for all roles"),
        ("afspraakbericht rights --role web --principal web=User:CN=web", "for one role, by the name in its certificate"),
    ),
    "api-key": (
        ("afspraakbericht api-key roqua linde --file keys.toml", "a key for roqua; it is shown once"),
        ("afspraakbericht api-key ecd linde --fhir", "for the organisation's own appointments at /fhir"),
    ),
    "hold": (
        ("afspraakbericht hold linde", "what it holds, how much waits, and how that reads"),
        ("afspraakbericht hold linde --set", "hold its notices from now on; --end lets them go"),
    ),
    "dead-letters": (
        ("afspraakbericht dead-letters", "how many, by topic and reason"),
        ("afspraakbericht dead-letters again --topic appointments --since 2026-11-26T00:00", "give these to the workers again"),
    ),
    "erase": (
        ("afspraakbericht erase linde/anna --dry-run", "change nothing: what names the client, and where"),
        ("afspraakbericht erase linde/anna --yes --reason 'request 2026-114' --proof erasure.json", "from a script: unasked"),
    ),
    "retention": (
        ("afspraakbericht retention --dry-run", "change nothing: how much would go"),
        ("afspraakbericht retention", "once a month"),
    ),
    "project": (
        ("afspraakbericht project", "read on from where it was"),
        ("afspraakbericht project --rebuild", "make it anew, from the start of the topics"),
    ),
    "mend-row": (
        ("afspraakbericht mend-row afspraakbericht-notices-changelog 3 1200 --dry-run", "what the row would become"),
        ("afspraakbericht mend-row afspraakbericht-notices-changelog 3 1200", "put it back to what it was before"),
    ),
    "completion": (
        ("afspraakbericht completion bash > ~/.local/share/bash-completion/completions/afspraakbericht", "for bash"),
        ("afspraakbericht completion zsh > ~/.zfunc/_afspraakbericht", "for zsh, with ~/.zfunc in its fpath"),
    ),
    "demo": (
        ("afspraakbericht demo", "play, and stay until Ctrl-C"),
        ("afspraakbericht demo --once", "stop after the story"),
    ),
    "broker": (
        ("afspraakbericht broker", "until Ctrl-C; the records stay in the data folder"),
        ("afspraakbericht broker --port 0 --data /tmp/kafka", "at any free port, with a folder of its own"),
    ),
    "fake-sms": (
        ("afspraakbericht fake-sms --port 8626", "show what comes"),
        ("afspraakbericht fake-sms --answer broken --error-every 10", "fail each tenth time"),
    ),
    "fake-smtp": (
        ("afspraakbericht fake-smtp --port 8625", "show what comes"),
        ("afspraakbericht fake-smtp --control-port 8627 --quiet", "to be programmed while it runs"),
    ),
    "simulate": (
        ("afspraakbericht simulate tests/examples/first.jsonl --story", "for people: what was said to whom"),
        ("afspraakbericht simulate tests/examples/first.jsonl --until 2026-12-31T00:00:00Z | jq .text", "the records"),
    ),
    "feed": (
        ("afspraakbericht feed tests/examples/first.jsonl", "nothing is written where a line cannot be used"),
        ("tail -f events.jsonl | afspraakbericht feed -", "write what comes, as it comes"),
    ),
    "translate": (
        ("afspraakbericht translate fhir appointment.json --organisation linde", "one resource or Bundle"),
        ("afspraakbericht translate siu message.hl7 --producers producers.json --organisation linde", "one message"),
    ),
    "schema": (
        ("afspraakbericht schema appointments", "to read"),
        ("afspraakbericht schema delivery-log > delivery-log.schema.json", "for a validator, or a sink that wants one"),
    ),
    "asyncapi": (
        ("afspraakbericht asyncapi | jq .channels", "the topics in it"),
        ("AFSPRAAKBERICHT_PARTITIONS=24 afspraakbericht asyncapi > asyncapi.json", "with the partitions of an installation"),
    ),
    "graph": (
        ("afspraakbericht graph", "the source; GitHub and mermaid.live draw it"),
        ("afspraakbericht graph > topology.mmd", "for a tool that draws it"),
    ),
    "sms": (
        ("afspraakbericht sms 'Uw afspraak in het café – cliënt'", "what it costs, and by which characters"),
        ("afspraakbericht sms --settings organisation.json", "what each kind of message costs with these templates"),
    ),
    "provider-answer": (
        ("afspraakbericht provider-answer smtp 550 '5.1.1 User unknown'", "one answer"),
        ("afspraakbericht provider-answer messagebird --json < answers.jsonl", "many, a line each"),
    ),
}  # fmt: skip
"""Of each command: what to type, and what comes of it. A test reads every one with the real parser."""


class Manual(argparse.RawDescriptionHelpFormatter):
    """Help whose lists keep their lines."""


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and where help is."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message} (see `{self.prog} --help`)\n")

    def options(self) -> list[str]:
        """Return the long options that it knows."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no such thing, and what is meant perhaps."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"there is no {what} {name}" + (f"; the nearest is {near[0]}" if near else "")


def listed(groups: Mapping[str, Mapping[str, str]]) -> str:
    """List names with what they mean, by group, to the terminal's width."""
    width = max(len(name) for group in groups.values() for name in group)
    across = max(40, shutil.get_terminal_size().columns - 2)
    blocks = []
    for title, group in groups.items():
        lines = [
            textwrap.fill(what, across, initial_indent=f"  {name:<{width}}  ", subsequent_indent=" " * (width + 4))
            for name, what in group.items()
        ]
        blocks.append("\n".join([f"{title}:", *lines]))
    return "\n\n".join(blocks)


def examples(command: str) -> str:
    """Return the examples of a command, what each does below it."""
    across = max(40, shutil.get_terminal_size().columns - 2)
    shown = [
        f"  {words}\n{textwrap.fill(what, across, initial_indent='      ', subsequent_indent='      ')}"
        for words, what in EXAMPLES[command]
    ]
    return "\n".join(["examples:", *shown])
