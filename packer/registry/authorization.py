"""Proving who we are to one registry: Basic, or Bearer with tokens from its token server.

The token flow is that of the distribution project, "Token Authentication Specification". Tokens
live in this process only.
"""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import urlencode

from packer import retry_after
from packer.registry.answer import PASSING, Answer, Interrupted
from packer.registry.challenge import Challenge, parse
from packer.registry.errors import AnswerUnreadable, RedirectRefused, RegistryAuth
from packer.registry.login import Login, Logins
from packer.registry.transport import Transport, split

Scope = tuple[str, ...]
"""What a request may do: ("repository:team/project:pull,push",)."""

_LIFETIME = 60.0
_MARGIN = 0.1
_OK = 200
_UNAUTHORIZED = 401
_DENIED = (400, _UNAUTHORIZED, 403)


class _Token(NamedTuple):
    header: str
    until: float
    login: Login | None
    """Whom it was given to."""


class Authorization:
    """What is known of one host's ways, and the tokens it takes."""

    def __init__(self, host: str, transport: Transport, logins: Logins) -> None:
        """`logins` is asked once a login is wanted, and never for a host that wants none."""
        self._host, self._transport, self._logins = host, transport, logins
        self._challenge: Challenge | None = None
        self._tokens: dict[Scope, _Token] = {}
        self._lock = threading.Lock()

    def header(self, scope: Scope) -> str:
        """The Authorization header for a request, empty where none is needed so far.

        Raises:
            RegistryAuth: there is no login, or the token server does not accept it.
            Interrupted: the token server was not reached.
        """
        with self._lock:
            if not self._challenge:
                return ""
            if self._challenge.scheme == "basic":
                return self._basic(scope)
            token = self._tokens.get(scope)
            if not token or token.until < time.monotonic():
                token = self._tokens[scope] = self._fetch(self._challenge, scope)
            return token.header

    def refused(self, answer: Answer, sent: str, scope: Scope) -> bool:
        """Take in a 401 or 403 that came for the header `sent`; whether another is worth a try."""
        forbidden = answer.status != _UNAUTHORIZED
        challenge = self._challenge if forbidden else _challenge(answer)
        if not challenge or (forbidden and not sent):
            return False
        with self._lock:
            self._challenge = challenge
            if not sent:
                return True
            if challenge.scheme == "basic":
                return self._has_other_basic(sent)
            return self._has_other_token(sent, scope, forbidden=forbidden)

    def denied(self, answer: Answer, scope: Scope) -> RegistryAuth:
        """The error for an answer that says no."""
        login = self._logins.current()
        accepted = answer.status != _UNAUTHORIZED or _insufficient(answer)
        return self._error(scope, answer.said, login, known=accepted)

    def _has_other_basic(self, sent: str) -> bool:
        """Whether there is another login by now than the one that was sent."""
        login = self._logins.current()
        if login and _basic(login) == sent:
            login = self._logins.renewed(login)
        return login is None or _basic(login) != sent

    def _has_other_token(self, sent: str, scope: Scope, *, forbidden: bool) -> bool:
        """Whether to go on with another token than the one that was sent.

        Where that was good but is `forbidden` this, only one for another login can do better.
        """
        token = self._tokens.get(scope)
        if token and token.header == sent:
            if self._logins.renewed(token.login) == token.login and forbidden:
                return False
            del self._tokens[scope]
        return True

    def _basic(self, scope: Scope) -> str:
        login = self._logins.current()
        if not login or not login.password:
            login = self._logins.renewed(login)
        if not login or not login.password:
            raise self._error(scope, "401 it asks for a user and a password", login)
        return _basic(login)

    def _fetch(self, challenge: Challenge, scope: Scope) -> _Token:
        login = self._logins.current()
        answer = self._ask(challenge, scope, login)
        if answer.status in _DENIED and (other := self._logins.renewed(login)) != login:
            login, answer = other, self._ask(challenge, scope, other)
        if answer.status in PASSING:
            raise Interrupted(
                f"token server: {answer.said}",
                wait=retry_after.seconds(answer.headers.get("Retry-After", "")),
            )
        if answer.status in _DENIED:
            raise self._error(scope, f"token server: {answer.said}", login)
        realm = challenge.parameters.get("realm", "")
        content = answer.json() if answer.status == _OK else None
        found = isinstance(content, dict) and (content.get("token") or content.get("access_token"))
        if not isinstance(content, dict) or not found:
            raise AnswerUnreadable(realm, f"no token: {answer.said}")
        lifetime = float(content.get("expires_in") or _LIFETIME)
        return _Token(f"Bearer {found}", time.monotonic() + lifetime * (1 - _MARGIN), login)

    def _ask(self, challenge: Challenge, scope: Scope, login: Login | None) -> Answer:
        realm = challenge.parameters.get("realm", "")
        self._check(realm, login)
        fields = [("client_id", "sendoff")]
        if service := challenge.parameters.get("service"):
            fields.append(("service", service))
        wanted = _scopes(scope, challenge)
        if login and login.token:
            form = [*fields, ("grant_type", "refresh_token"), ("refresh_token", login.token)]
            body = urlencode([*form, ("scope", " ".join(wanted))]).encode()
            return self._transport.ask("POST", realm, {"Content-Type": _FORM}, body)
        query = urlencode([*fields, *(("scope", each) for each in wanted)])
        url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        return self._transport.ask("GET", url, {"Authorization": _basic(login)} if login else {})

    def _check(self, realm: str, login: Login | None) -> None:
        """Keep a login out of an unencrypted connection that nobody asked for."""
        origin = split(realm)[0]
        scheme, _, host = origin.partition("://")
        if scheme == "https" or (scheme == "http" and self._transport.scheme(host) == "http"):
            return
        if scheme != "http" or not host or login:
            raise RedirectRefused(self._host, realm, "its token server is not reached by https")

    def _error(
        self, scope: Scope, said: str, login: Login | None, *, known: bool = False
    ) -> RegistryAuth:
        _, path, actions = scope[0].split(":") if scope else ("", "", "")
        where = f"{self._host}/{path}" if path else self._host
        action = "push to" if "push" in actions else "read"
        return RegistryAuth(where, action, login.source if login else "", said, known=known)


_FORM = "application/x-www-form-urlencoded"


def _challenge(answer: Answer) -> Challenge | None:
    """The best of what a 401 asks for."""
    offered = {each.scheme: each for each in parse(answer.headers.get("WWW-Authenticate", ""))}
    return offered.get("bearer") or offered.get("basic")


def _basic(login: Login) -> str:
    return "Basic " + b64encode(f"{login.username}:{login.password}".encode()).decode()


def _insufficient(answer: Answer) -> bool:
    """Whether a 401 means that the token is good, but not for this (RFC 6750, section 3.1)."""
    return "insufficient_scope" in answer.headers.get("WWW-Authenticate", "")


def _scopes(scope: Scope, challenge: Challenge) -> list[str]:
    """What to ask for: all that the request needs, and what the registry names besides."""
    asked = challenge.parameters.get("scope", "").split()
    ours = {each.rpartition(":")[0] for each in scope}
    return [*scope, *(each for each in asked if each.rpartition(":")[0] not in ours)]
