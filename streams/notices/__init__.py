"""Decide what to tell a client, and when."""
