"""A base image, as run images are made upon it: pure functions of its manifest and config."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from packer.digest import Digest
from packer.image_paths import SYSTEM_PATH
from packer.images.errors import BaseUnusable
from packer.layers.layer import MEDIA_TYPE, Layer
from packer.record import Record

PYTHON_LABEL = "io.sendoff.base.python"
"""In-image path of the interpreter that environments are for."""
VERSION_LABEL = "io.sendoff.base.python-version"

_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# The official `python` images say which they have, and put it here.
_VERSION_VARIABLE = "PYTHON_VERSION"
_OFFICIAL_PYTHON = "/usr/local/bin/python"


class Base(Record, frozen=True):
    """What brings operating system and interpreter."""

    digest: Digest
    """Of the manifest for one platform."""
    repository: str
    """Where its layers can be had: "registry.example/base/cpu"."""
    platform: str
    """OCI platform: "linux/amd64"."""
    layers: tuple[Layer, ...]
    """The lowest first."""
    python: str
    """In-image path of the interpreter."""
    python_version: str
    """Such as "3.11.2"."""
    environment: dict[str, str] = {}
    user: str = ""
    """As in the config: a name or number, perhaps with a group; empty for root."""
    labels: dict[str, str] = {}

    @property
    def minor(self) -> str:
        """The Python minor: "3.11"."""
        return ".".join(self.python_version.split(".")[:2])

    @property
    def path(self) -> str:
        """Its `PATH`."""
        return self.environment.get("PATH", SYSTEM_PATH)


def read(repository: str, manifest: bytes, config: bytes) -> Base:
    """The base image with these two blobs (OCI image-spec, manifest.md and config.md).

    Raises:
        BaseUnusable: it does not say where its Python is, or is no image.
    """
    digest = Digest.of(manifest)
    name = f"{repository}@{digest}"
    try:
        return _read(repository, digest, json.loads(manifest), json.loads(config))
    except (ValueError, KeyError, TypeError) as error:
        raise BaseUnusable(name, f"its config is not an image's: {error}") from error


def _read(repository: str, digest: Digest, manifest: Any, config: Any) -> Base:
    settings: dict[str, Any] = config.get("config") or {}
    labels: dict[str, str] = settings.get("Labels") or {}
    pairs = (entry.partition("=") for entry in settings.get("Env") or ())
    environment = {name: value for name, _, value in pairs}
    python, version = _python(labels, environment)
    if not python or not version:
        raise BaseUnusable(
            f"{repository}@{digest}",
            "it does not say where its Python is",
            f"label it: --label {PYTHON_LABEL}=/usr/bin/python3.11 --label {VERSION_LABEL}=3.11.2",
        )
    parts = [config["os"], config["architecture"], config.get("variant", "")]
    return Base(
        digest=digest,
        repository=repository,
        platform="/".join(filter(None, parts)),
        layers=tuple(
            Layer(
                digest=Digest(layer["digest"]),
                diff_id=Digest(diff_id),
                size=layer["size"],
                media_type=MEDIA_TYPE
                if layer["mediaType"] == _DOCKER_LAYER
                else layer["mediaType"],
            )
            for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True)
        ),
        python=python,
        python_version=version,
        environment=environment,
        user=settings.get("User") or "",
        labels=labels,
    )


def _python(labels: dict[str, str], environment: dict[str, str]) -> tuple[str, str]:
    if PYTHON_LABEL in labels:
        return posixpath.normpath(labels[PYTHON_LABEL]), labels.get(VERSION_LABEL, "")
    version = environment.get(_VERSION_VARIABLE, "")
    return _OFFICIAL_PYTHON + ".".join(version.split(".")[:2]), version
