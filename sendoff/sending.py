"""What `run` and `sweep` do once they know what to send."""

from __future__ import annotations

import importlib
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from dispatcher.request import Request
from dispatcher.run import Run as RunRecord
from packer.record import Record
from sendoff import host_files
from sendoff.preparation import Order, answered, prepare
from sendoff.preparation import send as dispatch
from sendoff.quantities import show_duration, show_size
from sendoff.session import Session
from sendoff.terminal.console import Console, visible
from sendoff.terminal.narration import Narrator

if TYPE_CHECKING:
    from sendoff.handle import Run


_NEEDED = (
    "sendoff.handle",
    "sendoff.terminal.caution",
    "sendoff.terminal.explanation",
    "sendoff.terminal.following",
)


class Manner(Record, frozen=True):
    """How to send: the options of `options.SENDING`."""

    detach: bool
    dry_run: bool
    name: str
    idempotency_key: str

    @classmethod
    def taken_from(cls, asked: dict[str, Any]) -> Manner:
        """Take these options out of a command's; what is left are settings."""
        return cls(**{field: asked.pop(field) for field in cls.__struct_fields__})

    @property
    def naming(self) -> dict[str, Any]:
        """What goes into the order."""
        return {"name": self.name, "idempotency_key": self.idempotency_key}


def send(session: Session, order: Order, manner: Manner, console: Console) -> int:
    """Pack, start, and follow unless asked not to; return the exit code."""
    if session.settings.gpu and session.settings.target == "local":
        console.say(
            "warning: the local target chooses no GPU; the command sees those of this machine",
            "yellow",
        )
    if session.settings.target == "local":
        # One set-up stands for all: what varies is no program.
        for line in host_files.told(
            order.setups[0].command if order.setups else (), session.project
        ):
            console.say(f"warning: {line}", "yellow")
    started = time.monotonic()
    narrator = Narrator(console)
    # Packing mostly waits for other processes: what is needed after it is imported meanwhile.
    threading.Thread(target=_import_ahead, daemon=True).start()
    try:
        packed, record = prepare(session, order, narrator)
    finally:
        narrator.clear()
    from sendoff.terminal import caution, explanation

    console.say(explanation.headline(packed, time.monotonic() - started), "faint")
    if packed.report.retargeted and not manner.dry_run:
        console.say(explanation.retargeted(packed.report, packed.report.retargeted), "faint")
    if manner.dry_run:
        for line in explanation.environment(packed.report):
            console.say(line, "faint")
        return _tell(record, console)
    caution.say(packed.report, session, console)
    earlier = answered(record, session)
    return start(record, session, console, detach=manner.detach, earlier=earlier)


def start(
    record: RunRecord,
    session: Session,
    console: Console,
    *,
    detach: bool,
    earlier: RunRecord | None = None,
) -> int:
    """Start a run and follow it, unless asked to leave it to itself; return the exit code.

    Where an `earlier` run answers for it, that is followed to its end, and nothing is started.
    """
    from sendoff.handle import Run
    from sendoff.reproduction import late_attaching
    from sendoff.terminal import following

    if earlier is None:
        _warn(record.request, session, console)
    starting = following.Start(session, console)
    sent = earlier or starting.of(lambda begun: dispatch(record, session, begun))
    run = Run(sent, session, reused=earlier is not None)
    if starting.left:
        return following.detach(run, console)
    console.say(f"run {run.id}" + (f" of {len(run)}" if len(run) > 1 else ""), "bold")
    if run.reused:
        console.say(f"answered from the store: it did the same, and ended well, {_when(run)}")
    elif not run.prepared:
        console.say("unpacking the environment here, once for all runs with it", "faint")
    if not detach:
        code = following.follow(run, console)
        late_attaching.of_newest(session)
        return code
    late_attaching.of_newest(session)
    if console.machine:
        from sendoff.terminal.summary import of_run

        console.document(of_run(run))
    else:
        console.say(f"to follow it: sendoff logs -f {run.id}", "faint")
        console.result(run.id)
    return 0


def _warn(request: Request, session: Session, console: Console) -> None:
    """Say where a run may need more than it is sent off with."""
    if request.target != "kubernetes":
        return
    from dispatcher.kubernetes import renewal

    places = session.places
    found = renewal.outlived(request, session.cluster(), places.role)
    if found:
        console.say(
            f"warning: its commands may take {show_duration(found.commands)}, its credentials for "
            f"the store last {show_duration(found.credentials)}: look at it before they are over "
            "(sendoff ps, show or wait), which renews them",
            "yellow",
        )


def _when(run: Run) -> str:
    return run.status.indexes[0].ended or run.record.created


def _import_ahead() -> None:
    for module in _NEEDED:
        importlib.import_module(module)


def _tell(record: RunRecord, console: Console) -> int:
    """Say what would be sent."""
    if console.machine:
        warned = {"warnings": record.warnings} if record.warnings else {}
        console.document(msgspec.to_builtins(record.request, enc_hook=str) | warned)
        return 0
    request = record.request
    console.say(f"nothing was sent; this would be, on {_terms(request)}:", "faint")
    for one in request.inputs:
        console.result(f"{one.digest}  {visible(shlex.join(one.command))}")
    return 0


def _terms(request: Request) -> str:
    """What was asked for besides the commands."""
    resources = request.resources
    terms = {
        "the target": request.target,
        "gpu": resources.gpu,
        "cpus": f"{resources.cpus:g}" if resources.cpus else "",
        "memory": show_size(resources.memory) if resources.memory else "",
        "a time-out of": show_duration(request.timeout) if request.timeout else "",
        "an idle limit of": _limit(request),
        "outputs": " ".join(request.outputs),
        "variables": " ".join(request.environment),
        "secrets": " ".join(request.secrets),
    }
    return ", ".join(f"{name} {value}" for name, value in terms.items() if value)


def _limit(request: Request) -> str:
    limit = request.idle_limit
    return f"{limit.share * 100:g}%,{show_duration(limit.seconds)}" if limit else ""
