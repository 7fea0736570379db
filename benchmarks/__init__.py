"""Comparisons of Moodring's speed with the notebooks and other tools; not a part of the tests."""
