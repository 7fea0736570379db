"""Build and fit the chosen architecture."""
