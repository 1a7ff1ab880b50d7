"""What the tools answer. Every answer ends with what can be called next, and is bounded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from dispatcher.run import Failure, State
from packer.record import Record

Number = float | str
"""A number; "nan" and "inf" are said in words."""
Reused = Annotated[
    bool,
    Meta(description="Whether nothing was run: `run` is an earlier run of the same, and answers."),
]


class Step(Record, frozen=True):
    """A call that makes sense now."""

    tool: str
    arguments: dict[str, Any] = {}
    why: str = ""


class Answer(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Base of what tools answer."""

    next: tuple[Step, ...] = ()


class Problem(Answer, frozen=True):
    """Why a call came to nothing."""

    code: str
    phase: str
    blame: Literal["user", "infra", "capacity", "config"]
    retryable: bool
    message: str
    cause: str = ""
    evidence: str = ""
    fix: str = ""


class Finding(Record, frozen=True, omit_defaults=False):
    """One thing that was looked at."""

    area: str
    what: str
    state: Literal["ok", "poor", "problem"]
    said: str = ""
    fix: str = ""


class Budget(Record, frozen=True, omit_defaults=False):
    """What a group may use. Null: without limit."""

    group: str
    gpu_hours: float | None
    gpu_hours_spent: float
    gpu_hours_reserved: Annotated[
        float, Meta(description="What runs under way may come to, by their time-outs.")
    ]
    gpu_hours_left: float | None
    runs: Annotated[int | None, Meta(description="Indexes that may be under way at once.")]
    runs_under_way: int
    runs_left: int | None


class Checked(Answer, frozen=True):
    """Whether it could be submitted."""

    ok: bool
    target: str
    project: str
    findings: tuple[Finding, ...]
    budget: Budget | None
    asks_gpu_hours: Annotated[
        float | None, Meta(description="At most; null where there is no time-out.")
    ]
    asks_runs: int


class Submitted(Answer, frozen=True):
    """A run that has an id; its images are packed in the background."""

    run: str
    state: State
    indexes: int
    group: str
    target: str
    reused: Reused


class Index(Record, frozen=True, omit_defaults=False):
    """One index of a run."""

    name: str
    state: State
    exit_code: int | None
    seconds: float | None
    parameters: dict[str, str]
    failure: Failure | None
    waiting: Annotated[Failure | None, Meta(description="Why it does not go on; it may yet.")]


class Going(Record, frozen=True, omit_defaults=False):
    """How a run is going."""

    run: str
    state: State
    ended: bool
    reused: Reused
    counts: Annotated[dict[str, int], Meta(description="Indexes by state.")]
    said: Annotated[str, Meta(description="What goes on, in a sentence.")]
    troubled: Annotated[
        tuple[Index, ...], Meta(description="Indexes that failed or wait for somebody; some.")
    ]


class Waited(Answer, frozen=True):
    """What waiting came to."""

    ended: Annotated[bool, Meta(description="Whether all runs have ended.")]
    waited: Annotated[float, Meta(description="Seconds.")]
    runs: tuple[Going, ...]
    cursor: str


class Row(Record, frozen=True, omit_defaults=False):
    """One run of a list."""

    run: str
    state: State
    created: str
    group: str
    target: str
    gpu: str
    command: str
    indexes: int
    succeeded: int
    code: Annotated[str, Meta(description="Of the first failure, or of what it waits for.")]


class Listed(Answer, frozen=True):
    """Runs, the newest first."""

    runs: tuple[Row, ...]
    more: bool


class Detail(Record, frozen=True, omit_defaults=False):
    """All about one index."""

    name: str
    state: State
    exit_code: int | None
    command: str
    parameters: dict[str, str]
    digest: str | None
    attempts: int
    started: str
    ended: str
    seconds: float | None
    failure: Failure | None
    waiting: Failure | None
    warnings: tuple[str, ...]
    metrics: dict[str, Number]
    metrics_in_all: int
    files: tuple[str, ...]
    files_in_all: int
    hardware: dict[str, Any]


