"""`sendoff base verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.commands import base_options
from sendoff.terminal.console import Console

if TYPE_CHECKING:
    from packer.bases.verification import Verified

_SHOWN = 20
"""Differences of a base that a person is shown; JSON has them all."""


@click.command(
    "verify", cls=Command, example="sendoff base verify --builder tcp://elsewhere:1234 cpu:3.11"
)
@base_options.NAMES
@options.add(base_options.CHOOSING)
@options.add(base_options.BUILDING)
@base_options.BASES
@options.console
def verify(console: Console, **asked: Any) -> int:
    """Build base images again, and tell whether they come out the same.

    They are compared with what is pushed, or else with what was built here. Exits with 1 where a
    digest differs, and tells which layer does, which paths in it, and how.
    """
    from sendoff.bases import workshop as bases
    from sendoff.terminal.narration import Narrator

    bench = base_options.bench(asked)
    narrator = Narrator(console)
    try:
        found = bases.check(base_options.session(asked), bench, narrator)
    finally:
        narrator.clear()
    if console.machine:
        console.document([{"same": each.comparison.same, **_plain(each)} for each in found])
    else:
        for each in found:
            _tell(console, each)
    return 0 if all(each.comparison.same for each in found) else 1


def _plain(verified: Verified) -> dict[str, Any]:
    compared = verified.comparison
    return {
        "title": verified.title,
        "first": compared.first,
        "second": compared.second,
        "differences": compared.differences,
    }


def _tell(console: Console, verified: Verified) -> None:
    compared = verified.comparison
    if compared.same:
        console.result(f"{verified.title}  {compared.first}  the same")
        return
    console.result(f"{verified.title}  {compared.first}  differs: {compared.second}")
    for each in compared.differences[:_SHOWN]:
        console.result("  " + "  ".join(filter(None, (each.where, each.what, each.why))))
    more = len(compared.differences) - _SHOWN
    if more > 0:
        console.result(f"  and {more} more: --json has them all")
