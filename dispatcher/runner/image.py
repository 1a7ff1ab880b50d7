"""Where things are in an image, as the runner sees it.

The same as in `packer.image_paths`, which is not in the image.
"""

from __future__ import annotations

WORKSPACE = "/workspace"
EDITABLE = "/opt/sendoff/editable"


def placed(value: str, places: dict[str, str]) -> str:
    """A variable's value with in-image paths made paths below other roots.

    `places` has the root for each in-image folder; parts between ":" are looked at by themselves.
    """
    return ":".join(_placed(part, places) for part in value.split(":"))


def _placed(path: str, places: dict[str, str]) -> str:
    for folder, root in places.items():
        if path == folder or path.startswith(folder + "/"):
            return root + path
    return path
