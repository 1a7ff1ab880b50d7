"""Source archives that indexes offer for a version (PEP 503, "Simple Repository API")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from packer.environment.distribution import normalized
from packer.record import Record
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources, without_login
from packer.wheels.transport import Transport

_ENDINGS = (".tar.gz", ".zip")


class SourceArchive(Record, frozen=True):
    """One file of an index."""

    filename: str
    url: str
    sha256: str


def find(name: str, version: str, sources: IndexSources) -> SourceArchive | None:
    """The source archive of a version; None where no index has one with a hash.

    Raises:
        WheelUnavailable: an index did not tell. Those after it are not asked: what they have of
            that name may be somebody else's.
    """
    transport = Transport(sources)
    for index in sources.places(normalized(name)):
        page = bytearray()
        url = f"{index.rstrip('/')}/{normalized(name)}/"
        place = f"{url}index.html" if url.startswith("file:") else url
        try:
            transport.read(place, page.extend)
        except WheelUnavailable as error:
            if error.absent:
                continue
            raise WheelUnavailable(normalized(name), url, error.said) from error
        for archive in listed(page.decode(errors="replace"), url):
            if _is_of(archive.filename, name, version):
                return archive
    return None


def listed(page: str, url: str) -> Iterator[SourceArchive]:
    """All files on a page of a simple index that have a sha256."""
    parser = _Links()
    parser.feed(page)
    for link in parser.found:
        target, _, fragment = urljoin(url, link).partition("#")
        sha256 = re.fullmatch(r"sha256=([0-9a-f]{64})", fragment)
        if sha256:
            filename = unquote(urlsplit(target).path.rpartition("/")[2])
            yield SourceArchive(filename=filename, url=without_login(target), sha256=sha256[1])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _is_of(filename: str, name: str, version: str) -> bool:
    ending = next((each for each in _ENDINGS if filename.endswith(each)), "")
    stem, _, found = filename.removesuffix(ending).rpartition("-")
    if not ending or normalized(stem) != normalized(name):
        return False
    from packaging.version import InvalidVersion, Version

    try:
        return Version(found) == Version(version)
    except InvalidVersion:
        return found == version
