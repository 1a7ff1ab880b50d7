"""Which cluster, and how to reach it: what a kubeconfig, or a pod's service account, says.

The official client reads these too, and takes 0.3 s to import, which is more than all else that a
command does. So files with a token, certificates or a password are read here, and a credential
plugin or provider is left to the official client.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dispatcher.kubernetes.connection import DEFAULT, Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured
from dispatcher.kubernetes.settings import ClusterSettings

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load(settings: ClusterSettings, environ: Mapping[str, str] = os.environ) -> Connection:
    """The connection to the configured cluster, with credentials as they are now.

    Raises:
        ClusterNotConfigured
    """
    files = _files(settings, environ)
    if files:
        from dispatcher.kubernetes.kubeconfig import Kubeconfig

        return Kubeconfig.read(files).connection(settings.context)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return _in_cluster(environ)
    reason = "neither a kubeconfig nor a pod's service account was found"
    raise ClusterNotConfigured(reason, f"looked at {_home(environ)}")


def _files(settings: ClusterSettings, environ: Mapping[str, str]) -> list[Path]:
    """The kubeconfigs to merge, as kubectl does: those named, else the one in the home."""
    if settings.kubeconfig:
        path = Path(settings.kubeconfig).expanduser()
        if not path.is_file():
            raise ClusterNotConfigured("the configured kubeconfig does not exist", str(path))
        return [path]
    named = [Path(each) for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    found = [path for path in named or [_home(environ)] if path.is_file()]
    if named and not found:
        raise ClusterNotConfigured("no file of $KUBECONFIG exists", ", ".join(map(str, named)))
    return found


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"


def _in_cluster(environ: Mapping[str, str]) -> Connection:
    """A pod's own service account (kubernetes.io, "Accessing the API from within a Pod")."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        return Connection(
            host=f"https://{f'[{host}]' if ':' in host else host}:{port}",
            namespace=(_ACCOUNT / "namespace").read_text().strip() or DEFAULT,
            source=str(_ACCOUNT),
            authorization=f"Bearer {(_ACCOUNT / 'token').read_text().strip()}",
            ca=(_ACCOUNT / "ca.crt").read_bytes(),
        )
    except OSError as error:
        raise ClusterNotConfigured("the pod has no service account token", str(error)) from error
