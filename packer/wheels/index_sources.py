"""Where wheels are looked for: the settings that pip and uv already have on this machine.

uv reads its own (UV_*, uv.toml, [tool.uv]) by itself. pip's are passed on to it, in environment
variables: an index URL may hold a password, and command lines are shown in errors. What is fetched
without uv, source archives and the bytes of wheels, is had from the same places with the same
logins.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from packer.record import Record
from packer.wheels import uv_settings
from packer.wheels.uv_settings import UvSettings

_OPTIONS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host")
_SECTIONS = ("global", "install", "download")
_PYPI = "https://pypi.org/simple"


class IndexSources(Record, frozen=True):
    """Index settings, ready to be handed to uv."""

    variables: dict[str, str] = {}
    """To be added to uv's environment."""
    no_index: bool = False
    certificates: str = ""
    """A file of trusted certificate authorities; empty for the system's."""
    logins: dict[str, tuple[str, str]] = {}
    """Host → user and password. Never stored, never shown."""
    indexes: tuple[str, ...] = ()
    """Simple indexes, without logins, in the order in which they are asked for source archives."""
    chosen: dict[str, tuple[str, ...]] = {}
    """Distribution → the only indexes that it is taken from."""

    def places(self, name: str) -> tuple[str, ...]:
        """The simple indexes that may have a source archive of `name`."""
        return self.chosen.get(name, self.indexes)


def find(prefix: str, project: Path, environ: Mapping[str, str] = os.environ) -> IndexSources:
    """The settings for the sandbox at `prefix`: pip's files, then its variables, which win.

    `project`: where uv looks for settings of its own, which stay beside pip's.
    """
    options, own = _pip_options(prefix, environ), uv_settings.read(project, environ)
    index, further = _pip_indexes(options, environ)
    variables = _variables(options, environ)
    if index and not own.default:
        variables["UV_DEFAULT_INDEX"] = index
    elif index:
        further.append(index)
    if further:
        variables["UV_INDEX"] = " ".join([*environ.get("UV_INDEX", "").split(), *further])
    no_index = options.get("no-index", "").lower() in {"1", "true", "yes", "on"}
    asked = not (no_index or own.no_index)
    certificates = environ.get("SSL_CERT_FILE") or options.get("cert", "")
    return IndexSources(
        variables=variables,
        no_index=no_index,
        certificates=certificates if Path(certificates or "/nowhere").is_file() else "",
        logins=_logins(own, variables, environ),
        indexes=tuple(map(without_login, _simple(own, index, further))) if asked else (),
        chosen={
            name: tuple(map(without_login, own.urls_of(name)))
            for name in (own.chosen if asked else ())
        },
    )


def _pip_indexes(options: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """The index of pip and its further ones, where no variable of uv's stands for them."""
    index = " ".join(options.get("index-url", "").split())
    further = options.get("extra-index-url", "").split()
    if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environ.keys():
        index = ""
    if {"UV_INDEX", "UV_EXTRA_INDEX_URL"} & environ.keys():
        further = []
    return index, further


def _variables(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What uv is told of pip's settings besides indexes."""
    variables: dict[str, str] = {}
    links = [place for place in options.get("find-links", "").split() if _is_there(place)]
    if links and "UV_FIND_LINKS" not in environ:
        variables["UV_FIND_LINKS"] = ",".join(links)
    hosts = options.get("trusted-host", "").split()
    if hosts and "UV_INSECURE_HOST" not in environ:
        variables["UV_INSECURE_HOST"] = " ".join(hosts)
    certificates = options.get("cert", "")
    if "SSL_CERT_FILE" not in environ and certificates and Path(certificates).is_file():
        variables["SSL_CERT_FILE"] = certificates
    return variables


def _simple(own: UvSettings, index: str, further: Iterable[str]) -> list[str]:
    """Those of uv, then pip's, so that no private name is looked for in a public index first."""
    pips = [_as_url(each) for each in (*further, index) if each]
    urls = dict.fromkeys([*own.urls(), *pips])
    return list(urls) if own.default or index else [*urls, _PYPI]


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


def _as_url(place: str) -> str:
    return place if "://" in place else Path(place).absolute().as_uri()


def _logins(
    own: UvSettings, variables: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Host → login. Those that uv has for an index by its name come first, as they do there."""
    pips = [url for value in variables.values() for url in value.replace(",", " ").split()]
    urls = [*(index.url for index in own.indexes), *own.links, *pips]
    found: dict[str, tuple[str, str]] = {}
    for url, login in [*own.logins(environ), *((url, _login(url)) for url in urls)]:
        host = urlsplit(url).hostname
        if host and any(login):
            found.setdefault(host, login)
    return found


def _login(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")
