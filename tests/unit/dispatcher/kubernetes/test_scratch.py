from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.kubernetes import scratch
from dispatcher.kubernetes.refusals import InputsTooLarge
from dispatcher.request import Data, Request
from tests.unit.dispatcher.kubernetes.conftest import run_of

GIB = 1 << 30


def data(name: str, size: int) -> Data:
    return Data(sha256=name * 64, size=size * GIB, path=f"data/{name}")


def request(*own: Data, per_pod: int = 1, shared: tuple[Data, ...] = ()) -> Request:
    """A request of as many inputs as there are data of their own."""
    asked = run_of(max(1, len(own)), per_pod=per_pod, data=shared).request
    if not own:
        return asked
    inputs = tuple(replace(one, data=(each,)) for one, each in zip(asked.inputs, own, strict=True))
    return replace(asked, inputs=inputs)


def test_what_fits_is_admitted():
    scratch.require(request(), 0)
    scratch.require(request(shared=(data("a", 30), data("b", 20))), 50 * GIB)


def test_what_does_not_fit_is_told_with_the_largest_first():
    with pytest.raises(InputsTooLarge) as refused:
        scratch.require(request(shared=(data("a", 10), data("b", 51))), 50 * GIB)
    error = refused.value
    assert error.what() == "the inputs are 61.0 GiB, more than a pod has room for"
    assert error.evidence() == "data/b: 51.0 GiB\ndata/a: 10.0 GiB"
    assert 'scratch = "62Gi"' in error.fix()


def test_a_pod_keeps_what_all_of_its_inputs_are_given():
    own = (data("a", 30), data("b", 30), data("c", 10))
    scratch.require(request(*own), 30 * GIB)
    with pytest.raises(InputsTooLarge):
        scratch.require(request(*own, per_pod=2), 50 * GIB)
    with pytest.raises(InputsTooLarge):
        scratch.require(request(*own, shared=(data("d", 21),)), 50 * GIB)


def test_what_several_inputs_of_a_pod_are_given_is_fetched_once():
    same = (data("a", 30), data("a", 30))
    scratch.require(request(*same, per_pod=2), 30 * GIB)
