"""A base and the layers that environments share are on the node before a run asks for them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.kubernetes import manifests
from dispatcher.kubernetes.manifests import Tenancy
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry as Bases
from sendoff.registries import PLATFORM
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site
from tests.stack.kubernetes import run_image
from tests.stack.kubernetes.run_image import REPOSITORY, Registry

LARGE = 1 << 20
PYTHON = "3.11"
"""The stack's base has it, and so must sandboxes on that."""


@pytest.fixture(scope="module")
def operated(site: Site) -> Iterator[Site]:
    """The site, whose researcher may pre-warm as well."""
    tenancy = Tenancy(namespace=site.namespace, subject="researcher", kind="User")
    items = manifests.operators(tenancy)
    listed = json.dumps({"kind": "List", "apiVersion": "v1", "items": items})
    site.stack.kubectl("apply", "-f", "-", stdin=listed)
    yield site
    for kind in ("clusterrole", "clusterrolebinding"):
        site.stack.kubectl("delete", kind, f"sendoff-operators-{site.namespace}")


@pytest.fixture(scope="module")
def desk(operated: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A sandbox with numpy, on a base that no node has ever seen."""
    made = with_numpy(operated, tmp_path_factory.mktemp("warm"))
    made.env["SENDOFF_BASE"] = new_base(operated)
    yield made
    made.clear()
    operated.kubectl("delete", "daemonsets", "--all")


@pytest.fixture
def unnamed(operated: Site, tmp_path: Path) -> Iterator[Desk]:
    """A project that says neither its base nor its GPU, and two new bases below a prefix."""
    made = with_numpy(operated, tmp_path)
    del made.env["SENDOFF_BASE"]
    prefix = f"{operated.registry.rpartition('/')[0]}/prewarm-bases"
    made.env["SENDOFF_BASES"] = prefix
    for name in ("cpu", "cuda-runtime"):
        there = Bases(Repository.parse(f"{prefix}/{name}"), Access(), tmp_path / "bases")
        there.adopt(there.base(new_base(operated), PLATFORM), PYTHON)
    yield made
    made.clear()
    operated.kubectl("delete", "daemonsets", "--all")


def with_numpy(site: Site, folder: Path) -> Desk:
    """A sandbox with numpy, and a program that needs it."""
    sandbox = sandboxes.with_packages(Path(__file__).with_name("numpy.txt"))
    made = Desk(folder, site, environment(sandbox, folder / "cache"))
    made.write("main.py", f"import numpy\nprint(numpy.arange(3).sum())  # {os.urandom(8).hex()}\n")
    return made


def told(desk: Desk, *arguments: str) -> Any:
    """The document that a command of `sendoff base` prints."""
    return json.loads(desk.done("base", *arguments, "--json"))


def new_base(site: Site) -> str:
    """The stack's base with one layer more, of random bytes."""
    known = site.stack.known
    registry = Registry(known["registry"]["address"])
    name, _, digest = known["images"]["base"].partition("@")
    repository = name.partition("/")[2]
    base = _read(registry, repository, f"manifests/{digest}")
    config = _read(registry, repository, f"blobs/{base['config']['digest']}")
    for layer in base["layers"]:
        registry.mount(layer["digest"], repository)
    content = run_image.archive({f"/opt/{os.urandom(4).hex()}": os.urandom(2 * LARGE)})
    layer = registry.blob(gzip.compress(content, 1, mtime=0))
    config["rootfs"]["diff_ids"].append(run_image.diff_id(content))
    made = registry.blob(json.dumps(config).encode())
    base["layers"].append({"mediaType": base["layers"][0]["mediaType"], **layer})
    base["config"] = {"mediaType": base["config"]["mediaType"], **made}
    return f"{registry.address}/{REPOSITORY}@{registry.manifest(base, 'new-base')}"


def _read(registry: Registry, repository: str, path: str) -> Any:
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    return json.loads(registry.ask("GET", f"/v2/{repository}/{path}", headers=accept)[2])


def fetched(site: Site, after: int) -> set[str]:
    """The blobs that the node has got since."""
    return {
        each.path.rpartition("/")[2].partition("?")[0]
        for each in site.asked_of_registry(after=after)
        if each.agent.startswith("containerd") and each.method == "GET" and "/blobs/" in each.path
    }


def layers(site: Site, digest: str) -> list[str]:
    registry = Registry(site.stack.known["registry"]["address"])
    manifest = _read(registry, site.repository, f"manifests/{digest}")
    return [each["digest"] for each in manifest["layers"]]


def test_with_the_base_warm_a_run_pulls_only_its_own_layers(desk: Desk, site: Site) -> None:
    _, _, base = desk.env["SENDOFF_BASE"].partition("@")
    before = site.registry_log_size()
    (line,) = told(desk, "prewarm", "--gpu", "h100")
    assert (line["class"], line["node"], line["state"]) == (
        "h100",
        site.stack.known["node"],
        "here",
    )
    assert line["image"] == f"{site.registry}@{base}", "where runs are pulled from"
    of_base = layers(site, base)
    assert of_base[-1] in fetched(site, before)
    before = site.registry_log_size()
    run = desk.sent("run", "--gpu", "h100", "--", "python", "main.py")
    desk.done("wait", run)
    image = layers(site, desk.index(run)["digest"])
    got = fetched(site, before)
    assert image[: len(of_base)] == of_base
    assert not got & set(of_base), "the base was there"
    assert got & set(image[len(of_base) :])
    assert got <= {*image, *_configs(site, desk.index(run)["digest"])}


def test_with_the_shared_layers_warm_a_run_pulls_its_code(desk: Desk, site: Site) -> None:
    """Another project in the same environment, whose layers the node got ahead of the run."""
    digest = desk.done("pack", "--", "python", "main.py").strip()
    lines = told(desk, "prewarm", "--gpu", "h100", "--top", "5")
    assert [line["state"] for line in lines] == ["here", "here"]
    shared = layers(site, lines[1]["image"].partition("@")[2])
    base = layers(site, lines[0]["image"].partition("@")[2])
    assert len(shared) > len(base)
    assert set(shared) <= set(layers(site, digest))
    desk.write("main.py", f"import numpy\nprint(numpy.arange(4).sum())  # {os.urandom(8).hex()}\n")
    before = site.registry_log_size()
    run = desk.sent("run", "--gpu", "h100", "--", "python", "main.py")
    desk.done("wait", run)
    assert not fetched(site, before) & set(shared)
    assert desk.done("logs", run) == "6\n"


def test_status_tells_and_remove_ends_it(desk: Desk, site: Site) -> None:
    done = desk("base", "prewarm", "--gpu", "h100")
    assert done.returncode == 0, done.stderr
    (line,) = told(desk, "status")
    node, title = line["node"], line["title"]
    assert f"{node}: {title} here" in done.stderr, "progress is told for each node"
    assert line["state"] == "here"
    assert line["since"]
    assert line["size"] > LARGE
    shown = desk.done("base", "status", "--gpu", "h100").splitlines()
    assert shown[0].split() == ["class", "node", "image", "state", "for", "size"]
    assert site.stack.known["node"] in shown[1]
    assert told(desk, "status", "--gpu", "cpu") == []
    assert desk.done("base", "prewarm", "--remove", "--gpu", "h100") == "h100\n"
    assert told(desk, "status") == []


def test_each_class_gets_the_named_base_of_its_runs(unnamed: Desk, site: Site) -> None:
    """And the layers that environments on that base share, where there are any."""
    unnamed.done("pack", "--gpu", "h100", "--", "python", "main.py")
    lines = told(unnamed, "prewarm", "--gpu", "h100,cpu", "--top", "5")
    assert {line["state"] for line in lines} == {"here"}
    cpu, cuda, shared = (line["image"].partition("@")[2] for line in lines)
    assert [(line["class"], line["title"]) for line in lines[:2]] == [
        ("cpu", "cpu"),
        ("h100", "cuda-runtime"),
    ]
    assert lines[2]["title"].startswith("cuda-runtime+")
    assert cpu != cuda
    before = site.registry_log_size()
    run = unnamed.sent("run", "--gpu", "h100", "--", "python", "main.py")
    unnamed.done("wait", run)
    warm = set(layers(site, shared))
    assert {*layers(site, cuda)} < warm <= {*layers(site, unnamed.index(run)["digest"])}
    assert not fetched(site, before) & warm, "the node pulled what is the run's own"
    both = told(unnamed, "status", "--gpu", "h100,cpu")
    assert {line["class"] for line in both} == {"h100", "cpu"}
    assert unnamed.done("base", "prewarm", "--remove", "--gpu", "h100,cpu") == "cpu\nh100\n"


def test_a_node_that_can_not_pull_fails_the_command(desk: Desk) -> None:
    nowhere = {
        "SENDOFF_REGISTRY_IN_CLUSTER": f"{desk.site.registry}-not-here",
        "SENDOFF_IMAGE_TIMEOUT": "1s",
    }
    done = desk("base", "prewarm", "--gpu", "h100", "--wait", "60s", **nowhere)
    assert done.returncode == 1
    assert "failed (DIGEST_GONE)" in done.stdout
    assert "do: " in done.stderr


def _configs(site: Site, digest: str) -> set[str]:
    registry = Registry(site.stack.known["registry"]["address"])
    return {_read(registry, site.repository, f"manifests/{digest}")["config"]["digest"]}
