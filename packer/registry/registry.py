"""The registry that images go to, and those that base images come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packer.digest import Digest
from packer.progress import SILENT, Progress
from packer.registry.access import Access
from packer.registry.reference import Reference, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packer.images.base import Base
    from packer.images.descriptor import Descriptor
    from packer.layers.layer import Layer
    from packer.registry.artifact import Artifact, Referrer
    from packer.registry.client import Client, Manifest
    from packer.registry.pull import Pull
    from packer.registry.push_request import Pushed, PushRequest
    from packer.registry.shared_layers import RegistryLayers


class Registry:
    """One repository, where environment and run images lie side by side.

    Making one costs nothing; connections and tokens are this process's and stay warm. What every
    method may raise is in packer/registry/errors.py.
    """

    def __init__(self, repository: Repository, access: Access, cache: Path) -> None:
        """`cache`: directory for what can be found out again."""
        self.repository, self._access, self._cache = repository, access, cache

    @property
    def place(self) -> str:
        """For people: the repository."""
        return str(self.repository)

    def warm(self) -> None:
        """Load what a push needs, connect and log in, in a thread beside what comes before."""
        import threading

        def ahead() -> None:
            from packer.registry import push  # noqa: F401 - loaded for later

            client = self._client(writes=True)
            client.server.greet(client.scope)

        threading.Thread(target=ahead, name="registry", daemon=True).start()

    def push(self, request: PushRequest, progress: Progress = SILENT) -> Pushed:
        """Have images of a layout here: blobs that are missing, then manifests and tags.

        Raises:
            RegistryAuth, RegistryUnreachable, RegistryReadOnly, PushInterrupted, RegistryRefused …
            BlobMissing, BlobAltered: the layout does not hold what the manifests name.
        """
        from packer.registry.known import KnownBlobs
        from packer.registry.push import Push

        sources = {each.source: self._client(each.source) for each in request.base}
        known = KnownBlobs(self._cache, self.repository)
        client = self._client(writes=True)
        return Push(request, client, sources, known, progress).run(self._access.at_once)

    def layers(self, layout: Path, base: Sequence[Digest]) -> RegistryLayers:
        """The layers that environments above `base` have here; new ones come from `layout`."""
        from packer.registry.shared_layers import RegistryLayers

        return RegistryLayers(lambda: self._client(writes=True), self._cache, layout, base)

    def has(self, target: str) -> Digest | None:
        """The digest of the image that a digest or a tag names here; None where there is none."""
        return self._client().find_manifest(target)

    def manifest(self, target: str) -> Manifest:
        """The manifest that a digest or a tag names here.

        Raises:
            DigestGone, AnswerAltered
        """
        return self._client().manifest(target)

    def base(self, name: str, platform: str) -> Base:
        """The base image of that name (from any registry) for a platform.

        Raises:
            ReferenceInvalid, BaseUnknown, PlatformMissing, AnswerAltered, AnswerUnreadable
        """
        reference, pull = self._pull(name)
        return pull.base(reference, platform)

    def remembered_base(self, name: str, platform: str) -> Base | None:
        """The base image of that name as it was when it was looked up last; None for never.

        Raises:
            As `base`.
        """
        reference, pull = self._pull(name)
        return pull.remembered(reference, platform)

    def blob(self, blob: Descriptor) -> Iterator[bytes]:
        """The content of a blob, verified once it was all given.

        Raises:
            DigestGone, AnswerAltered
        """
        return self._client().blob(blob)

    def attach(self, subject: Digest, documents: Sequence[Artifact]) -> tuple[Referrer, ...]:
        """Have documents refer to an image that is here; its own manifest stays as it is.

        Raises:
            DigestGone, ReferrersContended, RegistryReadOnly …
        """
        from packer.registry import referrers

        return referrers.attach(self._client(writes=True), subject, documents)

    def attach_all(self, documents: Mapping[Digest, Sequence[Artifact]]) -> None:
        """Have documents refer to many images, several at a time; what is there already stays.

        Raises:
            As `attach`; the first error ends all.
        """
        from concurrent.futures import ThreadPoolExecutor

        from packer.registry import referrers

        client = self._client(writes=True)

        def attach(pair: tuple[Digest, Sequence[Artifact]]) -> None:
            referrers.attach(client, *pair)

        if len(documents) == 1:
            attach(*documents.items())
            return
        with ThreadPoolExecutor(self._access.at_once) as pool:
            try:
                for _ in pool.map(attach, documents.items()):
                    pass
            except BaseException:
                client.patience.end()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def referrers(self, subject: Digest, kind: str = "") -> tuple[Referrer, ...]:
        """What refers to an image: all, or what has one artifact type.

        Raises:
            AnswerUnreadable …
        """
        from packer.registry import referrers

        return referrers.find(self._client(), subject, kind)

    def document(self, referrer: Referrer) -> bytes:
        """The document of a referrer.

        Raises:
            DigestGone, AnswerAltered, AnswerUnreadable …
        """
        from packer.registry import referrers

        return referrers.read(self._client(), referrer)

    def tags(self) -> list[str]:
        """Every tag of this repository, none where that does not exist yet."""
        return list(self._client().tags())

    def adopt(self, base: Base, tag: str, progress: Progress = SILENT) -> Pushed:
        """Have a base image that was read here as well, under its digest and `tag`.

        Its layers are taken over by the registry where it is the same one, else copied.

        Raises:
            As `push`.
        """
        from packer.registry import adoption

        return self.push(adoption.request(base, self.repository, self._cache, tag), progress)

    def stack(
        self, base: Base, layers: Sequence[Layer], tag: str, progress: Progress = SILENT
    ) -> Base:
        """The image of `base` and layers of this repository above it, made here, as a base.

        Raises:
            As `push`.
        """
        from packer.registry import adoption

        stacked = adoption.stacked(base, layers, self.repository, self._cache)
        self.push(adoption.request(stacked, self.repository, self._cache, tag, base), progress)
        return stacked

    def rebase(self, made: Base, base: Base, tag: str, progress: Progress = SILENT) -> Base:
        """`made`, which is here, under `tag` with the layers of `base` in the place of its lowest.

        Those have to hold the same files, compressed in whatever way.

        Raises:
            As `push`; DigestGone: `made` is not here.
        """
        from packer.registry import adoption

        own = self.manifest(made.digest).data
        found = adoption.rebased(made, base, own, self._cache)
        self.push(adoption.request(found, self.repository, self._cache, tag, base), progress)
        return found

    def check(self) -> None:
        """Find out whether pushing is allowed: begin an upload, and take it back.

        Raises:
            RegistryAuth, RegistryReadOnly, RegistryUnreachable, RegistryUntrusted …
        """
        from packer.registry.upload import probe

        probe(self._client(writes=True))

    def _pull(self, name: str) -> tuple[Reference, Pull]:
        from packer.registry.pull import Pull

        reference = Reference.parse(name)
        return reference, Pull(self._client(reference.repository), self._cache)

    def _client(self, repository: Repository | None = None, *, writes: bool = False) -> Client:
        from packer.registry.client import Client

        repository = repository or self.repository
        own = repository.host == self.repository.host
        return Client(repository, self._access, own=own, writes=writes)
