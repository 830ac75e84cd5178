"""What the engine tells of itself. The engine counts nothing: it calls these, and who wants figures keeps them."""

from __future__ import annotations

from collections.abc import Mapping


class Monitor:
    """Hooks that do nothing; subclass it and override what you count. They run in the main loop, so they must be quick."""

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        """A turn is durable and its outputs are acknowledged; `seconds` from the decision to there."""

    def on_decided(self, node: str, seconds: float) -> None:
        """A decision took this long, in which the whole worker did nothing else."""

    def on_tally(self, node: str, tally: Mapping[tuple[str, ...], int]) -> None:
        """What a decision counted (`streams.turn.Decision.tally`); it is durable."""

    def on_commit(self, partitions: int) -> None:
        """So many input partitions were committed to the group."""

    def on_tick(self) -> None:
        """The main loop turns: four times a second from the start on."""

    def on_fetched(self, topic: str, partition: int, records: int, timestamp: int) -> None:
        """Records came from the broker; `timestamp`: of the first, Kafka's, in milliseconds."""

    def on_revoked(self) -> None:
        """The worker is about to give its partitions away and ends what it has begun. `on_assigned` follows, unless it stops."""

    def on_assigned(self, partitions: int) -> None:
        """The worker has so many partitions now."""

    def on_recovered(self, node: str, count: int, seconds: float) -> None:
        """A node's rows are loaded: `count` changelog records were read, in `seconds` from the fences on."""

    def on_resent(self, node: str, outputs: int) -> None:
        """A crash may have come between a decision and its outputs: they were sent again."""

    def on_strangers(self, node: str, keys: int) -> None:
        """A former owner wrote so many keys after it lost the partition; they are written again."""

    def on_call(self, node: str, seconds: float, timed_out: bool) -> None:
        """A call ended, or did not in time."""

    def on_call_failed(self, node: str) -> None:
        """A call raised what its code did not expect; its outcome is unknown."""

    def on_call_dropped(self, node: str) -> None:
        """A call was not made, because too much time had passed since its claim."""

    def on_horizon(self, lag_seconds: float, timed_out: bool) -> None:
        """A round of the horizon ended: due moments may now fire up to `lag_seconds` ago."""

    def on_hold(self, partitions: int) -> None:
        """So many partitions of late topics wait for the early ones."""

    def on_hold_timeout(self) -> None:
        """The wait for the early topics took too long and was given up."""

    def on_dead(self, reason: str) -> None:
        """The worker is about to exit with code 70."""
