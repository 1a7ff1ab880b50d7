"""A tag of a base image that moves between two packs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from packer.digest import Digest
from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.e2e import sandboxes
from tests.registries.images import make_image
from tests.registries.process import RegistryProcess

MINOR = ".".join(map(str, sys.version_info[:2]))


class Site:
    """A registry with a base, and a sandbox with a project that is packed on it."""

    def __init__(self, home: Path, host: str) -> None:
        self._layout, self._host = Layout(home / "bases"), host
        self._bases = Registry(Repository.parse(f"{host}/base"), Access(), home / "cache")
        self.images = Registry(Repository.parse(f"{host}/images"), Access(), home / "cache")
        self.project = home / "project"
        self.project.mkdir()
        (self.project / "main.py").write_text("print(1)\n")
        sandbox = sandboxes.empty(home / "venv")
        names = ("CACHE_HOME", "DATA_HOME", "STATE_HOME", "CONFIG_HOME")
        self._env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SENDOFF_")},
            **{f"XDG_{name}": str(home / name) for name in names},
            "VIRTUAL_ENV": str(sandbox),
            "SENDOFF_REGISTRY": f"{host}/images",
            "SENDOFF_BASE": f"{host}/base:1",
            "SENDOFF_WARM": "0",
        }

    def move(self, minor: str = MINOR) -> Digest:
        """Have the tag name another image."""
        made = make_image(self._layout, minor=minor)
        self._bases.push(PushRequest(layout=self._layout.root, images=(made,), tags={"1": made}))
        return made

    def packed(self, *command: str) -> dict[str, Any]:
        return self.json("pack", *command)

    def json(self, verb: str, *others: str, **env: str) -> dict[str, Any]:
        done = self.command(verb, "--json", *others, **env)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(sandboxes.TOOLS / "sendoff"), *arguments],
            cwd=self.project,
            env={**self._env, **env},
            capture_output=True,
            text=True,
            check=False,
        )


def layers(registry: Registry, digest: str) -> list[str]:
    return [each["digest"] for each in json.loads(registry.manifest(digest).data)["layers"]]


def test_what_the_tag_names_now_is_packed_upon(tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "registry") as server:
        site = Site(tmp_path, server.host)
        first = site.move()
        before = site.packed()
        assert site.packed()["images"] == before["images"]
        second = site.move()
        after = site.packed()
        for base, packed in ((first, before), (second, after)):
            (digest,) = packed["images"]
            (below,) = layers(site._bases, base)
            assert layers(site.images, digest)[0] == below
        assert after["images"] != before["images"]


def test_two_bases_are_what_differs(tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "registry") as server:
        site = Site(tmp_path, server.host)
        bases, images = [], []
        for _ in range(2):
            bases.append(site.move())
            images += site.packed("--", "python", "main.py")["images"]
        # Neither ever ran: `diff` has to be told where such images run.
        found = site.json("diff", *images, SENDOFF_TARGET="kubernetes")
        was, now = bases
        assert found["base"] == [{"name": "image", "how": "changed", "was": was, "now": now}]
        assert not found["files"] + found["packages"] + found["unknown"]


def test_another_python_is_told_before_any_step_is_done(tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "registry") as server:
        site = Site(tmp_path, server.host)
        site.move("3.9")
        (site.project / "pyproject.toml").write_text('[tool.sendoff.image]\nrun = ["true"]\n')
        # A step that was done would need it.
        nowhere = {"SENDOFF_BUILDER": f"unix://{tmp_path}/none.sock"}
        for verb in (("pack",), ("pack", "--dry-run")):
            refused = site.command(*verb, **nowhere)
            assert refused.returncode == 125
            assert "the base image has Python 3.9.2" in refused.stderr, refused.stderr


def test_a_dry_run_tells_who_would_build_what(tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "registry") as server:
        site = Site(tmp_path, server.host)
        site.move()
        (site.project / "pyproject.toml").write_text('[tool.sendoff.image]\nrun = ["true"]\n')
        nowhere = {"SENDOFF_BUILDER": f"unix://{tmp_path}/none.sock"}
        told = site.command("pack", "--dry-run", **nowhere)
        lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
        at = lines.index("builders:")
        assert lines[at + 1] == "buildkit run: true → base"
        assert lines[-1] == "native project, runner, command → run image"
        refused = site.command("pack", "--dry-run", "--builder", "native")
        assert refused.returncode == 125
        assert "[tool.sendoff.image] has to be built" in refused.stderr


def test_another_python_that_the_tag_named_before_is_no_fault(tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "registry") as server:
        site = Site(tmp_path, server.host)
        site.move("3.9")
        assert site.command("pack").returncode == 125
        site.move()
        assert len(site.packed()["images"]) == 1
