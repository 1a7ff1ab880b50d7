"""`sendoff base prewarm` and `sendoff base status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatcher.kubernetes.prewarm_sight import Warmth
    from dispatcher.kubernetes.prewarming import Prewarming
    from sendoff.bases.warm_images import Stock

_GPU = click.option(
    "--gpu", "classes", multiple=True, metavar="CLASS", help="GPU class, or cpu; repeatable."
)


@click.command("prewarm", cls=Command, example="sendoff base prewarm --gpu h100 --top 8")
@_GPU
@click.option(
    "--base", "bases", multiple=True, metavar="IMAGE", help="Base image; default: the runs'."
)
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Also the N layers that most environments on the base share.",
)
@click.option("--remove", is_flag=True, help="Pre-warm these classes no more.")
@click.option("-d", "--detach", is_flag=True, help="Do not wait for the nodes.")
@click.option(
    "--wait", "patience", default="30m", metavar="TIME", help="Wait so long at most; default: 30m."
)
@options.NAMESPACE
@options.console
def prewarm(
    console: Console,
    *,
    classes: tuple[str, ...],
    bases: tuple[str, ...],
    top: int,
    remove: bool,
    detach: bool,
    patience: str,
    **asked: Any,
) -> int:
    """Have images pulled on all nodes of a class.

    So that a run finds them there, and its node pulls what is the run's own.
    The images named last are those that a class has: naming others replaces them, and nodes that
    come later get them too. Exits with 1 if a node does not have all of them in the end.
    """
    from sendoff.bases import prewarming, warm_images
    from sendoff.session import Session
    from sendoff.terminal.narration import Narrator

    seconds = _seconds(patience)
    session = Session.open(Path(), options.flags(asked))
    warming = prewarming.cluster(session)
    if remove:
        return _remove(console, warming, _each(classes))
    names = _each(classes or (session.settings.gpu or "cpu",))
    wish = warm_images.Asked(classes=names, bases=bases, top=top)
    stocks = warm_images.stocks(session, wish, Narrator(console))
    _lacking(console, stocks.values(), top)
    made = []
    for name, some in stocks.items():
        images = [image for stock in some for image in stock.images]
        made.append(warming.start(name, images).name)
        console.say(f"{warming.by} has {len(images)} images pulled for {made[-1]}", "faint")
    lines = warming.look(made) if detach else _followed(console, warming, made, seconds)
    return _shown(console, warming, lines, final=not detach)


@click.command("status", cls=Command, example="sendoff base status --gpu h100")
@_GPU
@options.NAMESPACE
@options.console
def status(console: Console, *, classes: tuple[str, ...], **asked: Any) -> int:
    """Tell which node has which pre-warmed image.

    And for how long, and how big it is; of all classes that are pre-warmed, where none is named.
    """
    from sendoff.bases import prewarming
    from sendoff.session import Session

    warming = prewarming.cluster(Session.open(Path(), options.flags(asked)))
    lines = warming.look(_each(classes))
    if not lines and not console.machine:
        console.say("nothing is pre-warmed: sendoff base prewarm --gpu CLASS")
        return 0
    return _shown(console, warming, lines, final=False)


def _each(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes of the options, in each of which commas may stand."""
    from sendoff.errors import Misuse

    parts = [part.strip() for text in classes for part in text.split(",")]
    if not all(parts):
        # None at all would stand for every class, and --remove takes them at their word.
        raise Misuse("can't use --gpu", "it names no class", "name some: --gpu h100,cpu")
    return tuple(dict.fromkeys(parts))


def _lacking(console: Console, stocks: Iterable[Sequence[Stock]], top: int) -> None:
    """Say what was asked for and is not there, once for each base."""
    for stock in {stock.base.digest: stock for some in stocks for stock in some}.values():
        if not stock.complete:
            without = f"{stock.title} without the steps of [tool.sendoff.image]"
            console.say(f"{without}: no run has had them done yet", "yellow")
        if top and not stock.shared:
            nobody = f"no environment in the registry stands on {stock.title} yet"
            console.say(f"{nobody}: nothing for --top", "yellow")


def _seconds(patience: str) -> float:
    from sendoff.errors import Misuse
    from sendoff.quantities import parse_duration

    try:
        return parse_duration(patience)
    except ValueError as error:
        raise Misuse("can't use --wait", str(error), "for half an hour: --wait 30m") from None


def _remove(console: Console, warming: Prewarming, classes: Sequence[str]) -> int:
    removed = warming.remove(classes)
    if console.machine:
        console.document({"removed": removed})
    else:
        for each in removed:
            console.result(each)
        if not removed:
            console.say("nothing was pre-warmed")
    return 0


def _followed(
    console: Console, warming: Prewarming, names: Sequence[str], patience: float
) -> list[Warmth]:
    """The last look, with what changes told meanwhile."""
    from sendoff.bases import prewarming

    lines: list[Warmth] = []
    told: dict[tuple[str, str, str], str] = {}
    for lines in prewarming.follow(warming, names, patience):
        for line in lines:
            place = (line.prewarm, line.node, line.image.digest)
            if told.get(place) != line.state:
                told[place] = line.state
                console.say(f"{line.node}: {line.image.title} {line.state}", "faint")
    return lines


def _shown(console: Console, warming: Prewarming, lines: Sequence[Warmth], *, final: bool) -> int:
    from sendoff.bases import prewarming

    if console.machine:
        console.document([prewarming.document(line) for line in lines])
    elif lines:
        now = warming.now()
        console.table(prewarming.HEADER, [prewarming.row(line, now) for line in lines])
    else:
        console.say("there is no such node now; those that come get them")
    for words in prewarming.remedies(lines):
        console.say(words, "red")
    return 1 if final and any(line.state != "here" for line in lines) else 0
