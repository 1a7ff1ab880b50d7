"""What the name of a built wheel says, against what was to be built. Pure."""

from __future__ import annotations

from packer.building.errors import SourceUnusable
from packer.building.source import Source


def require(filename: str, source: Source) -> None:
    """See to it that the wheel is of the distribution and the version that are installed.

    A version that a tool reads from a repository may be another where there is none.

    Raises:
        SourceUnusable: it is of others, or its name is that of no wheel.
    """
    from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        name, version, *_ = parse_wheel_filename(filename)
        is_same = name == canonicalize_name(source.name) and version == Version(source.version)
    except (InvalidWheelFilename, InvalidVersion):
        is_same = False
    if not is_same:
        installed = f"{source.name} {source.version} is installed"
        raise SourceUnusable(str(source), f"its backend made {filename}, and {installed}")
