"""`sendoff init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console, is_terminal

if TYPE_CHECKING:
    from dispatcher.kubernetes.manifests import Tenancy

_ASKED = ("target", "registry", "base", "store", "namespace")


@click.command(
    "init",
    cls=Command,
    example="sendoff init --target kubernetes --registry registry.example/team/runs"
    " --store https://minio.example/runs",
)
@options.TARGET
@click.option("--registry", metavar="REPOSITORY", help="Where images go.")
@click.option("--base", metavar="IMAGE", help="Base image, best by digest.")
@click.option("--store", metavar="URL", help="Where results go: http(s)://HOST/BUCKET.")
@click.option("--store-in-cluster", metavar="URL", help="The store as pods reach it.")
@click.option("--context", metavar="NAME", help="Context of the kubeconfig.")
@click.option("-n", "--namespace", metavar="NAME", help="Namespace of the cluster.")
@options.QUEUE
@click.option("--gpu", metavar="CLASS", help="GPU class, where a run names none.")
@click.option(
    "--set", "others", multiple=True, metavar="KEY=VALUE", help="Any setting; repeatable."
)
@click.option("--project", metavar="DIR", default=".", help="Whose settings; default: here.")
@click.option("--pyproject", is_flag=True, help="Into [tool.sendoff] of its pyproject.toml.")
@click.option("--user", "of_user", is_flag=True, help="For all projects of this user.")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@click.option("--manifests", is_flag=True, help="Print what a cluster's administrator applies.")
@click.option(
    "--for", "subject", default="group:researchers", metavar="KIND:NAME", help="Who gets the Role."
)
@click.option("--usage", is_flag=True, help="Who may also see how many GPUs are free.")
@click.option("--operators", is_flag=True, help="The Role of those who pre-warm nodes, alone.")
@options.console
def command(
    console: Console,
    *,
    others: tuple[str, ...],
    project: str,
    pyproject: bool,
    of_user: bool,
    force: bool,
    manifests: bool,
    subject: str,
    usage: bool,
    operators: bool,
    **asked: Any,
) -> int:
    """Write the configuration.

    What options say goes into sendoff.toml; on a terminal, without options, the questions are
    asked. With --manifests nothing is written: the namespace under Pod Security's restricted
    level, the least Role and its binding (KIND is user, group or serviceaccount), a quota and a
    network policy are printed as YAML, for kubectl apply; with --operators, the Role and binding
    of those who pre-warm nodes, which is apart from them. The namespace is the configured one,
    or sendoff, unless it is named.
    """
    from packer.project.tree_errors import ProjectMissing
    from sendoff.settings import file as settings_file

    folder = Path(project).resolve()
    if not (of_user or folder.is_dir()):
        raise ProjectMissing(project)
    if manifests:
        namespace = asked["namespace"] or _configured(folder) or "sendoff"
        tenancy = _tenancy(namespace, subject, usage=usage)
        return _manifests(console, tenancy, operators=operators)
    given = {key.replace("_", "-"): value for key, value in asked.items() if value}
    given |= dict(map(_pair, others))
    if not given:
        given = _answers()
    settings = settings_file.checked(given, "sendoff init", folder)
    path = _path(folder, pyproject=pyproject, of_user=of_user)
    settings_file.write(path, settings, force=force)
    if console.machine:
        console.document({"path": path, "settings": settings})
        return 0
    console.result(path)
    console.say("to see whether it works: sendoff doctor", "faint")
    return 0


def _path(folder: Path, *, pyproject: bool, of_user: bool) -> Path:
    import os

    from sendoff.settings.setting import xdg

    if of_user:
        return xdg(os.environ, "XDG_CONFIG_HOME", ".config") / "config.toml"
    return folder / ("pyproject.toml" if pyproject else "sendoff.toml")


def _pair(text: str) -> tuple[str, str]:
    from sendoff.errors import Misuse

    key, given, value = text.partition("=")
    if not given:
        raise Misuse(f"--set {text}: no value", fix="write it as --set KEY=VALUE")
    return key, value


def _answers() -> dict[str, str]:
    """What a person types; what is left empty is left out."""
    from sendoff.errors import Misuse
    from sendoff.settings.catalogue import BY_KEY

    if not is_terminal(sys.stdin):
        raise Misuse(
            "nothing to write",
            "no setting was given, and nobody is here to ask",
            "sendoff init --target kubernetes --registry … --store …",
        )
    answers = {}
    for key in _ASKED:
        words = BY_KEY[key].help
        default = "local" if key == "target" else ""
        answers[key] = click.prompt(f"{key} ({words})", default, show_default=False, err=True)
        if answers["target"] == "local":
            break
    return {key: value for key, value in answers.items() if value}


def _configured(folder: Path) -> str:
    from sendoff.settings.configuration import load

    return load(folder, {}).settings.namespace


def _tenancy(namespace: str, subject: str, *, usage: bool) -> Tenancy:
    from dispatcher.kubernetes.manifests import Tenancy
    from sendoff.errors import Misuse

    kinds = {"user": "User", "group": "Group", "serviceaccount": "ServiceAccount"}
    kind, _, name = subject.partition(":")
    if kind not in kinds or not name:
        raise Misuse(
            f"--for {subject}: that names nobody",
            "it takes a kind and a name",
            "--for user:ada, --for group:researchers, or --for serviceaccount:agent",
        )
    # mypy: the values of `kinds` are those of Tenancy.kind.
    return Tenancy(namespace=namespace, subject=name, kind=kinds[kind], usage=usage)  # type: ignore[arg-type]


def _manifests(console: Console, tenancy: Tenancy, *, operators: bool) -> int:
    import yaml

    from dispatcher.kubernetes import manifests

    objects = manifests.operators(tenancy) if operators else manifests.render(tenancy)
    if console.machine:
        console.document({"apiVersion": "v1", "kind": "List", "items": objects})
    else:
        console.result(yaml.safe_dump_all(objects, sort_keys=False).rstrip("\n"))
    return 0
