"""Package the sandbox an experiment lives in, and send it off to the right hardware.

    import sendoff

    run = sendoff.ship(["python", "train.py", "--lr", "3e-4"], timeout="30m")
    run.wait()
    run.metrics, run.digest

    @sendoff.remote(gpu="h100", timeout="1h")
    def train(lr: float) -> dict: ...

    train.remote(3e-4)
    list(train.map([1e-4, 3e-4, 1e-3]))

Names are loaded when they are first used, so that `import sendoff` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packer.errors import SendoffError as SendoffError
    from sendoff.functions.errors import CallCancelled as CallCancelled
    from sendoff.functions.errors import CallFailed as CallFailed
    from sendoff.functions.errors import CallTimedOut as CallTimedOut
    from sendoff.functions.errors import RemoteError as RemoteError
    from sendoff.functions.errors import ResultUnpicklable as ResultUnpicklable
    from sendoff.functions.function import Function as Function
    from sendoff.functions.function import remote as remote
    from sendoff.functions.mapped import Mapped as Mapped
    from sendoff.handle import Index as Index
    from sendoff.handle import Run as Run
    from sendoff.handle import get as get
    from sendoff.reproduction.differing import diff as diff
    from sendoff.reproduction.report import Report as Report
    from sendoff.reproduction.reproduce import reproduce as reproduce
    from sendoff.run_group import RunGroup as RunGroup
    from sendoff.run_group import group as group
    from sendoff.shipping import ship as ship
    from sendoff.shipping import ship_many as ship_many
    from sendoff.shipping import sweep as sweep
    from sendoff.whereabouts import attempt as attempt
    from sendoff.whereabouts import index as index
    from sendoff.whereabouts import inside as inside
    from sendoff.whereabouts import output_dir as output_dir
    from sendoff.whereabouts import run_id as run_id

__all__ = [
    "CallCancelled",
    "CallFailed",
    "CallTimedOut",
    "Function",
    "Index",
    "Mapped",
    "RemoteError",
    "Report",
    "ResultUnpicklable",
    "Run",
    "RunGroup",
    "SendoffError",
    "attempt",
    "diff",
    "get",
    "group",
    "index",
    "inside",
    "output_dir",
    "remote",
    "reproduce",
    "run_id",
    "ship",
    "ship_many",
    "sweep",
]

_HOMES = {
    "CallCancelled": "sendoff.functions.errors",
    "CallFailed": "sendoff.functions.errors",
    "CallTimedOut": "sendoff.functions.errors",
    "Function": "sendoff.functions.function",
    "Index": "sendoff.handle",
    "Report": "sendoff.reproduction.report",
    "Mapped": "sendoff.functions.mapped",
    "RemoteError": "sendoff.functions.errors",
    "ResultUnpicklable": "sendoff.functions.errors",
    "Run": "sendoff.handle",
    "RunGroup": "sendoff.run_group",
    "SendoffError": "packer.errors",
    "attempt": "sendoff.whereabouts",
    "diff": "sendoff.reproduction.differing",
    "get": "sendoff.handle",
    "reproduce": "sendoff.reproduction.reproduce",
    "group": "sendoff.run_group",
    "index": "sendoff.whereabouts",
    "inside": "sendoff.whereabouts",
    "output_dir": "sendoff.whereabouts",
    "remote": "sendoff.functions.function",
    "run_id": "sendoff.whereabouts",
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
