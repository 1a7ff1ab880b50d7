"""A runner's own short-lived credentials, as minio asks for them: before each request."""

from __future__ import annotations

from minio.credentials.credentials import Credentials
from minio.credentials.providers import Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pod_credentials import PodCredentials


class FileProvider(Provider):
    """The newest credentials there are."""

    def __init__(self, credentials: PodCredentials) -> None:
        self._credentials = credentials

    def retrieve(self) -> Credentials:
        """The credentials as they are now.

        Raises:
            ValueError: there are none.
        """
        found = self._credentials.read()
        return Credentials(
            found["access_key"], found["secret_key"], found.get("session_token") or None
        )
