"""Checks of the setup."""
