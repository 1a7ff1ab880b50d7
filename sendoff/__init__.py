"""Package the sandbox an experiment lives in, and send it off to the right hardware.

    import sendoff

    run = sendoff.ship(["python", "train.py", "--lr", "3e-4"], timeout="30m")
    run.wait()
    run.metrics, run.digest

Names are loaded when they are first used, so that `import sendoff` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packer.errors import SendoffError as SendoffError
    from sendoff.differing import diff as diff
    from sendoff.handle import Index as Index
    from sendoff.handle import Run as Run
    from sendoff.handle import get as get
    from sendoff.report import Report as Report
    from sendoff.reproduction import reproduce as reproduce
    from sendoff.shipping import ship as ship
    from sendoff.shipping import ship_many as ship_many
    from sendoff.shipping import sweep as sweep

__all__ = [
    "Index",
    "Report",
    "Run",
    "SendoffError",
    "diff",
    "get",
    "reproduce",
    "ship",
    "ship_many",
    "sweep",
]

_HOMES = {
    "Index": "sendoff.handle",
    "Report": "sendoff.report",
    "Run": "sendoff.handle",
    "SendoffError": "packer.errors",
    "diff": "sendoff.differing",
    "get": "sendoff.handle",
    "reproduce": "sendoff.reproduction",
    "ship": "sendoff.shipping",
    "ship_many": "sendoff.shipping",
    "sweep": "sendoff.shipping",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'sendoff' has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
