"""`sendoff base build`."""

from __future__ import annotations

from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.commands import base_options
from sendoff.terminal.console import Console


@click.command("build", cls=Command, example="sendoff base build --push cuda-runtime:3.12")
@base_options.NAMES
@options.add(base_options.CHOOSING)
@options.add(base_options.BUILDING)
@click.option("--fresh", is_flag=True, help="Do every step anew.")
@click.option("--push", "pushed", is_flag=True, help="Then push them.")
@base_options.BASES
@options.console
def build(console: Console, *, fresh: bool, pushed: bool, **asked: Any) -> int:
    """Build base images, and print their digests.

    BuildKit builds them all at once. The same catalogue gives the same digest on any builder:
    `sendoff base verify` finds out. What was built stays on this machine until it is pushed.
    """
    from sendoff.bases import workshop as bases
    from sendoff.quantities import show_size
    from sendoff.terminal.narration import Narrator

    bench = base_options.bench(asked, fresh=fresh)
    session = base_options.session(asked)
    narrator = Narrator(console)
    try:
        if pushed:
            bases.require_prefix(session, bench)
        made = bases.make(session, bench, narrator)
        published = bases.publish_all(session, made, narrator) if pushed else ()
    finally:
        narrator.clear()
    if console.machine:
        places = {each.title: each.reference for each in published}
        console.document(
            [{**bases.document(each), "reference": places.get(each.title, "")} for each in made]
        )
        return 0
    rows = [
        [each.name, each.python, each.digest, show_size(each.size), str(len(each.packages))]
        for each in made
    ]
    console.table(["base", "python", "digest", "size", "packages"], rows)
    for one in published:
        console.say(f"pushed {one.reference}", "faint")
    return 0
