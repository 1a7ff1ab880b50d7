"""A small client of the API server, for preparing the cluster and asking whether it is well."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from tests.stack.site import Site

Object = dict[str, Any]
MERGE = "application/merge-patch+json"


class Refused(Exception):
    """The API server answered with an error."""

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(f"{method} {path}: HTTP {status}: {message}")
        self.status = status


class Api:
    """Speaks JSON as one `user` of the site; objects are plain dicts."""

    def __init__(self, site: Site, user: str = "admin") -> None:
        self._address = site.local("apiserver")
        self._token = site.tokens[user]
        self._tls = ssl.create_default_context(cafile=str(site.ca))

    def ask(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Object:
        """The object in the answer.

        Raises:
            Refused: the status is not 2xx.
            OSError: there is no answer.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        data = json.dumps(body) if body is not None else None
        connection = http.client.HTTPSConnection(self._address, timeout=30, context=self._tls)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status // 100 != 2:
            raise Refused(method, path, answer.status, text)
        value: Object = json.loads(text)
        return value

    def get(self, path: str) -> Object:
        return self.ask("GET", path)

    def create(self, path: str, body: Object) -> Object:
        return self.ask("POST", path, body)

    def merge(self, path: str, body: Object) -> Object:
        """JSON merge patch, RFC 7386."""
        return self.ask("PATCH", path, body, MERGE)
