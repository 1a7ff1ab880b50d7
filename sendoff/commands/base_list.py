"""`sendoff base list`."""

from __future__ import annotations

from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.commands import base_options
from sendoff.terminal.console import Console


@click.command("list", cls=Command, example="sendoff base list --bases registry.example/base")
@base_options.NAMES
@options.add(base_options.CHOOSING)
@base_options.BASES
@options.console
def listing(console: Console, **asked: Any) -> int:
    """List base images: which there are, which were built here, and which are pushed.

    A run takes one by its name (`--base cuda-devel`) from where `bases` says, for the Python of
    its sandbox; without a name, cpu, or cuda-runtime where it has a GPU.
    """
    from sendoff.bases import workshop as bases

    bench = base_options.bench(asked)
    found = bases.lines(base_options.session(asked), bench)
    if console.machine:
        console.document(found)
        return 0
    header = ["base", "python", "root", "cuda", "driver", "built", "pushed", "for"]
    rows = [
        [
            each.name,
            each.python,
            each.root.partition("@")[0].rpartition("/")[2],
            each.cuda or "-",
            each.driver or "-",
            each.built.short if each.built else "-",
            each.pushed.short if each.pushed else "-",
            each.about,
        ]
        for each in found
    ]
    console.table(header, rows)
    return 0
