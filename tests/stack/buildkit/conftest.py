"""A builder: the stack's own BuildKit, reached by buildx's remote driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.buildkit import address
from packer.buildkit.builder import Builder
from tests.buildkit import docker_cli
from tests.stack.stack import Stack


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker buildx` on PATH, without anything of this machine's user."""
    docker_cli(tmp_path / "cli", monkeypatch)


@pytest.fixture
def builder(stack: Stack, tmp_path: Path, cli: None) -> Builder:  # noqa: ARG001
    return Builder(address.parse(stack.known["buildkitd"]["address"]), tmp_path / "cache")
