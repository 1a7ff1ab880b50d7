"""The lock: an environment resolved for a target, independent of any machine.

A lock is a value. Where its bytes can be had on this machine is said by `Materials`.
"""

from __future__ import annotations

from pathlib import Path

from packer.record import Record


class WheelPin(Record, frozen=True, tag="wheel"):
    """A distribution that arrives as a wheel."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    filename: str
    sha256: str
    """64 hex digits."""
    size: int
    url: str = ""
    """Without credentials; empty for a wheel that was a local file."""


class PinnedFile(Record, frozen=True):
    """One file below the environment's prefix."""

    path: str
    """Relative to `image_paths.PREFIX`, such as "lib/python3.11/site-packages/six.py"."""
    size: int
    sha256: str
    executable: bool = False


class FilesPin(Record, frozen=True, tag="files"):
    """A distribution that arrives as files: of the sandbox, or made from what it says."""

    name: str
    version: str
    files: tuple[PinnedFile, ...]
    """Sorted by path."""
    origin: str
    """Where it came from and why no wheel serves: "git+https://…@<commit>", "editable src", …"""


class Lock(Record, frozen=True):
    """Everything that makes an environment image, the base aside."""

    python: str
    """The sandbox's full Python version; its minor is the target's."""
    platform: str
    """OCI platform: "linux/amd64"."""
    wheels: tuple[WheelPin, ...]
    """Sorted by name."""
    files: tuple[FilesPin, ...] = ()
    """Distributions without a wheel, sorted by name."""
    overlay: tuple[PinnedFile, ...] = ()
    """Modified files and files of no distribution, laid over all others; sorted by path."""
    removed: tuple[str, ...] = ()
    """Files that a wheel holds and the sandbox has deleted; left out of that wheel's layer."""

    @property
    def minor(self) -> str:
        """The Python minor: "3.11"."""
        return ".".join(self.python.split(".")[:2])


class Materials(Record, frozen=True):
    """Where the bytes of a lock are on this machine; `sha256` hex → a file or the content."""

    wheels: dict[str, Path]
    files: dict[str, Path | bytes]
