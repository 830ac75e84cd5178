"""Say why a worker cannot start or go on, and whether trying again may help."""

from __future__ import annotations

from ..exits import NOT_YET, REFUSED


class NotReadyError(Exception):
    """The worker cannot start; the message is for the operator."""

    exit_code = REFUSED


class NotYetError(NotReadyError):
    """What the worker needs is not there yet, or others have to let it in: the same start may go well in a moment."""

    exit_code = NOT_YET
