"""`sendoff.joblib` inside a run: it can be registered, as outside, and sends nothing off."""

from __future__ import annotations

from functools import partial

from . import refuse

SendoffBackend = partial(refuse, "joblib.SendoffBackend")


def register() -> None:
    """Nothing: modules do this when they are imported."""
