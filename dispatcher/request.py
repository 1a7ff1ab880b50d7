"""What is asked for: one request, of one input or many."""

from __future__ import annotations

from typing import Literal

from dispatcher.runner.assignment import BYTE_LIMIT, FILE_LIMIT
from packer.digest import Digest
from packer.record import Record


class Data(Record, frozen=True):
    """Something from outside the project that is put into a working directory, read-only."""

    sha256: str
    """Of the file; of a folder, that of its listing (`sendoff.tree/1`, docs/records.md)."""
    size: int
    """Bytes; of a folder, of all its files together."""
    path: str
    """Where it is put, relative to the working directory, "/"-separated."""
    kind: Literal["file", "tree"] = "file"
    executable: bool = False


class Input(Record, frozen=True):
    """One index of a run: the command and the image that holds it."""

    command: tuple[str, ...]
    digest: Digest
    """The run image: environment, runner, code and this command."""
    parameters: dict[str, str] = {}
    """What a sweep varied, in the order given; empty for a single run."""
    data: tuple[Data, ...] = ()
    """What this index alone is given, besides the request's."""


class Resources(Record, frozen=True):
    """Hardware asked for."""

    gpu: str = ""
    """GPU class expression: "h100", "h100:2", "h100,a100-80gb"; empty for none."""
    cpus: float = 0
    """Cores; 0 leaves it to the target."""
    memory: int = 0
    """Bytes; 0 leaves it to the target."""
    cuda: str = ""
    """The CUDA version that the images are for: "12.4", "13" where no more is known, or empty."""
    driver: str = ""
    """The oldest GPU driver that their base is of use with, such as "580.65.06"; empty for any."""


class IdleLimit(Record, frozen=True):
    """When a command whose GPUs have nothing to do is ended."""

    share: float
    """Of its time, as a fraction of 1; a GPU that is less busy is idle."""
    seconds: float
    """For which all of them may be."""

    @property
    def told(self) -> list[float]:
        """As a runner is told, see `Assignment.idle_limit`."""
        return [self.share, self.seconds]


class Request(Record, frozen=True):
    """Everything a target needs to know to run something, and nothing of how it does so."""

    inputs: tuple[Input, ...]
    repository: str
    """Where the images are: for the embedded default the OCI layout's directory."""
    target: str = "local"
    name: str = ""
    group: str = ""
    project: str = ""
    """The project directory's name."""
    resources: Resources = Resources()
    timeout: float = 0
    """Seconds from the command's start; 0 for none."""
    grace: float = 30
    """Seconds between SIGTERM and SIGKILL."""
    idle_limit: IdleLimit | None = None
    """None for as idle as they like."""
    retries: int = 0
    """Further attempts after an infrastructure failure; a command's own failure is not retried."""
    outputs: tuple[str, ...] = ()
    """Patterns below the working directory; empty: whatever the command creates or changes."""
    result_files: int = FILE_LIMIT
    """How many files an index may leave as results."""
    result_size: int = BYTE_LIMIT
    """How many bytes they may have together."""
    data: tuple[Data, ...] = ()
    """What else every command is given; in the store before the run is sent off."""
    environment: dict[str, str] = {}
    """Environment variables of the command."""
    deterministic: bool = False
    """Whether `environment` has what makes frameworks repeat themselves; see docs."""
    secrets: tuple[str, ...] = ()
    """Names only; the value comes from the client's environment (`local`) or a Secret."""
    max_parallel: int = 0
    """Indexes that run at once; 0 leaves it to the target."""
    per_pod: int = 1
    """Inputs that one pod works through, one after the other, where the target has pods."""
    idempotency_key: str = ""

    @property
    def given(self) -> tuple[Data, ...]:
        """All data that any of its inputs is given."""
        return (*self.data, *(each for one in self.inputs for each in one.data))
