"""The lock: an environment resolved for a target, independent of any machine.

A lock is a value. `packer.environment.materials` says where its bytes can be had on this machine.
"""

from __future__ import annotations

from msgspec.structs import replace

from packer.building.source import Source
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
    """Without credentials; empty for a wheel that was a local file or was built."""
    built: Recipe | None = None
    """How it was built; None for one that was not."""


class Recipe(Record, frozen=True):
    """What a wheel was built from, and with what."""

    source: Source
    packages: tuple[str, ...] = ()
    """Debian packages that were installed for it."""
    requirements: tuple[WheelPin, ...] = ()
    """The wheels of its build environment, sorted by name."""


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


def essence(lock: Lock) -> Lock:
    """The lock less what does not decide an image: where bytes came from on this machine."""
    return replace(
        lock,
        wheels=tuple(replace(pin, url="", built=None) for pin in lock.wheels),
        files=tuple(replace(pin, origin="") for pin in lock.files),
    )
