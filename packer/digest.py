"""Content digests: the identity of every blob, layer, manifest and snapshot."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Self

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


class Digest(str):
    """`sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests").

    A tag is a plain `str`; only what has this type names content.

    Raises:
        ValueError: the text is not a sha256 digest.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _SHA256.fullmatch(text):
            raise ValueError(f"not a sha256 digest: {text!r}")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The digest of `data`."""
        return cls("sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The digest of a file's content.

        Raises:
            OSError
        """
        with path.open("rb") as stream:
            return cls.from_hex(hashlib.file_digest(stream, "sha256").hexdigest())

    @classmethod
    def from_hex(cls, hexdigits: str) -> Self:
        """The digest with these 64 hex digits."""
        return cls("sha256:" + hexdigits)

    @property
    def hex(self) -> str:
        """The 64 hex digits, without the algorithm."""
        return self[7:]

    @property
    def short(self) -> str:
        """Enough of it for a person to tell two apart: `sha256:` and 12 digits."""
        return self[:19]
