"""Named experiments, and the tables of docs/results.md."""
