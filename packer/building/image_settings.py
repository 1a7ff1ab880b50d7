"""What a project's image has besides its environment: `[tool.sendoff.image]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from packer.record import Record

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+:~-]+)?")
"""Debian policy, 5.6.1, with an architecture and a version as apt-get takes them."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ImageSettings(Record, frozen=True):
    """Steps that are run on the base image, and what they may read while they run."""

    apt: tuple[str, ...] = ()
    """Debian packages of the image."""
    run: tuple[str, ...] = ()
    """Commands of a shell, after those, as root."""
    build_apt: tuple[str, ...] = ()
    """Debian packages that building sources takes, and that are not in the image."""
    secrets: tuple[str, ...] = ()
    """Environment variables that `run` may read; in no layer."""
    cache: str = ""
    """Repository for BuildKit's cache, such as "registry.example/team/cache"."""

    @property
    def extends(self) -> bool:
        """Whether the base is not used as it is."""
        return bool(self.apt or self.run)


def read(value: Any) -> ImageSettings:
    """The settings that a table has.

    Raises:
        ValueError: in words for a person.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a table: [tool.sendoff.image]")  # noqa: TRY004
    known = {"apt", "run", "build-apt", "secrets", "cache"}
    if strange := sorted(set(value) - known):
        raise ValueError(f"there is no {strange[0]!r} in it; there is {', '.join(sorted(known))}")
    cache = value.get("cache", "")
    if not isinstance(cache, str):
        raise ValueError(f"cache: {cache!r} is not text")  # noqa: TRY004
    return ImageSettings(
        apt=_texts(value, "apt", _PACKAGE, "name of a Debian package"),
        run=_texts(value, "run"),
        build_apt=_texts(value, "build-apt", _PACKAGE, "name of a Debian package"),
        secrets=_texts(value, "secrets", _NAME, "name of an environment variable"),
        cache=cache,
    )


def _texts(
    value: Mapping[str, Any], key: str, form: re.Pattern[str] | None = None, what: str = ""
) -> tuple[str, ...]:
    found = value.get(key, ())
    if not isinstance(found, (list, tuple)) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{key}: {found!r} is not a list of texts")
    for each in found:
        if form and not form.fullmatch(each):
            raise ValueError(f"{key}: {each!r} is no {what}")
    return tuple(found)
