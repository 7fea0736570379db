"""The forms in which data travels between stages."""
