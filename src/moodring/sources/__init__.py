"""Get a file from a mirror, this machine, its home or pip, and read its archive."""
