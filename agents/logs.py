"""Log one line per unit of work on stderr, as JSON or to read; the libraries' own lines get the same form."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import Processor

LIBRARIES = ("faust", "mode", "aiokafka", "kafka", "asyncio", "aiohttp", "aiosmtplib", "urllib3", "mail.log")
"""On `info` they tell each rebalance and reconnect, with all partitions: that is for their developers."""

NUMBER = re.compile(r"(?<![\w.])(?:\+|00)\d[\d -]{7,16}\d\b|\b06[ -]?\d{8}\b|\b316\d{8}\b")
ADDRESS = re.compile(r"[^\s@<>'\"(),:;]+@[^\s@<>'\"(),:;]+\.[^\s@<>'\"(),:;]+")


def configure(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging, anew each time; lines go to stderr, stdout is for results.

    Trace-backs are the plain ones: the pretty ones show local variables, and so the clients' data.
    A Faust worker must be told to leave logging alone (`override_logging=False`, `redirect_stdouts=False`).
    """
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    console = form == "console" or (form == "auto" and out.isatty())
    coloured = out.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    renderers: list[Processor] = [
        structlog.processors.format_exc_info,
        mask,
        structlog.dev.ConsoleRenderer(colors=coloured, exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(serializer=_json),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    logging.getLogger("agents.engine").setLevel(max(number, logging.WARNING))  # mode's own lines, by the subclass's module
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def mask(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask numbers and addresses. We never log them; a library may say them, or an exception quote them."""
    for name in ("event", "exception", "error"):
        if isinstance(text := event.get(name), str):
            event[name] = ADDRESS.sub("(address)", NUMBER.sub("(number)", text))
    return event


def _json(event: Any, **_: Any) -> str:
    """Encode a line quickly, or slowly what orjson refuses (a huge number, half a surrogate pair): a line must never be lost."""
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return json.dumps(event, default=str)
