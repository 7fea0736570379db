"""Judge scores by labels."""
