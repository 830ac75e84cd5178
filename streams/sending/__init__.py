"""Decide what becomes of each message: sent, tried again, given up, reported."""
