"""What the runner of a pod is told: some of the inputs of a run. One file of a mounted Secret."""

from __future__ import annotations

import json
import os

from .assignment import BYTE_LIMIT, FILE_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "sendoff.pod/1"
NAME = "assignment.json"
CREDENTIALS = "credentials.json"
RENEWED = "renewed.json"
"""Newer ones, which come while the run goes on."""


class PodAssignment:
    """Paths are absolute paths in the container, times are in seconds.

    Raises:
        ValueError, TypeError: it is of another format, or malformed.
    """

    def __init__(
        self,
        *,
        run: str,
        store: dict[str, Any],
        inputs: list[dict[str, Any]],
        per_pod: int = 1,
        outputs: list[str] | None = None,
        timeout: float = 0,
        grace: float = 30,
        retries: int | None = None,
        restarted: bool = False,
        patience: float = 300,
        memory: int = 0,
        environment: dict[str, str] | None = None,
        secrets: list[str] | None = None,
        data: list[dict[str, Any]] | None = None,
        idle_limit: list[float] | None = None,
        sent: float = 0,
        pulling: float | None = None,
        file_limit: int = FILE_LIMIT,
        byte_limit: int = BYTE_LIMIT,
        scratch: str = "/sendoff",
        image: str = "",
    ) -> None:
        self.run = run
        self.store = store
        """`{kind: "s3", url, region}`, or `{kind: "directory", path}`."""
        self.inputs = inputs
        """`{command, digest}` of every index of the run, and `data` where it has its own."""
        self.per_pod = per_pod
        """How many indexes one completion index of the Job stands for."""
        self.outputs = outputs or []
        self.timeout, self.grace = timeout, grace
        self.retries = retries
        """Further attempts after one that left no manifest; None leaves that to others."""
        self.restarted = restarted
        """Whether the container is started again, with the same scratch folder, unless it ends
        with 0."""
        self.patience = patience
        """How long the store may be away at a time, before and after the command."""
        self.memory = memory
        """Bytes; the container has that limit already."""
        self.environment = environment or {}
        self.secrets = secrets or []
        """Names of variables that the container has already."""
        self.data = data or []
        """`{sha256, size, path, mode, kind}` of what is to be fetched before the start."""
        self.idle_limit = idle_limit
        """As `Assignment.idle_limit`."""
        self.sent = sent
        """When the run was sent off, in seconds since the epoch; 0 where that does not matter."""
        self.pulling = pulling
        """How long its image took, where whoever made the container fetched it before."""
        self.file_limit, self.byte_limit = file_limit, byte_limit
        """How many results an attempt may have, and how many bytes together."""
        self.scratch = scratch
        """A folder to write to, which goes with the pod."""
        self.image = image
        """The image's root: empty in a container."""

    @classmethod
    def read(cls, folder: str) -> PodAssignment:
        """The assignment in a folder, `assignment.json` or the same compressed by gzip.

        Raises:
            OSError: there is none.
            ValueError, TypeError: it is of another format, or malformed.
        """
        path = f"{folder}/{NAME}"
        compressed = not os.path.exists(path) and os.path.exists(path + ".gz")
        with open(path + ".gz" * compressed, "rb") as stream:
            data = stream.read()
        if compressed:
            import gzip

            data = gzip.decompress(data)
        told = json.loads(data)
        if told.pop("format", None) != FORMAT:
            raise ValueError(f"an assignment of another format than {FORMAT}")
        return cls(**told)

    @property
    def shared_root(self) -> str:
        """The folder of the working directories of several inputs, each in its turn."""
        return f"{self.scratch}/work/each"

    def indexes(self, completion: int) -> range:
        """The indexes of a completion index of the Job."""
        first = completion * self.per_pod
        return range(first, min(first + self.per_pod, len(self.inputs)))
