"""`afspraakbericht broker`: a Kafka on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from ..broker.broker import DEFAULT_PORT, BrokerError, EmbeddedKafka
from ..broker.warm import warm
from ..kafka.rehearsal import rehearse
from ..settings.settings import Settings, SettingsError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder and the port."""
    port = f"the port on 127.0.0.1; 0 is any free one (default: {DEFAULT_PORT}, or a free one if that is taken)"
    parser.add_argument("--port", type=int, help=port)
    parser.add_argument("--data", type=Path, help="the folder that keeps the records (default: kafka/ in the data folder)")
    parser.add_argument(
        "--warm", action="store_true", help="only make what lets brokers of this machine start quickly (some 20 s)"
    )


def run(args: argparse.Namespace) -> int:
    """Run it until Ctrl-C or SIGTERM; 2 if it cannot start, 1 if it ends by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        ours = Settings.from_env(os.environ)
        if args.warm:
            logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what a broker that has just started does not have yet
            warm(ours.jars, rehearse)
            return 0
        port = DEFAULT_PORT if args.port is None else args.port or None
        data = args.data or ours.data / "kafka"
        with EmbeddedKafka(data, port, fallback=args.port is None, jars=ours.jars) as broker:
            print(f"Kafka is at {broker.bootstrap}, its records and log in {broker.data}. Ctrl-C stops it.", flush=True)
            if args.port is None and not broker.bootstrap.endswith(f":{DEFAULT_PORT}"):
                print(f"Port {DEFAULT_PORT} is taken: set AFSPRAAKBERICHT_BOOTSTRAP={broker.bootstrap}", flush=True)
            broker.wait()
            print(f"Kafka ended by itself; see {broker.log}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        return 0
    except (BrokerError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