class Told(Answer, frozen=True):
    """All about a run."""

    run: str
    state: State
    reused: Reused
    created: str
    name: str
    group: str
    project: str
    target: str
    gpu: str
    timeout: Annotated[float, Meta(description="Seconds; 0 for none.")]
    environment: str | None
    snapshot: str | None
    provenance: dict[str, Any]
    indexes: tuple[Detail, ...]
    indexes_in_all: int


class Log(Answer, frozen=True):
    """Output, as much as fits, up to a line of it."""

    run: str
    state: State
    text: Annotated[str, Meta(description="Both streams; what \\r overwrote is left out.")]
    lines: int
    skip: Annotated[int, Meta(description="Lines that come after these.")]
    earlier: Annotated[bool, Meta(description="Whether there are lines before these.")]


class File(Record, frozen=True, omit_defaults=False):
    """One file that a command wrote."""

    run: str
    path: str
    size: int
    sha256: str


class Content(Record, frozen=True, omit_defaults=False):
    """A part of a file."""

    path: str
    text: str
    offset: int
    size: Annotated[int, Meta(description="Of the whole file, in bytes.")]
    more: bool


class Files(Answer, frozen=True):
    """Files that a run wrote."""

    run: str
    state: State
    files: tuple[File, ...]
    files_in_all: int
    content: Content | None = None
    fetched: Annotated[tuple[str, ...], Meta(description="Paths on the server's machine.")] = ()
    fetched_in_all: int = 0


class Compared(Record, frozen=True, omit_defaults=False):
    """One row of a comparison."""

    run: str
    state: str
    parameters: dict[str, str]
    metrics: dict[str, Number]
    digest: str | None


class Comparison(Answer, frozen=True):
    """Runs side by side."""

    rows: tuple[Compared, ...]
    rows_in_all: int
    parameters: Annotated[tuple[str, ...], Meta(description="Those that vary.")]
    metrics: Annotated[tuple[str, ...], Meta(description="Those that vary, or were asked for.")]
    metrics_left_out: Annotated[
        tuple[str, ...], Meta(description="Further ones; name them in `metrics`.")
    ]
    same: Annotated[dict[str, str], Meta(description="What is the same in all rows.")]
    best: Annotated[str, Meta(description="The best row's run; empty where not asked for.")]


class LevelHolds(Record, frozen=True, omit_defaults=False):
    """Whether a level holds; null where nobody looked."""

    name: str
    holds: bool | None
    why: str


class Reproduced(Answer, frozen=True):
    """A reproduction that was begun, or what it has shown."""

    reference: str
    digest: str
    run: Annotated[str, Meta(description="The reproduction; empty where nothing was run.")]
    ended: bool
    earlier: Annotated[str, Meta(description="What it is compared with; empty where unknown.")]
    asked: Annotated[str, Meta(description="The level that was asked for.")]
    holds: Annotated[bool | None, Meta(description="Whether that holds; null until it ended.")]
    level: Annotated[str, Meta(description="The strongest that holds.")]
    levels: tuple[LevelHolds, ...] = ()
    difference: Annotated[str, Meta(description="The first one, at the level asked for.")] = ""
    cause: Annotated[str, Meta(description="Why outputs differ, as far as anything tells.")] = ""


class Ended(Record, frozen=True, omit_defaults=False):
    """A run that was asked to stop."""

    run: str
    state: State


class Cancelled(Answer, frozen=True):
    """Runs that were asked to stop; they end within their grace time."""

    runs: tuple[Ended, ...]


class GpuClass(Record, frozen=True, omit_defaults=False):
    """GPUs of one class. Null: unknown."""

    name: str
    count: int
    free: int | None
    largest_free: Annotated[int | None, Meta(description="Free on the node that has most.")]
    largest: int
    memory: Annotated[int, Meta(description="Bytes of one.")]
    drivers: tuple[str, ...]
    queue: str
    usable: bool


class Hardware(Answer, frozen=True):
    """What there is to run on."""

    target: str
    classes: tuple[GpuClass, ...]
    machine: Annotated[
        tuple[dict[str, Any], ...], Meta(description="GPUs of this machine, where runs go there.")
    ]
    unknown: str
