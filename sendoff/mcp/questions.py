"""What the tools take. Each field says what it is, since that is all an agent has to go by."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from packer.record import Record

Many = Meta(min_length=1, max_length=50)
RunName = Annotated[
    str, Meta(description="A run's id, a prefix that no other run has, @last, or RUN/INDEX.")
]
RunNames = Annotated[tuple[RunName, ...], Many]
Count = Annotated[int, Meta(ge=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Start = Annotated[
    int, Meta(ge=0, description="Rows to pass over; answers say when there are more.")
]
Duration = Annotated[str | float, Meta(description='Seconds, or text such as "30m" or "1h30m".')]
Command = Annotated[
    tuple[str, ...] | str,
    Meta(description="Arguments, or one text that is split as a shell would. No shell runs."),
]


class Question(Record, frozen=True, forbid_unknown_fields=True):
    """Base of what tools take; a field that is not known is a slip, and refused."""


class Wishes(Question, frozen=True):
    """What a run may be asked for, besides its command; null takes the project's setting."""

    project: Annotated[
        str, Meta(description="Directory to pack, relative to the server's own project.")
    ] = "."
    name: Annotated[str, Meta(max_length=100, description="Begins the run's id.")] = ""
    group: Annotated[
        str | None, Meta(description="A label shared by related runs; budgets are per group.")
    ] = None
    target: Literal["local", "docker", "kubernetes"] | None = None
    gpu: Annotated[
        str | None,
        Meta(description='GPU class: "h100", "h100:2", "h100,a100-80gb" (in order), "cpu".'),
    ] = None
    cpus: Annotated[NotNegative | None, Meta(description="Cores.")] = None
    memory: Annotated[str | None, Meta(description='Such as "16Gi".')] = None
    outputs: Annotated[
        tuple[str, ...] | None,
        Meta(description="Patterns of result files; by default all that the command writes."),
    ] = None
    inputs: Annotated[
        tuple[str, ...] | None,
        Meta(description="SRC:DST, files or directories outside the project, read-only there."),
    ] = None
    env: Annotated[dict[str, str] | None, Meta(description="Environment variables.")] = None
    secrets: Annotated[
        tuple[str, ...] | None,
        Meta(description="Names of secret variables; values never pass through here."),
    ] = None
    retries: Annotated[
        Count | None, Meta(description="Further attempts after an infrastructure failure.")
    ] = None
    cuda: Annotated[str | None, Meta(description='CUDA line such as "12.8", or "none".')] = None
    python: Annotated[str | None, Meta(description="The sandbox's interpreter.")] = None
    spot: Annotated[
        bool | None, Meta(description="Whether nodes that may be taken away will do.")
    ] = None
    queue: Annotated[str | None, Meta(description="Kueue queue.")] = None
    deterministic: Annotated[
        bool | None, Meta(description="Set what frameworks need to give the same bytes again.")
    ] = None


class Check(Wishes, frozen=True):
    """What might be submitted; nothing is begun."""

    command: Command = ()
    count: Annotated[int, Meta(ge=1, le=10_000, description="Set-ups that are meant.")] = 1
    max_parallel: Annotated[Count | None, Meta(description="Set-ups that are to run at once.")] = (
        None
    )
    timeout: Annotated[
        Duration | None, Meta(description="As for `submit`; without it nobody knows the cost.")
    ] = None


class Sending(Wishes, frozen=True, kw_only=True):
    """What only a run that is begun can be asked for."""

    timeout: Annotated[Duration, Meta(description='Required: a command is ended after it: "30m".')]
    idle_limit: Annotated[
        str | None, Meta(description='End it if its GPUs are less busy: "5%,10m".')
    ] = None
    reuse: Annotated[
        bool | None,
        Meta(description="Answer with an earlier run of the same that succeeded."),
    ] = None
    idempotency_key: Annotated[
        str, Meta(max_length=200, description="The same key gives the same run.")
    ] = ""


class Submit(Sending, frozen=True, kw_only=True):
    """One command to send off."""

    command: Command


