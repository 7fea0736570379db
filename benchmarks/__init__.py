"""Measurements to be run by hand; nothing here is part of the pipeline."""
