"""Who we are to a registry: from variables named in the configuration, or as docker knows it."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from packer.record import Record
from packer.registry.access import Access
from packer.registry.errors import LoginUnreadable


class Login(Record, frozen=True):
    """A user and a password, or an identity token that stands for both. Never stored."""

    source: str
    """Where it came from, for people."""
    username: str = ""
    password: str = ""
    token: str = ""
    """An identity token: a refresh token of OAuth 2."""

    def __repr__(self) -> str:
        return f"Login(source={self.source!r})"


def named(access: Access) -> Login | None:
    """The login that the environment variables named in `access` hold."""
    username, password = os.environ.get(access.username), os.environ.get(access.password)
    if not username or not password:
        return None
    return Login(source=access.password, username=username, password=password)


class Logins:
    """One host's login, which is found when it is first wanted, and anew once it is refused.

    Those of credential helpers last for hours, and people log in while a process goes on.
    """

    def __init__(self, host: str, access: Access | None) -> None:
        """`access` names the variables that may hold the login; None where they are not for it."""
        self._host, self._access = host, access
        self._found: list[Login | None] = []

    def current(self) -> Login | None:
        """What was found, None where there is nothing.

        Raises:
            LoginUnreadable
        """
        if self._access and (login := named(self._access)):
            return login
        if not self._found:
            self._found.append(of_docker(self._host))
        return self._found[0]

    def renewed(self, refused: Login | None) -> Login | None:
        """What there is by now; docker is asked again, unless it was since `refused` was found.

        Raises:
            LoginUnreadable
        """
        if self._found == [refused]:
            self._found.clear()
        return self.current()


def of_docker(host: str) -> Login | None:
    """What docker's configuration and credential helpers have for `host`.

    Raises:
        LoginUnreadable: the configuration is broken, or a helper is.
    """
    config = _config()
    if not config:
        return None
    # A fifth of a second, so only where there is something to read.
    from docker.auth import load_config
    from docker.errors import DockerException

    try:
        with warnings.catch_warnings():
            # It warns of a helper that is missing, and then fails.
            warnings.simplefilter("ignore")
            found = load_config().resolve_authconfig(host)
    except (DockerException, ValueError, OSError) as error:
        raise LoginUnreadable(host, str(error)) from error
    return _login(found or {}, str(config))


def _config() -> Path | None:
    """The file that docker reads, or its predecessor."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    candidates = (folder / "config.json", Path.home() / ".dockercfg")
    return next((path for path in candidates if path.exists()), None)


def _login(found: dict[str, Any], source: str) -> Login | None:
    if found.get("IdentityToken"):
        return Login(source=source, token=found["IdentityToken"])
    username = found.get("username") or found.get("Username")
    password = found.get("password") or found.get("Password")
    if not username or not password:
        return None
    return Login(source=source, username=username, password=password)
