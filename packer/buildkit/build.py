"""What BuildKit is asked for, and what comes of it: values."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from packer.digest import Digest
from packer.record import Record

Compression = Literal["gzip", "zstd"]


class Secret(Record, frozen=True):
    """Something that steps may read while they run and that is in no layer."""

    name: str
    """Its id in the Dockerfile: `RUN --mount=type=secret,id=NAME,env=NAME`."""
    variable: str = ""
    """The environment variable here that has the value."""
    file: Path | None = None
    """Or the file."""


class Output(Record, frozen=True):
    """Where the result goes: buildx's `--output`, field by field."""

    fields: dict[str, str]

    @classmethod
    def pushed(cls, name: str, *, compression: Compression = "gzip", **fields: str) -> Self:
        """An OCI image pushed to a registry as `name`, "host/path:tag"."""
        image = {"type": "image", "name": name, "push": "true", "oci-mediatypes": "true"}
        return cls(fields={**image, "compression": compression, **fields})

    @classmethod
    def layout(cls, folder: Path, *, compression: Compression = "gzip", **fields: str) -> Self:
        """An OCI image layout, written below `folder`."""
        image = {"type": "oci", "dest": str(folder), "tar": "false", "oci-mediatypes": "true"}
        return cls(fields={**image, "compression": compression, **fields})

    @classmethod
    def files(cls, folder: Path) -> Self:
        """The files of the result, written below `folder`."""
        return cls(fields={"type": "local", "dest": str(folder)})


class Build(Record, frozen=True):
    """One build."""

    dockerfile: str
    """Its text."""
    output: Output | None = None
    """None keeps the result in the builder's cache."""
    context: Path | None = None
    """The directory that `COPY` takes from; None for an empty one."""
    contexts: dict[str, str] = {}
    """Named ones: a directory, or "docker-image://REFERENCE"."""
    target: str = ""
    """The stage to build; empty for the last."""
    arguments: dict[str, str] = {}
    secrets: tuple[Secret, ...] = ()
    platform: str = ""
    """OCI platform; empty for the builder's own."""
    tags: tuple[str, ...] = ()
    cache: str = ""
    """Where results of steps are found and left: "registry.example/cache:wheel-0123"."""
    leaves: bool = True
    """Whether they are left there, not only found."""
    fresh: bool = False
    """Whether steps are run although their results are known."""

    @property
    def cache_from(self) -> dict[str, str]:
        """Whence known results come: buildx's `--cache-from`, field by field."""
        known = self.cache and not self.fresh
        return {"type": "registry", "ref": self.cache} if known else {}

    @property
    def cache_to(self) -> dict[str, str]:
        """Where all steps' results go: `--cache-to`. Nothing breaks where it takes none."""
        if not (self.cache and self.leaves):
            return {}
        place = {"type": "registry", "ref": self.cache}
        return {**place, "mode": "max", "ignore-error": "true"}


def cache_reference(repository: str, what: str, key: Digest) -> str:
    """Where a build's cache is in a repository for all; empty where there is none.

    A later build leaves its own in place of an earlier one's, so each has its name.
    """
    if not repository:
        return ""
    joint = "-" if ":" in repository.rpartition("/")[2] else ":"
    return f"{repository}{joint}{what}-{key.hex[:16]}"


class Step(Record, frozen=True):
    """One step of a build, as BuildKit tells it."""

    name: str
    """Such as "[build 2/3] RUN make"."""
    seconds: float = 0
    cached: bool = False


class Built(Record, frozen=True):
    """What came of a build."""

    digest: Digest | None
    """Of the image's manifest, or its index; None where the result is no image."""
    metadata: dict[str, object]
    """What buildx's `--metadata-file` has."""
    steps: tuple[Step, ...] = ()
    """Those that were done, in the order in which they ended."""
