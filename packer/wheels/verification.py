"""Whether a file on this machine is the wheel that is pinned."""

from __future__ import annotations

from pathlib import Path

from packer.digest import Digest
from packer.environment.lock import WheelPin
from packer.wheels.errors import WheelHashMismatch


def verify(pin: WheelPin, path: Path) -> None:
    """See to it that the file at `path` is the wheel.

    Raises:
        WheelHashMismatch
    """
    actual = Digest.of_file(path).hex
    if actual != pin.sha256:
        raise WheelHashMismatch(pin.filename, pin.sha256, actual, str(path))


def require(pin: WheelPin, path: Path) -> None:
    """As `verify`; a file that is another goes, so that the next who asks has it fetched anew.

    Raises:
        WheelHashMismatch
    """
    try:
        verify(pin, path)
    except WheelHashMismatch:
        path.unlink(missing_ok=True)
        raise
