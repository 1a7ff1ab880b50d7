"""Wheels: where indexes have them, which one was installed, and their bytes."""
