"""Read word vectors from a source into a table."""
