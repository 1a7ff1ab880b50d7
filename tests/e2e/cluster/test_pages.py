"""What the pages on clusters show is done here, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site
from tests.e2e.desk import PATIENCE
from tests.stack.programs import program

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """The commands of a page: the lines that begin with a prompt."""
    shown = "".join(_BLOCK.findall((DOCS / page).read_text()))
    return [line[2:] for line in shown.splitlines() if line.startswith("$ ")]


@pytest.fixture
def desk(tmp_path: Path, site: Site, plain: Path, cache: Path) -> Iterator[Desk]:
    """Of somebody who has credentials, and no settings yet."""
    made = Desk(tmp_path, site, environment(plain, cache))
    made.write("README", "An experiment.")
    for name in site.variables():
        if name.startswith("SENDOFF_") and name not in ("SENDOFF_CPUS", "SENDOFF_MEMORY"):
            del made.env[name]
    yield made
    made.clear()


def done(command: str, desk: Desk, here: Mapping[str, str]) -> str:
    """What a command of a page prints; `here` says what the page's names are."""
    known = desk.site.stack.known
    kubectl = f"{program('kubectl')} --kubeconfig {known['kubeconfig']['admin']}"
    script = re.sub(r"(^|\| )kubectl ", rf"\g<1>{kubectl} ", command + "\n")
    for name, value in here.items():
        script = script.replace(name, value)
    found = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=desk.project,
        env=desk.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
    return found.stdout


def test_the_commands_on_clusters_work(desk: Desk, site: Site) -> None:
    namespace = f"page-{os.urandom(4).hex()}"
    given = site.variables()
    # The page's names, and what they are here.
    here = {
        "registry.example/team/runs": site.registry,
        "registry.example/base/cpu@sha256:…": given["SENDOFF_BASE"],
        "https://minio.example/results": f"{site.store} --store-in-cluster {site.store_in_cluster}",
        "research ": f"{namespace} ",
        "research\n": f"{namespace}\n",
    }
    try:
        said = "".join(done(command, desk, here) for command in commands("kubernetes.md"))
    finally:
        site.stack.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
        for kind in ("clusterrole", "clusterrolebinding"):
            site.stack.kubectl("delete", kind, f"sendoff-{namespace}", "--ignore-not-found")
    assert "it works\n" in said
    assert said.endswith("\n4\n"), "the length of the secret"


def test_the_commands_on_prewarming_work(desk: Desk, site: Site) -> None:
    for name, value in site.variables().items():
        desk.env[name] = value
    here = {"research ": f"{site.namespace} ", "group:operators": "group:researchers"}
    shown = commands("prewarming.md")
    # The page gives the rights where it says what they are for.
    ordered = sorted(shown, key=lambda command: "--operators" not in command)
    try:
        said = [done(command, desk, here) for command in ordered]
    finally:
        for kind in ("clusterrole", "clusterrolebinding"):
            name = f"sendoff-operators-{site.namespace}"
            site.stack.kubectl("delete", kind, name, "--ignore-not-found")
    assert " here " in said[1]
    assert said[-1] == "h100\n"
