"""Notices to words: data in, Dutch text out. No I/O, no clock, no environment, no logging.

Read `sentences` first (what is said), then a channel: `sms` (one line, split into parts) or `email` (whole messages; its
function is `renderers.email.email`). `gsm7` knows what a text costs as SMS, `dates` how a day and a time are written.
"""

from __future__ import annotations

from .email import EmailText, message_bytes
from .gsm7 import Costly, Measure, costly, measure, split, to_gsm7
from .sentences import joined, sentence, sentences
from .sms import SmsText, texts

__all__ = [
    "Costly",
    "EmailText",
    "Measure",
    "SmsText",
    "costly",
    "joined",
    "measure",
    "message_bytes",
    "sentence",
    "sentences",
    "split",
    "texts",
    "to_gsm7",
]
