"""Who may, and who looked: the table of every route and command (`table.py`), and the records of `access-log`."""
