from __future__ import annotations

import msgspec

from sendoff.rerun import again
from tests.unit.sendoff.test_reference import run


def test_what_is_asked_for_replaces_what_was_asked_for() -> None:
    first = msgspec.structs.replace(run("train-abcabc", 3), namespace="research")
    record = again(first, [0, 2], {"gpu": "h200", "per_pod": 2, "timeout": 60.0})
    assert len(record.request.inputs) == 2
    assert record.request.resources.gpu == "h200"
    assert (record.request.per_pod, record.request.timeout) == (2, 60.0)
    assert record.namespace == "research"
    assert record.provenance["rerun"] == first.id
    assert record.id != first.id


def test_another_namespace_and_one_input_a_pod() -> None:
    first = msgspec.structs.replace(run("train-abcabc"), namespace="research")
    record = again(first, [0], {"namespace": "vision", "per_pod": 0})
    assert record.namespace == "vision"
    assert record.request.per_pod == 1
