"""Get a file from a mirror, this machine, its published address or pip; read archives."""
