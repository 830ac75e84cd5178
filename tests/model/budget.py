"""How many histories a property tries."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "long"


def examples(number: int) -> settings:
    """This many in CI; 40 times as many, and new ones each time, in the long profile."""
    return settings(
        max_examples=40 * number if LONG else number,
        derandomize=not LONG,
        deadline=None,
        database=None,
        print_blob=LONG,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
