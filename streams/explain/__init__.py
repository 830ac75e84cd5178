"""Explain what was said to a client, what was not, and why: `why`."""
