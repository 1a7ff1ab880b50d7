"""What docs/kubernetes.md shows is done here, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import PATIENCE, Desk, Site
from tests.stack.programs import program

PAGE = Path(__file__).parents[3] / "docs" / "kubernetes.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The commands of the page: the lines that begin with a prompt."""
    shown = "".join(_BLOCK.findall(PAGE.read_text()))
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


def test_the_page_s_commands_work(desk: Desk, site: Site) -> None:
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
    kubectl = f"{program('kubectl')} --kubeconfig {site.stack.known['kubeconfig']['admin']}"
    said = ""
    try:
        for command in commands():
            script = re.sub(r"(^|\| )kubectl ", rf"\g<1>{kubectl} ", command + "\n")
            for name, value in here.items():
                script = script.replace(name, value)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=desk.project,
                env=desk.env,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            said += done.stdout
    finally:
        site.stack.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
        for kind in ("clusterrole", "clusterrolebinding"):
            site.stack.kubectl("delete", kind, f"sendoff-{namespace}", "--ignore-not-found")
    assert "it works\n" in said
    assert said.endswith("\n4\n"), "the length of the secret"
