"""Trained classifiers of every kind: score, save, load."""
