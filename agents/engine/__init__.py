"""The engine: Faust that is fast and loses nothing. It knows nothing of what it runs.

It subclasses Faust, in the place of forking it. Read `actor.py` for what a turn is, `changelog.py` for how a partition has one
owner, `consumer.py` for delivery and commits, `producer.py`, `lane.py` and `shipping.py` for how records leave, `recovery.py` for
how a partition is taken, `horizon.py` for time.
"""

from .app import Engine
from .monitor import Monitor
from .node import NodeSpec
from .partitioner import partition_for
from .preflight import NotReadyError
from .worker import run_worker, tune_gc

__all__ = ["Engine", "Monitor", "NodeSpec", "NotReadyError", "partition_for", "run_worker", "tune_gc"]
