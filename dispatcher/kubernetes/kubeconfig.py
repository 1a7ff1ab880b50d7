"""A kubeconfig, merged from one file or several as kubectl merges them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from dispatcher.kubernetes.connection import Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured

_KINDS = ("clusters", "users", "contexts")


class Kubeconfig:
    """Named clusters, users and contexts; paths in them are absolute."""

    def __init__(
        self, files: Sequence[Path], current: str, named: dict[str, dict[str, Any]]
    ) -> None:
        self._files, self._current, self._named = files, current, named

    @classmethod
    def read(cls, files: Sequence[Path]) -> Self:
        """Of what several files name, the first one's counts.

        Raises:
            ClusterNotConfigured
        """
        current = ""
        named: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _KINDS}
        for path in files:
            content = _parse(path)
            current = current or content.get("current-context") or ""
            for kind in _KINDS:
                for each in content.get(kind) or ():
                    value = each.get(kind.removesuffix("s")) or {}
                    named[kind].setdefault(each.get("name", ""), _placed(value, path.parent))
        return cls(files, current, named)

    def connection(self, context: str = "") -> Connection:
        """The connection of a context, by default the current one.

        Raises:
            ClusterNotConfigured
        """
        name = context or self._current
        if not name:
            raise ClusterNotConfigured(
                "the kubeconfig has no current context",
                self._where,
                "kubectl config use-context NAME, or sendoff init --context NAME",
            )
        chosen = self._find("contexts", name)
        cluster = self._find("clusters", chosen.get("cluster", ""))
        user = self._named["users"].get(chosen.get("user", ""), {})
        if not cluster.get("server"):
            raise ClusterNotConfigured("the cluster of the context has no server", self._where)
        credentials = self._credentials(name, user, cluster)
        return Connection(
            host=cluster["server"].rstrip("/"),
            namespace=chosen.get("namespace") or "default",
            source=f"the context {name} in {self._where}",
            ca=self._content(cluster, "certificate-authority"),
            verify=not cluster.get("insecure-skip-tls-verify", False),
            server_name=cluster.get("tls-server-name", ""),
            proxy=cluster.get("proxy-url", ""),
            **credentials,
        )

    @property
    def _where(self) -> str:
        return ", ".join(map(str, self._files))

    def _find(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self._named[kind].get(name)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(name, self._named[kind], n=1)
            known = ", ".join(near or self._named[kind]) or "none"
            what = kind.removesuffix("s")
            raise ClusterNotConfigured(
                f"the kubeconfig has no {what} {name!r}", f"{self._where} has {known}"
            )
        return found

    def _credentials(
        self, context: str, user: dict[str, Any], cluster: dict[str, Any]
    ) -> dict[str, Any]:
        if "auth-provider" in user:
            from dispatcher.kubernetes import plugins

            return plugins.provider(self._files, context)
        certificate = {
            "certificate": self._content(user, "client-certificate"),
            "key": self._content(user, "client-key"),
        }
        token = self._content(user, "tokenFile").decode().strip() or user.get("token", "")
        if token:
            return {**certificate, "authorization": f"Bearer {token}"}
        if "exec" in user:
            from dispatcher.kubernetes import plugins

            return plugins.run(user["exec"], cluster, self._files[0])
        if "username" in user:
            if "password" not in user:
                reason = f"the user {user['username']} of the kubeconfig has no password"
                raise ClusterNotConfigured(reason, self._where)
            return {**certificate, "authorization": _basic(user["username"], user["password"])}
        return certificate

    def _content(self, table: dict[str, Any], name: str) -> bytes:
        """A certificate or key, given in the file or beside it."""
        field = f"{name}-data"
        try:
            if table.get(field):
                return base64.b64decode(table[field])
            return Path(table[name]).read_bytes() if table.get(name) else b""
        except OSError as error:
            reason = f"the kubeconfig's {name} cannot be read"
            raise ClusterNotConfigured(reason, str(error)) from error
        except (ValueError, TypeError) as error:
            reason = f"the kubeconfig's {field} is no base64"
            raise ClusterNotConfigured(reason, f"{self._where}: {error}") from error


def _parse(path: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 (a safe one)
    except (OSError, yaml.YAMLError) as error:
        raise ClusterNotConfigured("the kubeconfig cannot be read", f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise ClusterNotConfigured("the kubeconfig is empty or no mapping", str(path))
    return content


_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def _placed(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """With the paths in it taken relative to the file that they stand in."""
    return {
        key: str(folder / Path(text).expanduser()) if key in _PATHS and text else text
        for key, text in value.items()
    }


def _basic(user: str, password: str) -> str:
    """The header of basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
