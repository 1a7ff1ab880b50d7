"""Images made here, of one layer each, and their push to the stack's registry.

Plain HTTP and the standard library alone: what the tests test must not prepare their ground.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CHUNK = 1 << 20


class PushFailed(Exception):
    """The registry answered something else than it should."""


@dataclass(frozen=True)
class Image:
    """One gzip'd layer, by path, and the image's config (OCI image-spec, config.md)."""

    layer: Path
    diff_id: str
    """Digest of the uncompressed layer."""
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> bytes:
        return _json(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": dict(self.configuration),
                "rootfs": {"type": "layers", "diff_ids": [self.diff_id]},
            }
        )

    @property
    def manifest(self) -> bytes:
        layer = {
            "mediaType": _LAYER,
            "digest": file_digest(self.layer),
            "size": self.layer.stat().st_size,
        }
        config = {"mediaType": _CONFIG, "digest": _digest(self.config), "size": len(self.config)}
        return _json(
            {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]}
        )


def compressed(tar: Path, layer: Path) -> str:
    """Write `tar` gzip'd, always to the same bytes; the digest of what went in."""
    digest = hashlib.sha256()
    with (
        tar.open("rb") as source,
        layer.open("wb") as raw,
        # Names and times in gzip's header would change the layer's digest with every build.
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as target,
    ):
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def push(image: Image, registry: str, repository: str, tag: str) -> str:
    """Push to the registry at HOST:PORT and return the manifest's digest.

    Raises:
        PushFailed: see the class.
    """
    connection = http.client.HTTPConnection(registry, timeout=60)
    try:
        _push_blob(connection, repository, file_digest(image.layer), image.layer.read_bytes())
        _push_blob(connection, repository, _digest(image.config), image.config)
        path = f"/v2/{repository}/manifests/{tag}"
        kind = {"Content-Type": _MANIFEST}
        _ask(connection, "PUT", path, expected=201, body=image.manifest, headers=kind)
    finally:
        connection.close()
    return _digest(image.manifest)


def _push_blob(
    connection: http.client.HTTPConnection, repository: str, digest: str, data: bytes
) -> None:
    """Distribution specification, "Pushing a blob monolithically": POST, then PUT."""
    place = _ask(connection, "POST", f"/v2/{repository}/blobs/uploads/", expected=202)
    parameter = "&" if "?" in place else "?"
    headers = {"Content-Type": "application/octet-stream"}
    url = f"{place}{parameter}digest={digest}"
    _ask(connection, "PUT", url, expected=201, body=data, headers=headers)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    *,
    expected: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> str:
    """The Location of the answer, which must have the status `expected`."""
    connection.request(method, url, body, dict(headers or {}))
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    if answer.status != expected:
        raise PushFailed(f"{method} {url}: HTTP {answer.status} {text}")
    return answer.headers.get("Location", "")


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
