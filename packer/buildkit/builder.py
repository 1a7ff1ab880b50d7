"""One BuildKit: found or made, and asked to build."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

from msgspec.structs import replace

from packer.buildkit import bake_file, failure
from packer.buildkit.address import Address, parse
from packer.buildkit.build import Build, Built
from packer.buildkit.errors import BuilderUnreachable, BuildxMissing, CacheUnsupported
from packer.buildkit.steps import Steps
from packer.digest import Digest
from packer.progress import SILENT, Progress
from packer.workplace import workplace

if TYPE_CHECKING:
    from python_on_whales import DockerClient

_PATIENCE = 5.0
"""Seconds in which a buildkitd that runs takes a connection."""

# bake would ask a person whether it may read folders outside the working directory.
_UNASKED = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
_DIGEST = "containerimage.digest"


class _Files(NamedTuple):
    """What a call of buildx reads and writes."""

    folder: Path

    @property
    def empty(self) -> Path:
        return self.folder / "empty"

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata.json"

    def dockerfile(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.Dockerfile"
        path.write_text(text)
        return path


class Builder:
    """A builder at an address. Making this value costs nothing; it is looked for when first used.

    What sendoff makes of builders lies in a folder of its own: the user's `docker buildx ls` stays
    as it is. Registry logins are those of the docker CLI (`docker login`), as ever with buildx.
    """

    def __init__(self, address: Address, cache: Path) -> None:
        """`cache`: directory for what can be made again."""
        self.address = address
        self._cache = cache
        self._home = cache / "buildx"
        self._ready: DockerClient | None = None

    @classmethod
    def at(cls, text: str, cache: Path) -> Self:
        """The builder at an address as a setting gives it.

        Raises:
            BuilderInvalid
        """
        return cls(parse(text), cache)

    def workplace(self, what: str) -> AbstractContextManager[Path]:
        """A directory for what a build of `what` is given and writes, gone afterwards.

        Raises:
            DiskFull: there is no room for it.
        """
        return workplace(self._cache, what)

    def build(self, build: Build, progress: Progress = SILENT) -> Built:
        """Do one build and wait for it.

        Raises:
            BuilderUnreachable, BuilderDied
            BuildFailed: a step failed; PackageUnknown, SourceImageGone, PublishRefused,
            RegistryUnreached, BuilderUnfit say more.
        """
        try:
            return self._build(build, progress)
        except CacheUnsupported:
            return self._build(replace(build, leaves=False), progress)

    def _build(self, build: Build, progress: Progress) -> Built:
        client = self._client()
        with _files() as files:
            steps = self._watch(_stream(client, self.address.name or None, build, files), progress)
            metadata = json.loads(files.metadata.read_bytes())
        return _built(metadata, steps)

    def bake(self, builds: Mapping[str, Build], progress: Progress = SILENT) -> dict[str, Built]:
        """Do several builds at once; steps that they share are done once. None is kept of a few.

        Names have letters, digits, `-` and `_`.

        Raises:
            BuilderUnreachable, BuilderDied, BuildFailed: as `build`; which is in the step's name.
        """
        try:
            return self._bake(builds, progress)
        except CacheUnsupported:
            alone = {name: replace(each, leaves=False) for name, each in builds.items()}
            return self._bake(alone, progress)

    def _bake(self, builds: Mapping[str, Build], progress: Progress) -> dict[str, Built]:
        client = self._client()
        with _files() as files:
            paths = {name: files.dockerfile(name, each.dockerfile) for name, each in builds.items()}
            definition = files.folder / "docker-bake.json"
            definition.write_bytes(bake_file.render(builds, paths, files.empty))
            lines = client.buildx.bake(
                builder=self.address.name or None,
                files=[definition],
                metadata_file=files.metadata,
                progress=cast("Any", "rawjson"),
                stream_logs=True,
                variables=_UNASKED,
            )
            steps = self._watch(cast("Iterator[str]", lines), progress)
            metadata = json.loads(files.metadata.read_bytes())
        return {name: _built(metadata.get(name, {}), steps) for name in builds}

    def check(self) -> str:
        """Connect, and say which version of BuildKit answers; empty where it does not tell.

        Raises:
            BuilderUnreachable
        """
        from python_on_whales.exceptions import DockerException

        client = self._client()
        try:
            found = client.buildx.inspect(self.address.name or None, bootstrap=True)
        except DockerException as error:
            raise failure.of_client(str(self.address), error.stderr or "") from None
        return next((node.version for node in found.nodes or () if node.version), "")

    def _watch(self, lines: Iterable[str], progress: Progress) -> Steps:
        from python_on_whales.exceptions import DockerException

        steps = Steps(progress)
        try:
            for line in lines:
                steps.feed(line)
        except DockerException as error:
            raise failure.explain(str(self.address), steps, error.stderr or "") from None
        finally:
            steps.close()
        return steps

    def _client(self) -> DockerClient:
        if self._ready is None:
            self._knock()
            self._ready = self._connected()
        return self._ready

    def _connected(self) -> DockerClient:
        from python_on_whales import DockerClient
        from python_on_whales.exceptions import DockerException

        docker = shutil.which("docker")
        if docker is None:
            raise BuildxMissing(str(self.address), "there is no docker CLI on PATH")
        if self.address.driver in {"", "docker"}:
            client = DockerClient(client_call=[docker])
        else:
            client = DockerClient(client_call=["env", *self._environment(), docker])
        try:
            client.buildx.version()
            if self.address.driver not in {"", "docker"}:
                self._make(client)
        except DockerException as error:
            raise failure.of_client(str(self.address), error.stderr or "") from None
        return client

    def _environment(self) -> list[str]:
        """python-on-whales passes its own environment on, so what differs goes in front."""
        self._home.mkdir(parents=True, exist_ok=True)
        found = [f"BUILDX_CONFIG={self._home.resolve()}"]
        if self.address.kubeconfig:
            found.append(f"KUBECONFIG={self.address.kubeconfig}")
        return found

    def _make(self, client: DockerClient) -> None:
        from python_on_whales.exceptions import DockerException

        name = self.address.name
        if (self._home / "instances" / name).exists():
            return
        try:
            client.buildx.create(
                self.address.endpoint or None,
                name=name,
                driver=self.address.driver,
                driver_options=self.address.options,
            )
        except DockerException as error:
            # Another process was quicker.
            if "existing instance" not in (error.stderr or ""):
                raise

    def _knock(self) -> None:
        """Find out at once whether a buildkitd is there: buildx would wait for 20 s.

        Raises:
            BuilderUnreachable
        """
        parts = urlsplit(self.address.endpoint)
        try:
            if parts.scheme == "unix":
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.settimeout(_PATIENCE)
                    probe.connect(parts.path)
            elif parts.scheme == "tcp":
                place = (parts.hostname or "", parts.port or 0)
                socket.create_connection(place, _PATIENCE).close()
        except OSError as error:
            said = os.strerror(error.errno) if error.errno else str(error)
            raise BuilderUnreachable(str(self.address), said) from None


def _stream(
    client: DockerClient, builder: str | None, build: Build, files: _Files
) -> Iterator[str]:
    fields = build.output.fields if build.output else {"type": "cacheonly"}
    for each in (fields, build.cache_to):
        if any("," in value for value in each.values()):
            # python-on-whales joins fields with commas and quotes none.
            raise ValueError(f"a comma in {each}")
    lines = client.buildx.build(
        build.context or files.empty,
        build_args=build.arguments,
        build_contexts=cast("Any", build.contexts),
        builder=builder,
        cache=not build.fresh,
        cache_from=build.cache_from or None,
        cache_to=build.cache_to or None,
        file=files.dockerfile("build", build.dockerfile),
        metadata_file=files.metadata,
        output=fields,
        platforms=[build.platform] if build.platform else None,
        progress=cast("Any", "rawjson"),
        # Attestations make a digest random by design.
        provenance=False,
        sbom=False,
        secrets=[bake_file.secret(each) for each in build.secrets],
        tags=list(build.tags),
        target=build.target or None,
        stream_logs=True,
    )
    return cast("Iterator[str]", lines)


def _built(metadata: dict[str, Any], steps: Steps) -> Built:
    digest = metadata.get(_DIGEST)
    return Built(digest=Digest(digest) if digest else None, metadata=metadata, steps=steps.done)


@contextmanager
def _files() -> Iterator[_Files]:
    with tempfile.TemporaryDirectory(prefix="sendoff-build-") as folder:
        files = _Files(Path(folder))
        files.empty.mkdir()
        yield files
