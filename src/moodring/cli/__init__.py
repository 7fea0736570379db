"""The `moodring` command: one module for each subcommand."""
