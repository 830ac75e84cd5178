"""`afspraakbericht graph`: the topology as a Mermaid drawing, made from `streams/topology.py`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from streams.topology import mermaid


def arguments(parser: ArgumentParser) -> None:
    """Declare none."""


def run(args: Namespace) -> int:
    """Print the drawing; it is also the one in the README, which a test holds to this."""
    print(mermaid())
    return 0
