"""Erase a client, and prove it: what `afspraakbericht erase` does."""
