"""Where BuildKit is, as the setting `builder` names it, and how buildx reaches it there."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlsplit

from packer.buildkit.errors import BuilderInvalid
from packer.record import Record

DRIVERS = {
    "docker-container": "docker-container",
    "kubernetes": "kubernetes",
    "tcp": "remote",
    "unix": "remote",
}
"""Scheme → buildx's driver (docs.docker.com/build/builders/drivers)."""


class Address(Record, frozen=True):
    """A builder: one that buildx has, or one that is made for sendoff alone."""

    driver: str = ""
    """`docker`, `docker-container`, `remote` or `kubernetes`; empty for buildx's own choice."""
    endpoint: str = ""
    """Of `remote`: "unix:///run/buildkit/buildkitd.sock", "tcp://host:1234"."""
    options: dict[str, str] = {}
    """The driver's options, such as `image`, `namespace`, `cacert`."""
    kubeconfig: str = ""

    @property
    def name(self) -> str:
        """What buildx calls it; empty for the one that is current."""
        if self.driver in {"", "docker"}:
            return "default" if self.driver else ""
        facts = [self.driver, self.endpoint, sorted(self.options.items()), self.kubeconfig]
        return "sendoff-" + hashlib.sha256(repr(facts).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """For people: without options, which may name files of this machine."""
        return self.endpoint or self.driver or "the current builder of docker buildx"


def parse(text: str) -> Address:
    """The builder that a setting names.

    `""`: the one that `docker buildx` would use. `docker`: the BuildKit in the docker engine.
    `unix:///PATH`, `tcp://HOST:PORT`: a buildkitd that runs; a query has the driver's options,
    such as `tcp://host:1234?cacert=/ca.pem&cert=/cert.pem&key=/key.pem`.
    `docker-container://`, `kubernetes://NAMESPACE`: one that buildx starts there, with options in
    the query, such as `kubernetes://builders?image=registry.example/buildkit&rootless=true`.

    Raises:
        BuilderInvalid: it is none of these.
    """
    if text in {"", "docker"}:
        return Address(driver=text)
    parts = urlsplit(text)
    if parts.scheme not in DRIVERS:
        raise BuilderInvalid(text, f"it begins with none of {', '.join(sorted(DRIVERS))}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # python-on-whales joins them with commas and quotes none.
    if any("," in value for value in options.values()):
        raise BuilderInvalid(text, "an option has a comma in it")
    driver = DRIVERS[parts.scheme]
    if driver == "remote":
        return Address(driver=driver, endpoint=_endpoint(text), options=options)
    kubeconfig = options.pop("kubeconfig", "")
    if driver == "kubernetes" and parts.netloc:
        options = {"namespace": parts.netloc, **options}
    return Address(driver=driver, options=options, kubeconfig=kubeconfig)


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    try:
        complete = parts.path.startswith("/") if parts.scheme == "unix" else bool(parts.port)
    except ValueError:
        complete = False
    if not complete or (parts.scheme == "tcp" and not parts.hostname):
        lacks = "a path" if parts.scheme == "unix" else "a host and a port"
        raise BuilderInvalid(text, f"it does not have {lacks}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
