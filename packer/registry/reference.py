"""How images in registries are named: a host, a path in it, and a tag or a digest.

The grammar is that of the distribution-spec, "Pulling manifests"; that a name without a host means
Docker Hub is the docker client's own rule.
"""

from __future__ import annotations

import re
from typing import Self

from packer.digest import Digest
from packer.record import Record
from packer.registry.errors import ReferenceInvalid

_HUB = "docker.io"
_HUB_SERVER = "registry-1.docker.io"
_HOST = re.compile(
    r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_LOOPBACK = re.compile(r"(?:(?:.+\.)?localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?")
_LONGEST = 255


class Repository(Record, frozen=True):
    """Where in which registry images are: `registry.example.com:5000/team/project`."""

    host: str
    """With its port, where that is not the usual one."""
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The repository of that name, which begins with its host.

        Raises:
            ReferenceInvalid
        """
        host, slash, path = text.partition("/")
        if not slash or not is_host(host):
            raise ReferenceInvalid(text, "it does not begin with a registry's host")
        return cls._checked(text, host, path)

    @classmethod
    def _checked(cls, text: str, host: str, path: str) -> Self:
        if not _HOST.fullmatch(host):
            raise ReferenceInvalid(text, f"{host!r} is no host")
        if not _PATH.fullmatch(path) or len(host) + 1 + len(path) > _LONGEST:
            raise ReferenceInvalid(
                text, f"{path!r} is no path: lower-case letters and digits, with . _ - / between"
            )
        return cls(host=host, path=path)

    @property
    def server(self) -> str:
        """The host that answers for `host`."""
        return _HUB_SERVER if self.host == _HUB else self.host

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


class Reference(Record, frozen=True):
    """An image: by its digest where there is one, else by a tag, which may move."""

    repository: Repository
    tag: str = ""
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The image of that name: `python:3.12`, `host/path@sha256:…`; no tag means `latest`.

        Raises:
            ReferenceInvalid
        """
        name, _, digest = text.partition("@")
        before, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            before, tag = name, "" if digest else "latest"
        elif not is_tag(tag):
            raise ReferenceInvalid(text, f"{tag!r} is no tag")
        try:
            known = Digest(digest) if digest or "@" in text else None
        except ValueError:
            raise ReferenceInvalid(text, f"{digest!r} is no sha256 digest") from None
        return cls(repository=_familiar(text, before), tag=tag, digest=known)

    @property
    def target(self) -> str:
        """What asks for exactly this image: the digest before the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def is_host(text: str) -> bool:
    """Whether the first part of a name is a host and not a folder of Docker Hub."""
    return text == "localhost" or "." in text or ":" in text


def is_tag(text: str) -> bool:
    """Whether `text` may be a tag."""
    return bool(_TAG.fullmatch(text))


def is_loopback(server: str) -> bool:
    """Whether a host, with or without a port, is this machine itself."""
    return bool(_LOOPBACK.fullmatch(server))


def _familiar(text: str, name: str) -> Repository:
    first, slash, rest = name.partition("/")
    if slash and is_host(first):
        return Repository._checked(text, first, rest)  # noqa: SLF001 - same grammar
    return Repository._checked(text, _HUB, name if slash else f"library/{name}")  # noqa: SLF001
