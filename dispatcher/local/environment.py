"""The environment variables of a run: little of the host's, all of the image's and request's."""

from __future__ import annotations

from dispatcher.runner.image import placed
from packer.image_paths import EDITABLE, PREFIX, RUNNER, SYSTEM_PATH, WORKSPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = frozenset({"HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR"})


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
    places = {PREFIX: environment, RUNNER: environment, WORKSPACE: attempt, EDITABLE: attempt}
    there = {name: placed(value, places) for name, value in inside.items()}
    return {**kept, **there, "SENDOFF_ROOT": attempt}
