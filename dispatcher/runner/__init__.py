"""What runs beside the command: starts it, keeps its logs, commits its results.

It is packed into every run image and imports nothing but the standard library, and little of that
before the command has started. `python -I -S <RUNNER>` reads its assignment and does it.
"""
