"""Options that several commands share, and the shape of their arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sendoff.terminal.console import Console

Callback = TypeVar("Callback", bound=Callable[..., Any])

TARGET = click.option("--target", metavar="NAME", help="Where to run: local, docker, kubernetes.")
GPU = click.option("--gpu", metavar="CLASS", help="GPU class, such as h100 or h100:2.")
RESOURCES = (
    TARGET,
    GPU,
    click.option("--cpus", metavar="N", help="Cores."),
    click.option("--memory", metavar="SIZE", help="Memory, such as 16Gi."),
    click.option("--timeout", metavar="TIME", help="End it after this time, such as 30m."),
    click.option("--grace", metavar="TIME", help="Between asking it to stop and making it."),
    click.option("--idle-limit", metavar="LIMIT", help="End it if its GPU idles, as in 5%,10m."),
    click.option("--retries", metavar="N", help="Attempts after a failed infrastructure."),
    click.option("-g", "--group", metavar="NAME", help="A label shared by related runs."),
)
NAMESPACE = click.option("--namespace", metavar="NAME", help="Namespace of the cluster.")
QUEUE = click.option("--queue", metavar="NAME", help="Kueue queue to wait in.")
ON_CLUSTERS = (
    NAMESPACE,
    QUEUE,
    click.option("--priority", metavar="NAME", help="Priority class of its pods."),
    click.option("--spot/--no-spot", default=None, help="Whether nodes may be taken away."),
    click.option("--pending-timeout", metavar="TIME", help="Give up if it has not started."),
)
MANY = (
    click.option("--max-parallel", metavar="N", help="Indexes that run at once."),
    click.option("--per-pod", metavar="N", help="Indexes that one pod works through in turn."),
)
WISHES = (
    *RESOURCES,
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="SRC:DST",
        help="File or directory outside the project; repeatable.",
    ),
    click.option(
        "--output", "outputs", multiple=True, metavar="GLOB", help="Result files; repeatable."
    ),
    click.option(
        "-e", "--env", multiple=True, metavar="K[=V]", help="Environment variable; repeatable."
    ),
    click.option(
        "--secret",
        "secrets",
        multiple=True,
        metavar="NAME",
        help="Environment variable whose value is kept nowhere; repeatable.",
    ),
    click.option(
        "--deterministic/--no-deterministic",
        default=None,
        help="Set what frameworks need to repeat themselves.",
    ),
    click.option(
        "--reuse/--no-reuse",
        default=None,
        help="Answer with an earlier run of the same that succeeded.",
    ),
    *ON_CLUSTERS,
)
PACKING = (
    click.option("--project", metavar="DIR", default=".", help="What to pack; default: here."),
    click.option("--python", metavar="PATH", help="The sandbox's interpreter."),
    click.option("--base", metavar="IMAGE", help="Base image, where the target is not local."),
    click.option("--builder", metavar="WHERE", help="BuildKit, or native: nothing is run."),
    click.option("--cuda", metavar="LINE", help="CUDA to pack for, such as 12.8, or none."),
)
DETACH = click.option("-d", "--detach", is_flag=True, help="Print the run's id and return at once.")
STARTING = (
    DETACH,
    click.option(
        "-n", "--name", "new_name", default="", metavar="NAME", help="Begins the run's id."
    ),
)
SENDING = (
    DETACH,
    click.option("-n", "--name", default="", metavar="NAME", help="Begins the run's id."),
    click.option(
        "--idempotency-key", default="", metavar="KEY", help="The same key gives the same run."
    ),
    click.option("--dry-run", is_flag=True, help="Pack, say what would be sent, send nothing."),
)


def add(options: tuple[Callable[[Callback], Callback], ...]) -> Callable[[Callback], Callback]:
    """Decorate a command's function with all of `options`."""

    def decorate(function: Callback) -> Callback:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def console(function: Callback) -> Callback:
    """Give a command `--json` and `--quiet`, and as its first argument the console they make."""

    @click.option("-q", "--quiet", is_flag=True, help="No narration.")
    @click.option("--json", "machine", is_flag=True, help="The result as one JSON document.")
    @functools.wraps(function)
    def with_console(*args: Any, machine: bool, quiet: bool, **named: Any) -> Any:
        return function(Console(machine=machine, quiet=quiet), *args, **named)

    return with_console  # type: ignore[return-value]


def flags(wishes: dict[str, Any]) -> dict[str, Any]:
    """The settings among a command's options; None where an option was not given."""
    given = {key: value for key, value in wishes.items() if value not in (None, ())}
    if "env" in given:
        given["env"] = dict(map(_variable, given["env"]))
    return given


def _variable(text: str) -> tuple[str, str]:
    import os

    from sendoff.errors import Misuse

    name, given, value = text.partition("=")
    if given and name:
        return name, value
    if name not in os.environ:
        raise Misuse(
            f"--env {text}: no such variable here",
            "a name without a value takes the value from this environment",
            f"write it as --env {name or 'NAME'}=VALUE",
        )
    return name, os.environ[name]


COMPLETED = 200
"""Runs that a shell offers."""


class RunName(click.ParamType[str]):
    """The name of a run, or of one of its indexes: RUN, RUN/INDEX, a prefix, @last."""

    name = "run"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[Any]:
        """The ids of runs, the newest first."""
        from itertools import islice

        from click.shell_completion import CompletionItem

        from sendoff.session import Session

        runs = Session.open(Path()).runs().recent()
        some = (run for run in runs if run.id.startswith(incomplete))
        return [
            CompletionItem(run.id, help=" ".join(run.request.inputs[0].command)[:60])
            for run in islice(some, COMPLETED)
        ]


RUN_NAME = RunName()
ONE_RUN = click.argument("name", type=RUN_NAME, metavar="RUN")
SOME_RUNS = click.argument("names", type=RUN_NAME, metavar="[RUN...]", nargs=-1)
MANY_RUNS = click.argument("names", type=RUN_NAME, metavar="RUN...", nargs=-1, required=True)
WORDS = click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND...")
UNTOUCHED = {"allow_interspersed_args": False}
"""Context settings with which everything from the command's first word on is the command's."""
