"""How the value of a setting is read that says where images, bases, runs and wheels are.

As in `values`, every function takes the value and the directory that relative paths are relative
to, and raises ValueError with words for a person.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sendoff.settings.values import path, text

# RFC 3986, section 3.1. What has one is never taken for the path of a directory.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# RFC 3986, section 3.2.1, before the host of a URL or of a repository.
_LOGIN = re.compile(rf"(?:{_SCHEME.pattern})?[^/?#]*@")


def address(value: Any, base: Path) -> str:
    """A URL of http or https as it is, or an absolute path."""
    found = text(value, base)
    return url(found, base) if _SCHEME.match(found) else str(path(found, base))


def url(value: Any, base: Path) -> str:
    """A URL of http or https; empty for none."""
    found = _no_login(text(value, base))
    if found and not found.startswith(("http://", "https://")):
        words = "a bucket is http(s)://HOST/BUCKET, whoever keeps it"
        raise ValueError(f"{value!r} does not begin with http:// or https://; {words}")
    return found


def registry(value: Any, base: Path) -> str:
    """A repository as it is, such as "registry.example/team/runs", or an absolute path.

    As docker has it, a first part with a dot or a port, or "localhost", is a host.
    """
    found = _no_url(text(value, base))
    host, slash, _ = found.partition("/")
    if slash and not found.startswith((".", "~")) and _is_host(host):
        return found.rstrip("/")
    return str(path(found, base))


def repository(value: Any, base: Path) -> str:
    """A repository as it is; empty for none."""
    return _no_login(text(value, base))


def prefix(value: Any, base: Path) -> str:
    """The beginning of repositories' names, such as "registry.example/base"; empty for none."""
    found = _no_url(text(value, base)).rstrip("/")
    if found and not _is_host(found.partition("/")[0]):
        raise ValueError(f"{value!r} does not begin with a registry's host")
    return found


def _is_host(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost"


def _no_login(found: str) -> str:
    """A login, where there is one, is not repeated: settings are written and shown."""
    if _LOGIN.match(found):
        raise ValueError(
            "it has a login before the host, and no setting holds one; a store's is in AWS_* or "
            "MINIO_* variables, a registry's in docker's configuration, an index's in ~/.netrc"
        )
    return found


def _no_url(found: str) -> str:
    if scheme := _SCHEME.match(_no_login(found)):
        rest = found[scheme.end() :]
        raise ValueError(f"{found!r} is a URL; repositories are named as docker does: {rest}")
    return found
