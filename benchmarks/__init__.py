"""Moodring measured against the notebooks and others; not a part of the tests."""
