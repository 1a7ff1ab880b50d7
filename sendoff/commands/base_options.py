"""Options that the commands of `sendoff base` share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sendoff import options

if TYPE_CHECKING:
    from sendoff.bases.workshop import Bench
    from sendoff.session import Session

NAMES = click.argument("names", nargs=-1, metavar="[NAME]...")
CHOOSING = (
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="MINOR",
        help="Python, such as 3.12; repeatable.",
    ),
    click.option(
        "--catalogue", "folder", metavar="DIR", help="A catalogue of your own, and its Dockerfiles."
    ),
)
BASES = click.option("--bases", metavar="PREFIX", help="Where bases are: registry.example/base.")
BUILDING = (
    click.option("--builder", metavar="ADDRESS", help="BuildKit: docker, unix://…, tcp://…"),
    click.option(
        "--root", default="", metavar="IMAGE", help="Made from this, with the sources it has."
    ),
    click.option(
        "--certificates",
        envvar=["SSL_CERT_FILE", "PIP_CERT"],
        metavar="FILE",
        help="Authorities that a build trusts; default: $SSL_CERT_FILE, $PIP_CERT.",
    ),
    click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="NAME=URL",
        help="PIP_INDEX_URL or UV_PYTHON_INSTALL_MIRROR; repeatable.",
    ),
)


def bench(asked: dict[str, Any], *, fresh: bool = False) -> Bench:
    """What the options say, which are taken out of `asked`; the others are settings."""
    from packer.bases.plan import Wish
    from sendoff.bases import workshop as bases

    given: Mapping[str, Any] = {
        key: asked.pop(key, default)
        for key, default in (
            ("names", ()), ("pythons", ()), ("root", ""), ("folder", ""), ("certificates", ""),
            ("mirrors", ()),
        )
    }  # fmt: skip
    wish = Wish(names=given["names"], pythons=given["pythons"], root=given["root"] or "")
    trusted, folder = given["certificates"], given["folder"]
    return bases.Bench(
        wish=wish,
        folder=Path(folder).resolve() if folder else None,
        certificates=Path(trusted).resolve() if trusted else None,
        arguments=dict(bases.mirrors(given["mirrors"])),
        fresh=fresh,
    )


def session(asked: dict[str, Any]) -> Session:
    """The session for the settings among the options."""
    from sendoff.session import Session

    return Session.open(Path(), options.flags(asked))
