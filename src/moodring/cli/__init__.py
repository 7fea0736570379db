"""The `moodring` command, a module a command."""
