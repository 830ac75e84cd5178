"""Decisions: `(state, event, now) -> (state, outputs)`. Nothing here reads a clock, an environment or a socket."""
