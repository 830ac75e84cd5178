"""Run a processor for each partition: turns, calls to the outside, the watermark, and the bootstrap at the start."""
