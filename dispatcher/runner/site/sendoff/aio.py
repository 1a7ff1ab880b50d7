"""`sendoff.aio` inside a run: its verbs can be named, and not called."""

from __future__ import annotations

from functools import partial

from . import refuse

as_completed, remote, spawn, value, wait = (
    partial(refuse, f"aio.{verb}") for verb in ("as_completed", "remote", "spawn", "value", "wait")
)
