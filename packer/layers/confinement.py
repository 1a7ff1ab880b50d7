"""Whether what a layer names stays below the folder that it is unpacked to."""

from __future__ import annotations


def inside(name: str) -> str | None:
    """The path of an entry without slashes at its ends; None where it would leave the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        return None
    return "/".join(parts)


def leads_out(path: str, target: str) -> bool:
    """Whether a link at `path` leads out of the folder: who writes to it writes elsewhere."""
    depth = path.count("/")
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            break
    return target.startswith("/") or depth < 0 or not target
