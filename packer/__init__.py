"""Project and environment → image digest. A library that can be used alone.

    from packer.pack import pack
    from packer.pack_request import PackRequest

    packed = pack(PackRequest(project=Path("."), layout=Path("images"), cache=Path("cache")))
    packed.images  # one manifest digest for each command

Names of this package are loaded when they are first used.
"""

from __future__ import annotations

# Not from typing: a supervisor imports this package, and typing costs more than all it needs of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from packer.digest import Digest as Digest
    from packer.errors import SendoffError as SendoffError
    from packer.explain import Explanation as Explanation
    from packer.images.layout import Layout as Layout
    from packer.pack_request import Command as Command
    from packer.pack_request import PackRequest as PackRequest
    from packer.packed import Packed as Packed

_HOMES = {
    "Command": "packer.pack_request",
    "Digest": "packer.digest",
    "Explanation": "packer.explain",
    "Layout": "packer.images.layout",
    "PackRequest": "packer.pack_request",
    "Packed": "packer.packed",
    "SendoffError": "packer.errors",
}

__all__ = [
    "Command",
    "Digest",
    "Explanation",
    "Layout",
    "PackRequest",
    "Packed",
    "SendoffError",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'packer' has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
