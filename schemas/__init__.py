"""What crosses a topic or lives in a table, and the catalogue of both. No behaviour beyond a property."""
