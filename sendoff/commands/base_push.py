"""`sendoff base push`."""

from __future__ import annotations

from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.commands import base_options
from sendoff.terminal.console import Console


@click.command("push", cls=Command, example="sendoff base push --bases registry.example/base cpu")
@base_options.NAMES
@options.add(base_options.CHOOSING)
@base_options.BASES
@options.console
def push(console: Console, **asked: Any) -> int:
    """Push base images that were built here, and print what names them.

    Each goes to a repository of its own below the prefix, its Python minor being its tag. Its bill
    of materials and its provenance are attached to it before the tag moves.
    """
    from sendoff.bases import workshop as bases
    from sendoff.terminal.narration import Narrator

    bench = base_options.bench(asked)
    narrator = Narrator(console)
    try:
        found = bases.push(base_options.session(asked), bench, narrator)
    finally:
        narrator.clear()
    if console.machine:
        console.document(found)
        return 0
    for each in found:
        console.result(each.reference)
    return 0
