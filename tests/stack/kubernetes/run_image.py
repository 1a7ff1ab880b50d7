"""An image that a pod can run: the stack's base, the runner, and a few project files."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import io
import json
import os
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatcher.runner_tree import runner_tree
from packer.digest import Digest
from packer.image_paths import PREFIX, RUNNER, WORKSPACE, site_packages

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_LIBRARIES = ("minio", "urllib3", "certifi", "typing_extensions.py")
REPOSITORY = "sendoff/tests"


class Registry:
    """As much of the distribution specification as a push of small blobs takes."""

    def __init__(self, address: str, login: str = "") -> None:
        """`login`: "user:password"; empty where none is wanted."""
        self.address = address
        basic = base64.b64encode(login.encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}"} if login else {}

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def blob(self, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        status, headers, _ = self.ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/")
        assert status == 202
        place = headers["Location"]
        url = place + ("&" if "?" in place else "?") + f"digest={digest}"
        kind = {"Content-Type": "application/octet-stream"}
        assert self.ask("PUT", url, data, kind)[0] == 201
        return {"digest": digest, "size": len(data)}

    def mount(self, digest: str, source: str) -> None:
        path = f"/v2/{REPOSITORY}/blobs/uploads/?mount={digest}&from={source}"
        assert self.ask("POST", path)[0] == 201

    def manifest(self, document: dict[str, Any], tag: str) -> Digest:
        data = json.dumps(document).encode()
        kind = {"Content-Type": _MANIFEST}
        assert self.ask("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", data, kind)[0] == 201
        return Digest.of(data)


def push(known: Mapping[str, Any], files: Mapping[str, str], tag: str = "test") -> Digest:
    """Push base + runner + these project files; the digest by which nodes pull it."""
    registry = Registry(known["registry"]["address"])
    name, _, digest = known["images"]["base"].partition("@")
    repository = name.partition("/")[2]
    _, _, body = registry.ask(
        "GET", f"/v2/{repository}/manifests/{digest}", headers={"Accept": _MANIFEST}
    )
    base = json.loads(body)
    _, _, body = registry.ask("GET", f"/v2/{repository}/blobs/{base['config']['digest']}")
    config = json.loads(body)
    for layer in base["layers"]:
        registry.mount(layer["digest"], repository)
    layers = list(base["layers"])
    for content in (
        _runner(),
        {f"{WORKSPACE}/{path}": text.encode() for path, text in files.items()},
    ):
        data = archive(content, links={f"{PREFIX}/bin/python": "/usr/bin/python3"})
        layers.append({"mediaType": _LAYER, **registry.blob(gzip.compress(data, 1, mtime=0))})
        config["rootfs"]["diff_ids"].append(diff_id(data))
    config["config"]["WorkingDir"] = WORKSPACE
    config["config"]["Env"] = [f"PATH={PREFIX}/bin:/usr/local/bin:/usr/bin:/bin"]
    made = registry.blob(json.dumps(config).encode())
    kind = "application/vnd.oci.image.config.v1+json"
    document = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": {"mediaType": kind, **made}}
    return registry.manifest({**document, "layers": layers}, tag)


def copy(known: Mapping[str, Any], digest: Digest, to: Registry) -> Digest:
    """Push an image of the stack's registry to another one, with a digest that no node knows."""
    source = Registry(known["registry"]["address"])

    def read(path: str) -> bytes:
        return source.ask("GET", f"/v2/{REPOSITORY}/{path}", headers={"Accept": _MANIFEST})[2]

    document = json.loads(read(f"manifests/{digest}"))
    for layer in document["layers"]:
        to.blob(read(f"blobs/{layer['digest']}"))
    config = json.loads(read(f"blobs/{document['config']['digest']}"))
    config["config"]["Labels"] = {"copy": os.urandom(8).hex()}
    document["config"] |= to.blob(json.dumps(config).encode())
    return to.manifest(document, "copy")


def _runner() -> dict[str, bytes]:
    site = Path(sysconfig.get_path("purelib"))
    found = dict(runner_tree())
    for name in _LIBRARIES:
        top = site / name
        for path in [top] if top.is_file() else top.rglob("*"):
            if path.suffix in (".py", ".pem"):
                below = path.relative_to(site)
                found[f"{RUNNER}/{site_packages('3.11')}/{below}"] = path.read_bytes()
    return found


def archive(content: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A tar of these files and symbolic links, by absolute in-image paths."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for path, data in sorted(content.items()):
            entry = tarfile.TarInfo(path[1:])
            entry.size, entry.mode = len(data), 0o644
            made.addfile(entry, io.BytesIO(data))
        for path, target in (links or {}).items():
            link = tarfile.TarInfo(path[1:])
            link.type, link.linkname = tarfile.SYMTYPE, target
            made.addfile(link)
    return buffer.getvalue()


def diff_id(layer: bytes) -> str:
    return f"sha256:{hashlib.sha256(layer).hexdigest()}"


if __name__ == "__main__":
    from tests.stack.stack import Stack

    sys.stdout.write(push(Stack.running().known, {"main.py": "print('hello')"}) + "\n")
