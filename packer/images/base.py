"""A base image, as run images are made upon it."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from packer.digest import Digest
from packer.image_paths import SYSTEM_PATH
from packer.images.errors import BaseUnusable
from packer.layers.layer import Layer
from packer.record import Record

PYTHON_LABEL = "io.sendoff.base.python"
"""In-image path of the interpreter that environments are for."""
VERSION_LABEL = "io.sendoff.base.python-version"
NAME_LABEL = "io.sendoff.base.name"
"""What the catalogue calls it."""
CUDA_LABEL = "io.sendoff.base.cuda"
DRIVER_LABEL = "io.sendoff.base.driver"
GLIBC_LABEL = "io.sendoff.base.glibc"

_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")

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
    def cuda(self) -> str:
        """The CUDA line whose compiler it has, such as "13.0"; empty where it tells of none."""
        return self._numbers(CUDA_LABEL)

    @property
    def driver(self) -> str:
        """The oldest GPU driver that it is of use with, such as "580.65.06"; empty for any."""
        return self._numbers(DRIVER_LABEL)

    @property
    def glibc(self) -> str:
        """The version of its C library, such as "2.36"; empty where it does not tell."""
        return self._numbers(GLIBC_LABEL)

    @property
    def title(self) -> str:
        """What the catalogue calls it, or where it is."""
        return self.labels.get(NAME_LABEL) or f"{self.repository}@{self.digest}"

    def _numbers(self, label: str) -> str:
        found = self.labels.get(label, "")
        return found if _NUMBERS.fullmatch(found) else ""

    @property
    def path(self) -> str:
        """Its `PATH`."""
        return self.environment.get("PATH", SYSTEM_PATH)


def of(
    repository: str, digest: Digest, platform: str, layers: tuple[Layer, ...], settings: Any
) -> Base:
    """The base that an image is, by the "config" of its image config (image-spec, config.md).

    Raises:
        BaseUnusable: it does not say where its Python is.
    """
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
    return Base(
        digest=digest,
        repository=repository,
        platform=platform,
        layers=layers,
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
