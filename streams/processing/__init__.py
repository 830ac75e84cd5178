"""Hold what every node is made of: turns, rows, timers, local time, and records of our own."""
