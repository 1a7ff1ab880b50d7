"""`sendoff.ship`, `ship_many` and `sweep`: pack a project and send it off."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sendoff.errors import Misuse
from sendoff.grid import SetUp, plan
from sendoff.nearest import nearest
from sendoff.preparation import Order, answered, prepare, send
from sendoff.session import Session
from sendoff.settings.catalogue import BY_KEY

if TYPE_CHECKING:
    import os

    from dispatcher.run import Run as RunRecord
    from sendoff.handle import Run


class Wishes(TypedDict, total=False):
    """What `ship`, `ship_many` and `sweep` take by keyword; each overrides its setting."""

    target: str
    gpu: str | Sequence[str]
    """GPU class: "h100", "h100:2"; several, of which the first that can be had: "h100,a100-80gb",
    or a sequence of them."""
    cuda: str
    """CUDA line to pack for: "12.8", or "none"; by default as the GPU class implies."""
    cpus: float
    memory: str | int
    """Bytes, or text such as "16Gi"."""
    timeout: str | float
    """Seconds, or text such as "30m"."""
    grace: str | float
    idle_limit: str
    """End it if all its GPUs are idle: "5%,10m" is less than 5 % busy for ten minutes."""
    retries: int
    max_parallel: int
    group: str
    outputs: Sequence[str]
    result_files: int
    """How many files an index may leave as results."""
    result_size: str | int
    """Bytes that they may have together, or text such as "200Gi"."""
    inputs: Sequence[str]
    """`SRC:DST`: files and directories outside the project, read-only for the command."""
    per_pod: int
    env: Mapping[str, str]
    deterministic: bool
    """Set what frameworks need to repeat themselves."""
    reuse: bool
    """Let an earlier run of the same request on the same image answer, if it succeeded."""
    secrets: Sequence[str]
    namespace: str
    """Of the cluster, as the three below it."""
    queue: str
    priority: str
    spot: bool
    """Whether nodes that may be taken away will do."""
    pending_timeout: str | float
    base: str
    """Base image of targets other than local."""
    python: str
    """The sandbox's interpreter."""


def ship(
    command: str | Sequence[str | os.PathLike[str]],
    *,
    name: str = "",
    project: str | os.PathLike[str] = ".",
    idempotency_key: str = "",
    **wishes: Unpack[Wishes],
) -> Run:
    """Pack `project` with its environment, start `command` in it, and return at once.

    `command` is a sequence of arguments, or a text that is split as a shell would; no shell runs.

    Raises:
        SendoffError: with its code, cause and remedy.
    """
    commands = (SetUp(parameters={}, command=_words(command)),)
    order = Order(setups=commands, name=name, idempotency_key=idempotency_key)
    return _ship(order, project, wishes)


def ship_many(
    commands: Iterable[str | Sequence[str | os.PathLike[str]]],
    *,
    name: str = "",
    project: str | os.PathLike[str] = ".",
    idempotency_key: str = "",
    **wishes: Unpack[Wishes],
) -> Run:
    """As `ship`, with several commands: one run with an index for each.

    Raises:
        SendoffError: as `ship`; Misuse where `commands` is a single text.
    """
    if isinstance(commands, str):
        raise Misuse("commands is a single text", fix=f"ship_many([{commands!r}])")
    setups = tuple(SetUp(parameters={}, command=_words(command)) for command in commands)
    order = Order(setups=setups, name=name, idempotency_key=idempotency_key)
    return _ship(order, project, wishes)


def sweep(
    command: str | Sequence[str | os.PathLike[str]],
    parameters: Mapping[str, Iterable[object]],
    *,
    zipped: bool = False,
    name: str = "",
    project: str | os.PathLike[str] = ".",
    idempotency_key: str = "",
    **wishes: Unpack[Wishes],
) -> Run:
    """As `ship`, for every combination of parameters, `{name}` in the command being the value.

    `zipped` takes the values side by side instead.

    Raises:
        SendoffError: as `ship`; Misuse where nothing varies, or the values of one are a text.
    """
    if not parameters:
        raise Misuse("nothing varies", "a sweep needs a parameter", 'sweep(…, {"lr": [0.1, 0.2]})')
    values = {key: _values(key, some) for key, some in parameters.items()}
    setups = plan(_words(command), values, zipped=zipped)
    order = Order(setups=setups, name=name, idempotency_key=idempotency_key)
    return _ship(order, project, wishes)


def _values(name: str, given: Iterable[object]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise Misuse(f"the values of {name} are a text", fix=f"{{{name!r}: [{given!r}]}}")
    return tuple(map(str, given))


def _words(command: str | Sequence[str | os.PathLike[str]]) -> tuple[str, ...]:
    import os

    try:
        parts = shlex.split(command) if isinstance(command, str) else command
        return tuple(os.fspath(part) for part in parts)
    except (ValueError, TypeError) as error:
        raise Misuse(
            f"can't read the command {command!r}",
            str(error),
            'give a list of texts: ["python", "train.py", "--seed", "3"]',
        ) from None


def understood(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The wishes as settings take them: a sequence of GPU classes is one text.

    Raises:
        Misuse: there is no such wish.
    """
    for name in wishes:
        if name.replace("_", "-") not in BY_KEY:
            near = nearest(name, Wishes.__annotations__)
            raise Misuse(
                f"there is no {name!r} to ask for", fix=f"did you mean {near!r}?" * bool(near)
            )
    gpu = wishes.get("gpu")
    return {**wishes, "gpu": ",".join(gpu)} if isinstance(gpu, (list, tuple)) else dict(wishes)


def _ship(order: Order, project: str | os.PathLike[str], wishes: Mapping[str, Any]) -> Run:
    session = Session.open(Path(project), understood(wishes))
    return sent(prepare(session, order)[1], session)


def sent(record: RunRecord, session: Session) -> Run:
    """What was prepared, started; or the earlier run that answers for it, where one may.

    While it starts, this process gets ready to pack again.

    Raises:
        SendoffError: what `dispatch.submit` raises.
    """
    from dispatcher import targets
    from packer.environment.directory_watch import WATCHES
    from sendoff.handle import Run

    if earlier := answered(record, session):
        return Run(earlier, session, reused=True)
    targets.expect_more(record.request.target)
    run = Run(send(record, session), session)
    WATCHES.keep()
    return run
