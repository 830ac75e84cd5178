"""Read our settings from the environment and a file, and check them."""
