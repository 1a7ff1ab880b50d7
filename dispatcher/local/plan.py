"""What a supervisor has to know of a run whose images are ready.

Plain JSON and the standard library: the supervisor starts beside every run, and what it imports
is paid for each time.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Plan:
    """Paths are absolute paths of this machine."""

    def __init__(
        self,
        *,
        inputs: list[dict[str, Any]],
        images: dict[str, dict[str, Any]],
        settings: dict[str, Any],
        environment: dict[str, str],
        secrets: list[str],
        retries: int,
        parallel: int,
        protected: list[str],
    ) -> None:
        self.inputs = inputs
        """`{command, digest, data}` of each index."""
        self.images = images
        """Digest → `{root, layers, variables}`: the environment's folder, the unpacked layers,
        and the variables of the image's config."""
        self.settings = settings
        """What assignments of all indexes have in common."""
        self.environment = environment
        """The request's variables."""
        self.secrets = secrets
        """Names of variables to take from the supervisor's own environment."""
        self.retries, self.parallel = retries, parallel
        self.protected = protected
        """Folders that nothing this run starts may write to."""

    @property
    def first_root(self) -> str:
        """The folder of the environment that the first index is in."""
        root: str = self.images[self.inputs[0]["digest"]]["root"]
        return root

    @classmethod
    def read(cls, path: str) -> Plan | None:
        """The plan in a file; None where there is none."""
        try:
            with open(path, "rb") as stream:
                return cls(**json.loads(stream.read()))
        except FileNotFoundError:
            return None

    def encode(self) -> bytes:
        """The plan as JSON."""
        return json.dumps(vars(self)).encode()
