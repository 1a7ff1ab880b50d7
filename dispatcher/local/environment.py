"""The environment variables of a run: little of the host's, all of the image's and request's."""

from __future__ import annotations

from packer.image_paths import EDITABLE, PREFIX, RUNNER, SYSTEM_PATH, WORKSPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = frozenset({"HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR"})
_IN_ENVIRONMENT = (PREFIX, RUNNER)
_IN_ATTEMPT = (WORKSPACE, EDITABLE)


def variables(
    host: Mapping[str, str],
    image: Mapping[str, str],
    asked: Mapping[str, str],
    *,
    environment: str,
    attempt: str,
) -> dict[str, str]:
    """What the command's environment holds; later mappings win.

    In-image paths among the values become paths below `environment` (the shared root) or
    `attempt` (this attempt's own).
    """
    kept = {name: value for name, value in host.items() if name in _KEPT or name.startswith("LC_")}
    own = {"PATH": f"{PREFIX}/bin:{SYSTEM_PATH}", "VIRTUAL_ENV": PREFIX}
    inside = {**own, **image, **asked}
    placed = {name: _place(value, environment, attempt) for name, value in inside.items()}
    return {**kept, **placed, "SENDOFF_ROOT": attempt}


def _place(value: str, environment: str, attempt: str) -> str:
    return ":".join(_place_one(part, environment, attempt) for part in value.split(":"))


def _place_one(path: str, environment: str, attempt: str) -> str:
    for roots, place in ((_IN_ENVIRONMENT, environment), (_IN_ATTEMPT, attempt)):
        if any(path == root or path.startswith(root + "/") for root in roots):
            return f"{place}{path}"
    return path
