"""From raw text to clean text."""
