"""A Dockerfile that makes what an image was packed from run without sendoff. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from packer import image_paths
from packer.record import Record

UV = "ghcr.io/astral-sh/uv:0.9"
"""Where the installer comes from; another can be named: `--build-context uv=…`."""


class Recipe(Record, frozen=True):
    """What decides the Dockerfile."""

    digest: str
    """Of the image it was written from, for whoever reads it."""
    base: str
    """A name that `FROM` takes."""
    python: str
    """The base's interpreter: a path, or a name on its PATH."""
    command: tuple[str, ...]
    variables: dict[str, str] = {}
    """Those that the command brought."""
    user: str = ""
    """Whom the image runs as; empty for the base's own."""
    wheels: bool = False
    """Whether there are wheels beside the lock."""
    files: bool = False
    """Whether there are files that came without a wheel."""
    removed: tuple[str, ...] = ()
    """Files of wheels that were deleted, below the environment's prefix."""
    editables: bool = False


def render(recipe: Recipe) -> str:
    """The text."""
    prefix = image_paths.PREFIX
    lines = [
        f"# Written by sendoff from {recipe.digest}.",
        "# docker build -t rebuilt . && docker run --rm rebuilt",
        f"ARG BASE={recipe.base}",
        f"FROM {UV} AS uv",
        "",
        "FROM ${BASE}",
        "USER 0",
        "COPY pylock.toml" + (" *.whl" if recipe.wheels else "") + " /opt/sendoff/lock/",
        "RUN --mount=from=uv,source=/uv,target=/usr/local/bin/uv \\",
        f"    uv venv --python {shlex.quote(recipe.python)} {prefix} \\",
        f"    && uv pip install --python {prefix}/bin/python --link-mode copy \\",
        "        --compile-bytecode -r /opt/sendoff/lock/pylock.toml",
    ]
    if recipe.removed:
        paths = " ".join(shlex.quote(f"{prefix}/{path}") for path in recipe.removed)
        lines.append(f"RUN rm -f {paths}")
    if recipe.files:
        lines.append(f"COPY files/ {prefix}/")
    if recipe.editables:
        lines.append(f"COPY editable/ {image_paths.EDITABLE}/")
    lines += [
        f"COPY tree/ {image_paths.WORKSPACE}/",
        f"RUN chmod 0777 {image_paths.WORKSPACE}",
        f"ENV PATH={prefix}/bin:$PATH VIRTUAL_ENV={prefix}",
        *_variables(recipe.variables),
        f"WORKDIR {image_paths.WORKSPACE}",
    ]
    if recipe.user:
        lines.append(f"USER {recipe.user}")
    if recipe.command:
        lines.append(f"CMD {json.dumps(list(recipe.command))}")
    return "\n".join(lines) + "\n"


def _variables(variables: Mapping[str, str]) -> list[str]:
    """`ENV` lines; what would be replaced by another variable's value is escaped."""
    return [f"ENV {name}={_quoted(text)}" for name, text in sorted(variables.items())]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("\n", "\\\n") + '"'
