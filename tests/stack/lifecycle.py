"""Bringing the stack up, and ending what was started and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.stack import (
    base,
    cgroups,
    cluster,
    debian,
    images,
    network,
    pki,
    places,
    programs,
    state,
)
from tests.stack.locking import locked
from tests.stack.processes import Process, until
from tests.stack.site import Site
from tests.stack.stack import SERVERS, Stack
from tests.stack.unavailable import Unavailable


def up(owner: Process | None = None) -> Stack:
    """The running stack: the one there is, with what died started again, or a fresh one.

    `owner` is the process at whose end the stack is to be ended, recorded where this starts one
    or where the recorded owner is gone without having ended it.

    Raises:
        Unavailable: this machine can't have it.
        DidNotStart: a server did not become well.
    """
    with _alone():
        stack = Stack.running()
        if stack and _worth_keeping(stack):
            stack.repair()
            _adopt(stack, owner)
            return stack
        if stack:
            _end(stack)
        prepare()
        return _fresh(owner)


def down(owner: Process | None = None) -> bool:
    """End the running stack; with `owner`, only one that is this owner's. Whether it did."""
    with _alone():
        stack = Stack.running()
        if stack is None or (owner and stack.known["owner"] != [owner.pid, owner.started]):
            return False
        _end(stack)
        return True


@contextmanager
def borrowed() -> Iterator[Stack]:
    """The running stack, or one that lasts as long as the `with` block.

    Raises:
        Unavailable, DidNotStart
    """
    before, me = Stack.running(), Process.of(os.getpid())
    stack = up(me)
    try:
        yield stack
    finally:
        if before is None:
            down(me)


def prepare() -> None:
    """Install and build all that the servers need, so that starts are quick from then on.

    Raises:
        Unavailable: this machine can't have it.
    """
    if sys.platform != "linux":
        raise Unavailable("the stack needs Linux: its node runs containers")
    if os.geteuid() != 0:
        raise Unavailable("the stack needs root: containerd and the kubelet run containers")
    debian.install(debian.PACKAGES)
    programs.build(programs.SERVERS)
    base.pause()
    base.debian()


def _alone() -> AbstractContextManager[None]:
    return locked(places.STATE / "lock")


def _worth_keeping(stack: Stack) -> bool:
    processes = [stack.process(name) for name in stack.known["servers"]]
    return stack.known["complete"] and any(each and each.alive for each in processes)


def _adopt(stack: Stack, owner: Process | None) -> None:
    recorded = stack.known["owner"]
    if owner and recorded and not Process(*recorded).alive:
        stack.record(owner=[owner.pid, owner.started])


def _fresh(owner: Process | None) -> Stack:
    site = Site.new()
    stack = Stack(state.initial(site, owner))
    state.write(stack.known)
    site.directory.mkdir(mode=0o711)
    pki.make(site)
    cgroups.prepare(site.cgroup)
    network.prepare(site)
    for name in ("etcd", "registry", "minio", "containerd", "buildkitd"):
        stack.launch(name)
    stack.start("etcd")
    stack.launch("apiserver")
    stack.start("registry")
    _push_images(stack)
    stack.start("containerd")
    stack.launch("dockerd")
    stack.start("minio")
    _make_bucket(stack)
    stack.start("apiserver")
    cluster.populate(stack.api)
    for name in SERVERS:
        stack.launch(name)
    for name in SERVERS:
        stack.wait(name)
    stack.give_gpus()
    stack.settle()
    stack.record(complete=True)
    return stack


def _push_images(stack: Stack) -> None:
    registry, names = stack.site.registry, {}
    for name, repository, tag, image in (
        ("pause", "pause", "1", base.pause()),
        ("base", "base/cpu", "latest", base.debian()),
    ):
        digest = images.push(image, registry, repository, tag)
        names[name] = f"{registry}/{repository}@{digest}"
    stack.record(images=names)


def _make_bucket(stack: Stack) -> None:
    from minio import Minio

    known = stack.known["minio"]
    client = Minio(
        stack.site.local("minio"),
        access_key=known["access_key"],
        secret_key=known["secret_key"],
        region=known["region"],
        secure=False,
    )
    client.make_bucket(bucket_name=known["bucket"])


def _end(stack: Stack) -> None:
    """All data goes too, so nothing is asked to end gently."""
    # Who would start something again goes first.
    for name in reversed(SERVERS):
        stack.kill(name)
    cgroups.end(stack.site.cgroup)
    _end_shims(stack.site)
    unmount(stack.site.directory)
    network.end(stack.site)
    shutil.rmtree(stack.site.directory, ignore_errors=True)
    state.remove()


def _end_shims(site: Site) -> None:
    """containerd's shims outlive it; those of this start name its socket."""
    mark = f"\0-address\0{site.containerd_socket}\0".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "cmdline").read_bytes() + b"\0":
                Process.of(int(entry.name)).end()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def unmount(directory: Path) -> None:
    """Let go of everything that is mounted below `directory`, innermost first."""

    def mounted() -> list[str]:
        lines = Path("/proc/self/mounts").read_text().splitlines()
        return [path for line in lines if (path := line.split()[1]).startswith(f"{directory}/")]

    def unmounted() -> bool:
        for path in sorted(mounted(), reverse=True):
            subprocess.run(["umount", "--lazy", path], check=False, capture_output=True)
        return not mounted()

    until(unmounted, 10)
