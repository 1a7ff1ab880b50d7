"""Images sent off once more: as they were, but for what was named for this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.request import Request, Resources
from dispatcher.run import Run as RunRecord
from dispatcher.run import new_id, now
from packer.digest import Digest
from sendoff.reproduction.original import Original
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.dispatch import Begun
    from sendoff.handle import Run

_RESOURCES = frozenset(Resources.__struct_fields__)
_OF_REQUEST = frozenset({"target", "group", "timeout", "grace", "retries"})


def start(
    originals: Sequence[Original],
    session: Session,
    given: Mapping[str, Any],
    begun: Begun | None = None,
) -> Run:
    """Send them off as the indexes of one run; `given` are settings that were named for this.

    `begun` as of `dispatch.submit`.

    Raises:
        InputGone, and what the target raises.
    """
    from dispatcher import dispatch, inputs
    from sendoff.handle import Run

    record = record_of(originals, session, given)
    if record.request.given:
        inputs.require(record.request.given, session.places)
    return Run(dispatch.submit(record, session.places, begun), session)


def record_of(
    originals: Sequence[Original], session: Session, given: Mapping[str, Any]
) -> RunRecord:
    """The run that would be sent off."""
    first = originals[0]
    resources = {key: value for key, value in given.items() if key in _RESOURCES}
    others = {key: value for key, value in given.items() if key in _OF_REQUEST}
    request = replace(
        first.request,
        inputs=tuple(each.request.inputs[0] for each in originals),
        repository=session.settings.registry,
        resources=replace(first.request.resources, **resources),
        idempotency_key="",
        **(_LONE if len(originals) == 1 else {}),
        **others,
    )
    earlier = first.run if len(originals) == 1 else first.run.partition("/")[0]
    return RunRecord(
        id=new_id(_stem(first.run, request)),
        created=now(),
        request=request,
        snapshot=Digest(first.image.labels["snapshot"]),
        environment=Digest(first.image.labels["environment"]),
        namespace=session.settings.namespace if request.target == "kubernetes" else "",
        provenance={"reproduces": earlier or str(first.image.digest)},
    )


def settings_of(session: Session, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among what was named, as values."""
    from sendoff.settings.catalogue import BY_KEY

    fields = {key.replace("-", "_") for key in BY_KEY}
    names = [key.replace("-", "_") for key in wishes]
    return {name: getattr(session.settings, name) for name in names if name in fields}


_LONE: dict[str, Any] = {"per_pod": 1, "max_parallel": 0}


def _stem(earlier: str, request: Request) -> str:
    """What the run is called, less its random letters."""
    stem = earlier.partition("/")[0].rpartition("-")[0]
    return stem or request.name or request.inputs[0].command[0].rpartition("/")[2]
