"""Which sendoff this is. Kept here because asking importlib.metadata takes 30 ms."""

VERSION = "0.1.0"
