"""`sendoff compare`."""

from __future__ import annotations

from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command(
    "compare",
    cls=Command,
    example="sendoff compare @last --metric accuracy --best max --plot accuracy.png",
)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="NAME", help="Show these; repeatable."
)
@click.option("--sort", default="", metavar="NAME", help="Order rows by it; -NAME: downwards.")
@click.option("--best", type=click.Choice(["max", "min"]), help="Mark the best by the metric.")
@click.option("--plot", metavar="FILE", help="Write a picture: FILE.png or FILE.svg.")
@click.option("--csv", "as_csv", is_flag=True, help="The table as CSV.")
@options.MANY_RUNS
@options.console
def command(
    console: Console,
    *,
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    sort: str,
    best: str | None,
    plot: str | None,
    as_csv: bool,
) -> int:
    """Set runs side by side.

    The table has what varied and what came of it. Parameters are what a sweep varied, else what
    the commands' flags say. Metrics come from metrics.json, other JSON, JSON lines and CSV files
    whose names speak of metrics, from TensorBoard's event files, and from "key: value" and
    "key=value" on stdout. What is the same in all rows is not a column.
    """
    from dispatcher import comparison
    from sendoff.reproduction import late_attaching
    from sendoff.rows import checked, rows_of
    from sendoff.selection import select

    chosen = select(names)
    rows = rows_of(chosen)
    late_attaching.of_seen(selection.run for selection in chosen)
    checked(rows, metrics, sort, best)
    # mypy: the choices of --best are those of comparison.Best.
    compared = comparison.compare(rows, metrics=metrics, sort=sort, best=best)  # type: ignore[arg-type]
    if console.machine:
        console.document(compared)
    elif as_csv:
        console.result(comparison.as_csv(compared).rstrip("\n"))
    else:
        console.table(*comparison.table(compared))
        if compared.same:
            same = ", ".join(f"{name}={value}" for name, value in compared.same.items())
            console.say(f"the same in all: {same}", "faint")
    if plot:
        from dispatcher.plot import draw

        draw(compared, Path(plot))
        console.say(f"plot: {plot}", "faint")
    return 0
