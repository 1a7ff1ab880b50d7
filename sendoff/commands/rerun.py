"""`sendoff rerun`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("rerun", cls=Command, example="sendoff rerun @last --failed")
@options.ONE_RUN
@click.option("--failed", is_flag=True, help="Only indexes that have ended without success.")
@options.add(options.RESOURCES + options.ON_CLUSTERS + options.MANY + options.STARTING)
@options.console
def command(
    console: Console, *, name: str, failed: bool, new_name: str, detach: bool, **asked: Any
) -> int:
    """Send a run's images off again.

    Nothing is packed or pushed: the digests are those of RUN, wherever the project is by now.
    What options ask for replaces what RUN asked for. RUN is an id, a prefix, @last, or RUN/INDEX.
    """
    from sendoff.errors import Misuse
    from sendoff.rerun import again
    from sendoff.selection import select
    from sendoff.sending import start
    from sendoff.session import Session

    flags = options.flags(asked)
    session = Session.open(Path(), flags)
    given = {key: getattr(session.settings, key.replace("-", "_")) for key in flags}
    (chosen,) = select((name,))
    indexes = [
        index.number
        for index in chosen.indexes
        if not failed or (index.status.final and index.state != "succeeded")
    ]
    if not indexes:
        raise Misuse(f"no index of {chosen.run.id} has failed", fix=f"sendoff show {chosen.run.id}")
    record = again(chosen.run.record, indexes, given, name=new_name)
    if not session.embedded:
        from sendoff.publishing import require

        require(record.request, session)
    return start(record, session, console, detach=detach)
