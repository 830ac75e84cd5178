"""Hooks by which the engine tells of itself. It counts nothing: it calls these, and whoever wants figures keeps them."""

from __future__ import annotations

from collections.abc import Mapping


class Monitor:
    """Hooks that do nothing; subclass it and override what you count. They run in the main loop, so they must be quick."""

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        """Hear that a turn is durable and its outputs are acknowledged, `seconds` after the decision."""

    def on_decided(self, node: str, seconds: float) -> None:
        """Hear how long a decision took; the whole worker did nothing else meanwhile."""

    def on_tally(self, node: str, tally: Mapping[tuple[str, ...], int]) -> None:
        """Hear what a decision counted (`streams.processing.turn.Decision.tally`); it is durable."""

    def on_commit(self, partitions: int) -> None:
        """Hear that so many input partitions were committed to the group."""

    def on_tick(self) -> None:
        """Hear that the main loop turns: four times a second from the start on."""

    def on_fetched(self, topic: str, partition: int, records: int, timestamp: int) -> None:
        """Hear that records came from the broker; `timestamp`: Kafka's of the first, in milliseconds."""

    def on_heard(self) -> None:
        """Hear that a broker answered: every few seconds from the start on, whatever there is to do."""

    def on_lost(self, topic: str, records: int) -> None:
        """Hear that so many records of an input were deleted before they were read: by retention, or by hand."""

    def on_read_anew(self, topic: str, partitions: int) -> None:
        """Hear that so many partitions of an input are read from their beginning: the topic is not the one that was read."""

    def on_revoked(self) -> None:
        """Hear that the worker ends what it has begun, to give its partitions away. `on_assigned` follows, unless it stops."""

    def on_assigned(self, partitions: int) -> None:
        """Hear how many partitions the worker has now."""

    def on_recovered(self, node: str, count: int, seconds: float) -> None:
        """Hear that a node's rows are loaded, from `count` changelog records, `seconds` after the fences."""

    def on_resent(self, node: str, outputs: int) -> None:
        """Hear that outputs were sent again: a crash may have come between a decision and them."""

    def on_set_aside(self, node: str, topic: str) -> None:
        """Hear that an output was larger than its topic takes, so that another one took its place."""

    def on_zombie_writes(self, node: str, keys: int) -> None:
        """Hear how many keys a former owner wrote after it lost the partition; they are written again."""

    def on_call(self, node: str, seconds: float, timed_out: bool) -> None:
        """Hear that a call ended, or did not in time."""

    def on_call_failed(self, node: str) -> None:
        """Hear that a call raised what its code did not expect; its outcome is unknown."""

    def on_call_dropped(self, node: str) -> None:
        """Hear that a call was not made: too much time had passed since its claim."""

    def on_watermark(self, lag_seconds: float, timed_out: bool) -> None:
        """Hear that a round of the watermark ended: timers may now fire up to `lag_seconds` ago."""

    def on_bootstrap(self, partitions: int) -> None:
        """Hear that so many partitions of dependent topics wait for the bootstrap topics."""

    def on_bootstrap_timeout(self) -> None:
        """Hear that the wait for the bootstrap topics took too long and was given up."""

    def on_dead(self, reason: str) -> None:
        """Hear that the worker is about to exit with code 70."""
