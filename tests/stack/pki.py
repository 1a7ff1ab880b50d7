"""Keys and certificates of one start, and the files that let clients speak to the API server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.stack.programs import program
from tests.stack.site import NAMESPACE, USERS, Site

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365")
# Everything a strict verifier asks for (RFC 5280, 4.2); openssl's own defaults differ by version.
_EXTENSIONS = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:127.0.0.1, IP:{gateway}, DNS:localhost, DNS:kubernetes.default.svc
"""


def make(site: Site) -> None:
    """Make the authority, the API server's certificate, and the service accounts' key."""
    site.ca.parent.mkdir(mode=0o700, parents=True)
    configuration = site.ca.with_name("openssl.cnf")
    configuration.write_text(_EXTENSIONS.format(gateway=site.gateway))
    common = ("req", "-x509", "-config", str(configuration), *_CURVE)
    _openssl(
        *common,
        *("-extensions", "ca", "-subj", "/CN=sendoff-stack"),
        *("-keyout", str(site.key("ca")), "-out", str(site.ca)),
    )
    _openssl(
        *common,
        *("-extensions", "server", "-subj", "/CN=localhost"),
        *("-CA", str(site.ca), "-CAkey", str(site.key("ca"))),
        *("-keyout", str(site.key("apiserver")), "-out", str(site.certificate("apiserver"))),
    )
    _openssl("genpkey", "-algorithm", "RSA", "-out", str(site.key("service-account")))
    for user in USERS:
        _write_kubeconfig(site, user)


def _openssl(*arguments: str) -> None:
    subprocess.run([str(program("openssl")), *arguments], check=True, capture_output=True)


def _write_kubeconfig(site: Site, user: str) -> None:
    path: Path = site.kubeconfig(user)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    cluster = {
        "server": f"https://{site.local('apiserver')}",
        "certificate-authority": str(site.ca),
    }
    context = {"cluster": "stack", "user": user, "namespace": NAMESPACE}
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stack", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": site.tokens[user]}}],
        "contexts": [{"name": "stack", "context": context}],
        "current-context": "stack",
    }
    path.write_text(json.dumps(value, indent=1))
    path.chmod(0o600)
