"""Keep the rows of a partition: changelog, store, outbox, and what is checked when they are loaded again."""
