"""The same images once more, with other resources where that is asked for: nothing is packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dispatcher.errors import NotPacked
from dispatcher.orders import packed
from dispatcher.request import Request, Resources
from dispatcher.run import Run, new_id, now

_RESOURCES = frozenset(Resources.__struct_fields__)
_RENAMED = {"env": "environment"}
_OF_REQUEST = frozenset(Request.__struct_fields__)


def again(run: Run, indexes: Sequence[int], given: Mapping[str, Any], *, name: str = "") -> Run:
    """The record of a new run of these indexes of `run`.

    `given` are settings that were named by flags, as values; everything else is as it was. Those
    that decide an image (variables of the command among them) stay: a digest is what it is.

    Raises:
        NotPacked
    """
    if not packed(run):
        raise NotPacked(run.id)
    asked = {_RENAMED.get(key, key): value for key, value in given.items()}
    resources = {key: value for key, value in asked.items() if key in _RESOURCES}
    if "per_pod" in asked:
        asked["per_pod"] = asked["per_pod"] or 1
    others = {key: value for key, value in asked.items() if key in _OF_REQUEST}
    request = msgspec.structs.replace(
        run.request,
        inputs=tuple(run.request.inputs[index] for index in indexes),
        resources=msgspec.structs.replace(run.request.resources, **resources),
        name=name or run.request.name,
        idempotency_key="",
        **others,
    )
    return msgspec.structs.replace(
        run,
        id=new_id(name or run.id.rpartition("-")[0]),
        created=now(),
        request=request,
        namespace=given.get("namespace") or run.namespace,
        provenance={**run.provenance, "rerun": run.id},
    )
