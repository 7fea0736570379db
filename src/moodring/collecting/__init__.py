"""Find the results of experiments, revisions and runs, and read their files."""
