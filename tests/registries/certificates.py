"""Keys and certificates, made by openssl for one test run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A certificate and its key; `authority` is what has to be trusted to trust it."""

    certificate: Path
    key: Path
    authority: Path


def self_signed(folder: Path, name: str = "token") -> Identity:
    """A certificate that vouches for itself."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ("-days", "2", "-subj", f"/CN={name}")
    _openssl("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", certificate, *subject)
    return Identity(certificate, key, certificate)


def for_loopback(folder: Path) -> Identity:
    """A server's certificate for 127.0.0.1 and localhost, signed by an authority of its own."""
    authority = self_signed(folder, "authority")
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=registry")
    _openssl(
        "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
        "-CAcreateserial", "-days", "2", "-extfile", names, "-out", certificate,
    )  # fmt: skip
    return Identity(certificate, key, authority.certificate)


def sign(identity: Identity, data: bytes) -> bytes:
    """An RSA signature with SHA-256 (RS256)."""
    return _openssl("dgst", "-sha256", "-sign", identity.key, stdin=data)


def der(identity: Identity) -> bytes:
    """The certificate in binary."""
    return _openssl("x509", "-in", identity.certificate, "-outform", "DER")


_NEW_KEY = ("-newkey", "rsa:2048", "-nodes")


def _openssl(*arguments: object, stdin: bytes = b"") -> bytes:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
