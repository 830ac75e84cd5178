"""Erasing a client, and proving it: what `afspraakbericht erase` and `afspraakbericht retention` do."""
