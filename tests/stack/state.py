"""The state file: one JSON document that says what runs and how to reach it.

Written before the first server starts and after each, so that a killed `up` can be ended too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.stack import places
from tests.stack.processes import Process
from tests.stack.site import BUCKET, NAMESPACE, NODE, REGION, Site

FORMAT = "sendoff.stack/1"


def read() -> dict[str, Any] | None:
    """The state of the stack that was started last and not ended, if any."""
    try:
        value: dict[str, Any] = json.loads(path().read_text())
    except FileNotFoundError:
        return None
    return value if value.get("format") == FORMAT else None


def write(value: Mapping[str, Any]) -> None:
    places.STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path().with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(value, indent=1))
    unfinished.replace(path())


def remove() -> None:
    path().unlink(missing_ok=True)


def path() -> Path:
    """Where the state file is."""
    return places.STATE / "stack.json"


def initial(site: Site, owner: Process | None) -> dict[str, Any]:
    """The state of a stack of which nothing runs yet.

    `owner` is the process at whose end the stack is ended too, if it is.
    """
    return {
        "format": FORMAT,
        "complete": False,
        "owner": [owner.pid, owner.started] if owner else None,
        "site": site.to_json(),
        "servers": {},
        "directory": str(site.directory),
        "api": {
            "url": f"https://{site.local('apiserver')}",
            "ca": str(site.ca),
            "audit_log": str(site.audit_log),
        },
        "kubeconfig": {
            "admin": str(site.kubeconfig("admin")),
            "researcher": str(site.kubeconfig("researcher")),
        },
        "tokens": {user: site.tokens[user] for user in ("admin", "researcher")},
        "namespace": NAMESPACE,
        "node": NODE,
        "registry": {"address": site.registry, "url": f"http://{site.registry}"},
        "images": {},
        "minio": {
            "url": f"http://{site.local('minio')}",
            "url_in_cluster": f"http://{site.gateway}:{site.ports['minio']}",
            "access_key": "admin",
            "secret_key": site.store_secret,
            "region": REGION,
            "bucket": BUCKET,
        },
        "containerd": {"socket": str(site.containerd_socket)},
        "buildkitd": {"address": f"unix://{site.buildkit_socket}"},
        "docker": {"host": f"unix://{site.docker_socket}"},
        "network": {"bridge": site.bridge, "gateway": site.gateway, "subnet": site.subnet},
    }
