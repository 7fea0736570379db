"""Moodring: reproducible, experiment-tracked sentiment classification with recurrent networks."""

__version__ = "0.1.0"
