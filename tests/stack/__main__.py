"""`python -m tests.stack up | status | down`: real servers on loopback, for trying sendoff out."""

from __future__ import annotations

import argparse
import sys
import time

from tests.stack import debian, lifecycle, programs, state
from tests.stack.processes import Process
from tests.stack.stack import SERVERS, DidNotStart, Stack
from tests.stack.unavailable import Unavailable

_HOW = """\
# kubectl
export KUBECONFIG={kubeconfig[admin]}
export PATH={bin}:$PATH
# docker and BuildKit
export DOCKER_HOST={docker[host]}
export BUILDKIT_HOST={buildkitd[address]}
# the store, as this machine's clients are let in
export AWS_ACCESS_KEY_ID={minio[access_key]}
export AWS_SECRET_ACCESS_KEY={minio[secret_key]}

# sendoff.toml
target = "kubernetes"
registry = "{registry[address]}/sendoff"
base = "{images[base]}"
namespace = "{namespace}"
store = "{minio[url]}/{minio[bucket]}"
store-in-cluster = "{minio[url_in_cluster]}/{minio[bucket]}"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stack", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="start it, or what of it has died; prints how to use it")
    verbs.add_parser("status", help="tell how each server is; exit status 1 if one is not well")
    verbs.add_parser("down", help="end what `up` started, and remove its data")
    verbs.add_parser("install", help="only install Debian's packages; never fails")
    verbs.add_parser("build", help="only install and build what tests need; never fails")
    verb = parser.parse_args().verb
    try:
        return _VERBS[verb]()
    except Unavailable as reason:
        return _said(f"the stack can't be had here: {reason}")
    except DidNotStart as failure:
        return _said(str(failure))


def _up() -> int:
    began = time.monotonic()
    stack = lifecycle.up()
    sys.stderr.write(f"up after {time.monotonic() - began:.0f} s; its state: {state.path()}\n")
    sys.stdout.write(_HOW.format(bin=programs.program("kubectl").parent, **stack.known))
    return 0


def _status() -> int:
    stack = Stack.running()
    if stack is None:
        return _said("no stack runs")
    ailments = {name: stack.ailment(name) for name in SERVERS}
    lines = []
    for name, ailment in ailments.items():
        process = stack.process(name)
        pid = process.pid if process else "-"
        lines.append(f"{name:20} {pid:>8}  {ailment or 'well'}\n")
    owner = stack.known["owner"]
    if owner and Process(*owner).alive:
        lines.append(f"tests own it (process {owner[0]}) and will end it\n")
    sys.stdout.write("".join(lines))
    return 1 if any(ailments.values()) else 0


def _down() -> int:
    if not lifecycle.down():
        return _said("no stack runs")
    return 0


def _install() -> int:
    """Tests that miss something are skipped with the reason, so this is no failure of theirs."""
    try:
        debian.install(debian.PACKAGES)
    except Unavailable as reason:
        _said(f"tests that need them are skipped: {reason}")
    return 0


def _build() -> int:
    try:
        lifecycle.prepare()
        programs.build()
    except Unavailable as reason:
        _said(f"tests that need the stack are skipped: {reason}")
    return 0


def _said(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


_VERBS = {"up": _up, "status": _status, "down": _down, "install": _install, "build": _build}

if __name__ == "__main__":
    sys.exit(main())
