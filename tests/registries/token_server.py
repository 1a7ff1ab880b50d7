"""A small real token server: JSON Web Tokens that docker-registry accepts.

The protocol is the distribution project's "Token Authentication Specification", and its OAuth 2
form for identity tokens.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.registries.certificates import Identity, der, sign
from tests.web_server import Handler, WebServer


@dataclass
class User:
    """Somebody, and what they may do: repository → actions ("pull,push"); "*" for all of them."""

    password: str
    rights: dict[str, str]
    identity_token: str = ""


@dataclass
class TokenServer:
    """A token server for as long as the `with` block lasts."""

    identity: Identity
    """What it signs with."""
    users: dict[str, User] = field(default_factory=dict)
    anonymous: dict[str, str] = field(default_factory=dict)
    """Rights of who shows no login; empty: they get no token."""
    stale: int = 0
    """So many tokens are given out that no registry accepts any more."""
    lifetime: int = 300
    """Seconds that tokens are said to live."""
    service: str = "registry of the tests"
    issuer: str = "tests"
    tls: Identity | None = None
    given: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """User and scopes of each token, in order."""

    def __enter__(self) -> Self:
        owner = self

        class Tokens(Handler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                login = self.headers.get("Authorization", "").removeprefix("Basic ")
                user, _, password = base64.b64decode(login).decode().partition(":")
                self._answer(*owner.by_password(user, password, query.get("scope", [])))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                scopes = form.get("scope", [""])[0].split()
                self._answer(*owner.by_identity_token(form["refresh_token"][0], scopes))

            def _answer(self, status: int, content: dict[str, Any]) -> None:
                self.answer(status, json.dumps(content).encode(), "application/json")

        self._web = WebServer(Tokens, identity=self.tls)
        self._web.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.__exit__()

    @property
    def realm(self) -> str:
        return f"{self._web.url}/token"

    def by_password(
        self, name: str, password: str, scopes: list[str]
    ) -> tuple[int, dict[str, Any]]:
        if not name and self.anonymous:
            return 200, self._token("", self.anonymous, scopes, "token")
        user = self.users.get(name)
        if not user or user.password != password:
            return 401, {"details": "incorrect username or password"}
        return 200, self._token(name, user.rights, scopes, "token")

    def by_identity_token(self, token: str, scopes: list[str]) -> tuple[int, dict[str, Any]]:
        for name, user in self.users.items():
            if user.identity_token == token:
                return 200, self._token(name, user.rights, scopes, "access_token")
        return 401, {"details": "invalid refresh token"}

    def _token(
        self, name: str, rights: dict[str, str], scopes: list[str], key: str
    ) -> dict[str, Any]:
        self.given.append((name, tuple(scopes)))
        access = [granted for scope in scopes if (granted := _granted(scope, rights))]
        # Registries allow for clocks that differ by a minute.
        age = 3600 if self.stale else 0
        self.stale = max(0, self.stale - 1)
        now = int(time.time()) - age
        claims = {
            "iss": self.issuer, "sub": name, "aud": self.service, "jti": uuid.uuid4().hex,
            "iat": now, "nbf": now - 5, "exp": now + self.lifetime, "access": access,
        }  # fmt: skip
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._certificate]}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        signature = _encoded(sign(self.identity, signed.encode()))
        return {key: f"{signed}.{signature}", "expires_in": self.lifetime}

    @cached_property
    def _certificate(self) -> str:
        return base64.b64encode(der(self.identity)).decode()


def _granted(scope: str, rights: dict[str, str]) -> dict[str, Any] | None:
    kind, name, actions = scope.split(":")
    allowed = rights.get(name, rights.get("*", "")).split(",")
    granted = [action for action in actions.split(",") if action in allowed]
    return {"type": kind, "name": name, "actions": granted} if granted else None


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
