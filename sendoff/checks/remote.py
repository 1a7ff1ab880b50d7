"""What servers have to be and allow: the registry, the store, the engine, the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from dispatcher.runner.address import is_s3
from packer.errors import SendoffError
from sendoff.checks.check import Check, Checks, Finding, of_error
from sendoff.session import Session

_PATIENCE = 10.0
"""Seconds for which a server that does not answer is asked again."""
_STATES: dict[str, Literal["ok", "poor", "problem"]] = {
    "good": "ok",
    "poor": "poor",
    "bad": "problem",
}
_LOOPBACK = ("127.", "localhost", "[::1]")


def registry(session: Session) -> Iterator[Check]:
    """Where images go: whether it can be reached, knows us, and takes images."""
    from dispatcher.errors import RegistryNotPullable
    from sendoff.registries import unknown

    settings = session.settings
    checks = Checks("registry")
    if session.embedded:
        error = RegistryNotPullable(settings.target, settings.registry)
        yield of_error("registry", "push", error)
        return
    with checks.one("push") as found, unknown(session, _PATIENCE) as there:
        there.check()
        found.said = f"{settings.registry} takes images"
    yield checks.last
    nodes = settings.registry_in_cluster or settings.registry
    if settings.target == "kubernetes" and checks.good:
        with checks.one("pull") as found:
            found.said = f"nodes pull from {nodes}"
            _reach(nodes, "nodes pull from", "SENDOFF_REGISTRY_IN_CLUSTER", found)
        yield checks.last


def base(session: Session) -> Iterator[Check]:
    """What images are made upon: whether it is there, and for the sandbox's Python."""
    from packer.environment import interpreter
    from packer.images.errors import BasePythonDiffers
    from sendoff.bases import choice as base_choice
    from sendoff.registries import PLATFORM, unknown

    settings = session.settings
    try:
        named = base_choice.wanted(session)
    except SendoffError as error:
        yield of_error("base", "image", error)
        return
    if session.embedded:
        return
    checks = Checks("base")
    with checks.one("image") as found, unknown(session, _PATIENCE) as there:
        image = base_choice.find(session, named, there, PLATFORM)
        path = interpreter.find(settings.python or None)
        sandbox = interpreter.describe(path, settings.cache)
        if image.minor != sandbox.minor:
            raise BasePythonDiffers(named, image.python_version, sandbox.version)
        found.said = f"{image.repository}, Python {image.python_version}"
        if "@" not in named and not base_choice.is_name(named):
            found.poor(
                f"{found.said}: a tag may mean another image tomorrow",
                f"export SENDOFF_BASE={image.repository}@{image.digest}",
            )
    yield checks.last


def builder(session: Session) -> Iterator[Check]:
    """What has to be run to be packed: whether there is something to run it with, where it is
    set, or the image's settings need it.
    """
    from packer.building import choice
    from packer.buildkit import address
    from packer.buildkit.builder import Builder

    settings = session.settings
    chosen = choice.parse(settings.builder)
    if not chosen.runs or not (settings.builder or settings.image.extends):
        return
    checks = Checks("builder")
    with checks.one("buildkit") as found:
        where = address.parse(chosen.address)
        version = Builder(where, settings.cache).check()
        found.said = f"{where} answers" + (f", BuildKit {version}" if version else "")
    yield checks.last


def store(session: Session) -> Iterator[Check]:
    """Where results go: whether it does what runs need."""
    from dispatcher import store_probe
    from dispatcher.kubernetes.errors import StoreNotInReach

    settings = session.settings
    if not is_s3(settings.store):
        if settings.target == "kubernetes":
            yield of_error("store", "bucket", StoreNotInReach(settings.store))
        return
    for finding in store_probe.probe(session.places, _PATIENCE):
        if finding.error:
            yield of_error("store", finding.ability, finding.error)
        else:
            yield Check(area="store", what=finding.ability, said=finding.note)
    checks = Checks("store")
    inside = settings.store_in_cluster or settings.store
    with checks.one("as runs see it") as found:
        found.said = inside
        _reach(inside.partition("://")[2], "runs reach it as", "SENDOFF_STORE_IN_CLUSTER", found)
    yield checks.last


def engine(session: Session) -> Iterator[Check]:
    """The docker engine: whether it can be reached."""
    from dispatcher.docker.engine import Engine

    checks = Checks("engine")
    with checks.one("docker") as found:
        runtimes = Engine().facts().runtimes
        found.said = f"reached; runtimes: {', '.join(sorted(runtimes))}"
        if session.settings.gpu:
            # The toolkit's hook and CDI need no runtime: only a start shows it.
            found.said += "; whether it gives containers GPUs shows when one is started"
    yield checks.last


def cluster(session: Session) -> Iterator[Check]:
    """The cluster: whether it can be reached, allows what runs need, and takes their pods."""
    from dispatcher.kubernetes.client import Client
    from dispatcher.kubernetes.probe import Probe
    from dispatcher.request import Resources

    asked, settings = session.settings, session.cluster()
    wanted = Resources(gpu=asked.gpu, cpus=asked.cpus, memory=asked.memory)
    client = Client(settings, _PATIENCE)
    try:
        where = f"{client.host}, namespace {client.namespace}"
    except SendoffError as error:
        yield of_error("cluster", "kubeconfig", error)
        return
    yield Check(area="cluster", what="kubeconfig", said=where)
    for finding in Probe(client, settings, wanted).findings():
        yield Check(
            area="cluster",
            what=finding.what,
            state=_STATES[finding.state],
            said=finding.said,
            fix=finding.fix,
        )


def _reach(place: str, how: str, variable: str, found: Finding) -> None:
    """Say so where others would look for it on themselves."""
    if place.startswith(_LOOPBACK):
        found.poor(
            f"{how} {place}: that is their own machine, not this one, unless they are the same",
            f"export {variable}=…",
        )
