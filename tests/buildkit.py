"""buildx and the stack's BuildKit, as tests reach them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack.programs import program

if TYPE_CHECKING:
    import pytest


def docker_cli(folder: Path, environment: pytest.MonkeyPatch) -> None:
    """Have `docker buildx` in this process's environment, with a home of its own in `folder`."""
    docker, buildx = program("docker"), program("buildx")
    plugin = folder / "docker" / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(buildx)
    environment.setenv("DOCKER_CONFIG", str(folder / "docker"))
    environment.setenv("BUILDX_CONFIG", str(folder / "buildx"))
    environment.setenv("PATH", str(docker.parent), prepend=":")
