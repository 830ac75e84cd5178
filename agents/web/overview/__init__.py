"""Show an organisation what was said to whom."""