class SubmitMany(Sending, frozen=True, kw_only=True):
    """Several commands to send off as one run: `commands`, or `command` with `parameters`."""

    commands: Annotated[
        tuple[Command, ...], Meta(max_length=10_000, description="One for each index.")
    ] = ()
    command: Annotated[
        Command, Meta(description="With {name} where a parameter's value belongs.")
    ] = ()
    parameters: Annotated[
        dict[str, tuple[str | float | int | bool, ...]],
        Meta(description='{"lr": [1e-3, 3e-4]}: every combination is an index.'),
    ] = {}
    zipped: Annotated[bool, Meta(description="Take values side by side instead.")] = False
    max_parallel: Annotated[
        Count | None, Meta(description="Indexes that run at once; 0: as the target likes.")
    ] = None
    per_pod: Annotated[
        Count | None, Meta(description="Indexes that one pod works through in turn.")
    ] = None


LONGEST = 45.0
"""Seconds that an answer may take: clients give a call up after 60."""


class Wait(Question, frozen=True, kw_only=True):
    """Runs to wait for."""

    runs: RunNames
    seconds: Annotated[float, Meta(ge=0, le=LONGEST, description="At most so long.")] = LONGEST
    cursor: Annotated[
        str, Meta(description="Of the answer before: return as soon as anything is different.")
    ] = ""


class Runs(Question, frozen=True):
    """Which runs to list."""

    group: Annotated[str | None, Meta(description="Those of one group.")] = None
    state: (
        Literal["queued", "running", "succeeded", "failed", "cancelled", "timed-out", "lost"] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100, description="Rows.")] = 20
    start: Start = 0


class Run(Question, frozen=True, kw_only=True):
    """The run to tell of."""

    run: RunName
    start: Annotated[int, Meta(ge=0, description="The first index to tell of.")] = 0


class Logs(Question, frozen=True, kw_only=True):
    """Whose output, and which part of it."""

    run: RunName
    lines: Annotated[int, Meta(ge=1, le=1000, description="The last so many lines.")] = 100
    skip: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Lines at the end to pass over first.")
    ] = 0


class Results(Question, frozen=True, kw_only=True):
    """Whose files: to list, to read one (`read`), or to fetch (`into`)."""

    run: RunName
    start: Start = 0
    read: Annotated[str, Meta(description="Path of one file to read, as text.")] = ""
    offset: Annotated[int, Meta(ge=0, description="First byte to read.")] = 0
    into: Annotated[
        str, Meta(description="Directory on the server's machine to fetch files into.")
    ] = ""
    paths: Annotated[
        tuple[str, ...], Meta(max_length=50, description="Files, folders or patterns to fetch.")
    ] = ()


class Compare(Question, frozen=True, kw_only=True):
    """Runs to set side by side."""

    runs: RunNames
    metrics: Annotated[
        tuple[str, ...], Meta(max_length=30, description="Show these, in this order.")
    ] = ()
    sort: Annotated[
        str, Meta(description="Order rows by a metric or parameter; -NAME: downwards.")
    ] = ""
    best: Annotated[
        Literal["max", "min"] | None, Meta(description="Name the best row by the first metric.")
    ] = None
    start: Start = 0


class Reproduce(Question, frozen=True, kw_only=True):
    """What to run again; or, with `run`, the reproduction whose outcome is asked for."""

    reference: Annotated[
        str, Meta(description="sha256:…, REPOSITORY@sha256:…, a run, or RUN/INDEX.")
    ]
    level: Annotated[
        Literal["L0", "L1", "L2", "L3"] | None,
        Meta(description="L0 identity, L1 rebuild (runs nothing), L2 bitwise, L3 statistical."),
    ] = None
    rtol: Annotated[NotNegative | None, Meta(description="Tolerance of L3.")] = None
    run: Annotated[str, Meta(description="Of the answer before, once it has ended.")] = ""
    gpu: Annotated[str | None, Meta(description="Another GPU class than before.")] = None
    target: Literal["local", "docker", "kubernetes"] | None = None
    timeout: Annotated[
        Duration | None, Meta(description="Required where the run before had none.")
    ] = None


class Cancel(Question, frozen=True, kw_only=True):
    """Runs to stop."""

    runs: RunNames


class Gpus(Question, frozen=True):
    """Where to look for GPUs."""

    target: Literal["local", "docker", "kubernetes"] | None = None
    everything: Annotated[bool, Meta(description="Also classes that are not there.")] = False
