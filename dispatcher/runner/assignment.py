"""What a runner is told: one attempt at one index of a run."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "sendoff.assignment/1"
FILE_LIMIT, BYTE_LIMIT = 10_000, 100 << 30
"""How many results an attempt may have, and how many bytes together, unless it is told."""


class Assignment:
    """One attempt. Paths are absolute paths of this machine, times are in seconds."""

    def __init__(
        self,
        *,
        run: str,
        index: int,
        attempt: int,
        digest: str,
        command: list[str],
        store: str,
        workspace: str,
        output_dir: str,
        outputs: list[str],
        timeout: float = 0,
        grace: float = 30,
        memory: int = 0,
        data: list[dict[str, Any]] | None = None,
        idle_limit: list[float] | None = None,
        before: dict[str, float] | None = None,
        placed: float = 0,
        file_limit: int = FILE_LIMIT,
        byte_limit: int = BYTE_LIMIT,
        log_limit: int = 1 << 30,
        environment: dict[str, str] | None = None,
        several: bool = False,
        format: str = FORMAT,  # noqa: A002 (the record's field)
    ) -> None:
        if format != FORMAT:
            raise ValueError(f"an assignment of the format {format!r}, not {FORMAT}")
        self.run, self.index, self.attempt, self.digest = run, index, attempt, digest
        self.command = command
        self.store = store
        """The directory of the store."""
        self.workspace = workspace
        """The command's working directory."""
        self.output_dir = output_dir
        """`$SENDOFF_OUTPUT_DIR`."""
        self.outputs = outputs
        """Patterns below the working directory."""
        self.timeout, self.grace = timeout, grace
        self.memory = memory
        """Bytes that the command and its children may use; 0 for no limit."""
        self.data = data or []
        """What is to be put into the workspace before the start, see `data`."""
        self.idle_limit = idle_limit
        """`[share, seconds]`: a command whose GPUs are all less busy for so long is ended."""
        self.before, self.placed = before or {}, placed
        """As `phases.Phases`."""
        self.environment = environment
        """What the command's environment is made from; else the runner's own."""
        self.several = several
        """Whether other assignments may follow, in the same workspace."""
        self.file_limit, self.byte_limit, self.log_limit = file_limit, byte_limit, log_limit

    @classmethod
    def read(cls, data: bytes) -> Assignment:
        """The assignment in this JSON.

        Raises:
            ValueError, TypeError: it is of another format, or malformed.
        """
        return cls(**json.loads(data))

    def encode(self) -> bytes:
        """The assignment as one line of JSON."""
        return json.dumps({**vars(self), "format": FORMAT}).encode() + b"\n"
