"""A namespace of one's own on the stack, as `sendoff init --manifests` would set it up."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from dispatcher.kubernetes import manifests
from dispatcher.kubernetes.manifests import Tenancy
from tests.stack.stack import Stack


@contextmanager
def tenancy(stack: Stack, prefix: str, *, quota: bool = True) -> Iterator[str]:
    """A new namespace in which `researcher` has the least Role, and no right beside it."""
    name = f"{prefix}-{os.urandom(4).hex()}"
    made = manifests.render(Tenancy(namespace=name, subject="researcher", kind="User"))
    objects = [each for each in made if quota or each["kind"] != "ResourceQuota"]
    listed = json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
    stack.kubectl("apply", "-f", "-", stdin=listed)
    try:
        yield name
    finally:
        stack.kubectl("delete", "namespace", name, "--wait=false")
        for kind in ("clusterrole", "clusterrolebinding"):
            stack.kubectl("delete", kind, f"sendoff-{name}")
