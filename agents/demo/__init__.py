"""`make run`: everything on this machine, with sample events that show every text and every closed gate."""
