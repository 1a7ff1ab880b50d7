"""Where bases are built: a desk with a builder, and a place in the registry for them."""

from __future__ import annotations

import json
import subprocess
from typing import Any, NamedTuple

from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.e2e.cluster.desk import Desk

PYTHON = "3.11"


class Foundry(NamedTuple):
    """A desk with a builder, and where its bases go."""

    desk: Desk
    root: str
    """What bases are made from: the stack's own, by its digest."""
    bases: str

    def __call__(self, verb: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.desk("base", verb, *arguments, **env)

    def json(self, verb: str, *arguments: str, **env: str) -> Any:
        told = self(verb, "--json", *arguments, **env)
        assert told.stdout, told.stderr
        return json.loads(told.stdout)

    def build(self, *arguments: str, **env: str) -> Any:
        return self.json("build", "--root", self.root, "--python", PYTHON, *arguments, **env)

    def registry(self, name: str) -> Registry:
        repository = Repository.parse(f"{self.bases}/{name}")
        return Registry(repository, Access(patience=5.0), self.desk.home / "registry")
