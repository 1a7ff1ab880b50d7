"""Where wheels are looked for: the settings that pip and uv already have on this machine.

uv reads its own (UV_*, uv.toml, [tool.uv]) by itself. pip's are passed on to it, in environment
variables: an index URL may hold a password, and command lines are shown in errors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from packer.record import Record

_OPTIONS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host")
_SECTIONS = ("global", "install", "download")
_OWN = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


class IndexSources(Record, frozen=True):
    """Index settings, ready to be handed to uv."""

    variables: dict[str, str] = {}
    """To be added to uv's environment."""
    no_index: bool = False
    certificates: str = ""
    """A file of trusted certificate authorities; empty for the system's."""
    logins: dict[str, tuple[str, str]] = {}
    """Host → user and password. Never stored, never shown."""

    @property
    def fingerprint(self) -> str:
        """Changes with the settings, and tells nothing of them."""
        import hashlib

        facts = [*sorted(self.variables.items()), self.no_index, sorted(self.logins.items())]
        facts += sorted((name, os.environ[name]) for name in _OWN if name in os.environ)
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def find(prefix: str, environ: Mapping[str, str] = os.environ) -> IndexSources:
    """The settings for the sandbox at `prefix`: pip's files, then its variables, which win."""
    options = _pip_options(prefix, environ)
    index = " ".join(options.get("index-url", "").split())
    extra = options.get("extra-index-url", "").split()
    links = [place for place in options.get("find-links", "").split() if _is_there(place)]
    variables: dict[str, str] = {}
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environ.keys():
        variables["UV_DEFAULT_INDEX"] = index
    if extra and not {"UV_INDEX", "UV_EXTRA_INDEX_URL"} & environ.keys():
        variables["UV_INDEX"] = " ".join(extra)
    if links and "UV_FIND_LINKS" not in environ:
        variables["UV_FIND_LINKS"] = ",".join(links)
    hosts = options.get("trusted-host", "").split()
    if hosts and "UV_INSECURE_HOST" not in environ:
        variables["UV_INSECURE_HOST"] = " ".join(hosts)
    certificates = environ.get("SSL_CERT_FILE") or options.get("cert", "")
    if certificates and "SSL_CERT_FILE" not in environ and Path(certificates).is_file():
        variables["SSL_CERT_FILE"] = certificates
    urls = [*variables.values(), *(environ[name] for name in _OWN if name in environ)]
    return IndexSources(
        variables=variables,
        no_index=options.get("no-index", "").lower() in {"1", "true", "yes", "on"},
        certificates=certificates if Path(certificates or "/nowhere").is_file() else "",
        logins=dict(_logins(url for value in urls for url in value.replace(",", " ").split())),
    )


def without_login(url: str) -> str:
    """`url` as it may be stored and shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _pip_options(prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in pip_files(prefix, environ):
        found.update(_read(path))
    for name in _OPTIONS:
        value = environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            found[name] = value
    return found


def pip_files(prefix: str, environ: Mapping[str, str]) -> list[Path]:
    """Pip's settings in the order in which it reads them; a later one wins."""
    home = Path(environ.get("HOME") or Path.home())
    base = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")]
    files += [home / ".pip/pip.conf", base / "pip/pip.conf", Path(prefix) / "pip.conf"]
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    return [*files, Path(chosen)] if chosen else files


def _read(path: Path) -> Iterator[tuple[str, str]]:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(path.read_text())
    except (OSError, UnicodeDecodeError, Error):
        return
    for section in filter(parser.has_section, _SECTIONS):
        for name, value in parser.items(section):
            option = name.replace("_", "-")
            if option in _OPTIONS:
                yield option, value


def _is_there(place: str) -> bool:
    """Where a directory of links is missing, uv ends with an error and pip overlooks it."""
    return "://" in place or Path(place).expanduser().is_dir()


def _logins(urls: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for url in urls:
        # An index of uv's may have a name in front: "pytorch=https://…".
        parts = urlsplit(url.partition("=")[2] if "=" in url.partition("://")[0] else url)
        if parts.hostname and parts.username:
            yield parts.hostname, (unquote(parts.username), unquote(parts.password or ""))
