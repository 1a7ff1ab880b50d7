from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher import diagnosis, dispatch, logs, orders, refusal
from dispatcher.errors import Conflict, RunUnknown
from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.request import Input, Request
from dispatcher.run import UNPACKED, Run, now, unreported
from dispatcher.store import RunKeys, Runs
from packer.digest import Digest
from packer.errors import DiskFull

DIGEST = Digest.of(b"an image")


def ordered(run_id: str, key: str = "", created: str = "", timeout: float = 60) -> Run:
    one = Input(command=("true",), digest=UNPACKED)
    return Run(
        id=run_id,
        created=created or now(),
        request=Request(inputs=(one, one), repository="/r", idempotency_key=key, timeout=timeout),
        snapshot=UNPACKED,
        environment=UNPACKED,
    )


def packed(order: Run) -> Run:
    """With what packing finds out, on a CUDA base."""
    one = replace(order.request.inputs[0], digest=DIGEST)
    resources = replace(order.request.resources, cuda="12.8", driver="570.26")
    request = replace(order.request, inputs=(one, one), resources=resources)
    return replace(order, request=request, snapshot=DIGEST, environment=DIGEST)


def test_an_order_waits_until_it_is_a_run(places: Places) -> None:
    order, runs = ordered("train-abcdef"), Runs.at(places)
    with orders.held(order.id, places):
        assert dispatch.order(order, places) == order
        with pytest.raises(RunUnknown):
            runs.run(order.id)
        assert runs.known(order.id) == order
        assert runs.all() == [order]
        status = dispatch.status(order.id, places)
        assert (status.state, status.final, len(status.indexes)) == ("queued", False, 2)
        assert status.indexes[0].waiting
        assert status.indexes[0].waiting.code == "PACKING"
        orders.tell(order.id, runs, "fetching wheels, 3 MB of 9 MB")
        (first, _) = dispatch.status(order.id, places).indexes
        assert first.waiting
        assert first.waiting.message.endswith(": fetching wheels, 3 MB of 9 MB")
        runs.add(packed(order))
        assert runs.known(order.id) == packed(order)
        # One record, though there are two marks of how recent it is.
        assert runs.all() == [packed(order)]


def test_an_earlier_run_answers_for_an_order(places: Places) -> None:
    runs, earlier = Runs.at(places), replace(packed(ordered("early-aaaaaa")), id="early-aaaaaa")
    runs.add(earlier)
    for index in range(2):
        manifest = replace(unreported(earlier, index, 1), state="succeeded", exit_code=0)
        runs.commit(manifest)
    order = ordered("train-abcdef", key="k")
    with orders.held(order.id, places), Observer(earlier.id, places):
        dispatch.order(order, places)
        with Observer(order.id, places) as observer:
            assert observer.one(0).waiting
            orders.answer(order.id, earlier.id, runs)
            status = observer.all()
    assert (status.run, status.state) == (earlier.id, "succeeded")
    assert runs.known(order.id) == earlier
    assert runs.ordered(order.id) == order
    # It is one run, under one name.
    assert runs.all() == [earlier]
    (waited,) = dispatch.wait([order.id], places, 0)
    assert waited == status
    # The same key and request again get the same answer, another request does not.
    assert dispatch.order(replace(order, id="train-bcdefg"), places) == order
    with pytest.raises(Conflict):
        dispatch.order(ordered("train-cdefgh", key="k", timeout=61), places)


def test_a_tail_of_an_order_is_that_of_the_run_that_answers(places: Places) -> None:
    runs, earlier = Runs.at(places), replace(packed(ordered("early-aaaaaa")), id="early-aaaaaa")
    runs.add(earlier)
    runs.store.put(RunKeys(earlier.id).log(0, 1, 0), b'[0,"out","1\\n2\\n3\\n"]\n')
    order = ordered("train-abcdef")
    runs.order(order)
    orders.answer(order.id, earlier.id, runs)
    for follow in (False, True):
        events = logs.follow(order.id, 0, places, follow=follow, tail=1)
        assert "".join(event.text for event in events) == "3\n"


def test_whoever_looks_sees_an_order_become_a_run(places: Places) -> None:
    order, runs = ordered("train-abcdef"), Runs.at(places)
    with orders.held(order.id, places):
        dispatch.order(order, places)
        with Observer(order.id, places) as observer:
            assert observer.one(1).waiting
            runs.add(packed(order))
            # It was never started on this machine.
            assert observer.one(1).state == "lost"
            assert orders.packed(observer.run)


def test_what_was_refused_says_why(places: Places) -> None:
    order, runs = ordered("train-abcdef"), Runs.at(places)
    dispatch.order(order, places)
    failure = diagnosis.of_error(DiskFull("a layer", "/cache", 1))
    refusal.write(order.id, runs, "failed", failure)
    (status,) = dispatch.wait([order.id], places, timeout=0)
    assert (status.state, status.final) == ("failed", True)
    assert [each.failure for each in status.indexes] == [failure, failure]
    assert failure.blame == "infra"


def test_an_order_nobody_packs_for_is_lost(places: Places) -> None:
    order = ordered("train-abcdef")
    with orders.held(order.id, places):
        dispatch.order(order, places)
    assert dispatch.status(order.id, places).state == "lost"
    # Elsewhere nobody can tell, until a day has gone by.
    away = replace(places, state=places.state / "another")
    assert dispatch.status(order.id, away).state == "queued"
    old = ordered("train-old222", created="2026-01-01T00:00:00Z")
    dispatch.order(old, away)
    assert dispatch.status(old.id, away).state == "lost"


def test_cancelling_an_order_leaves_word_for_its_packer(places: Places) -> None:
    order, runs = ordered("train-abcdef"), Runs.at(places)
    with orders.held(order.id, places):
        dispatch.order(order, places)
        dispatch.cancel(order.id, places)
        assert runs.store.has(RunKeys(order.id).cancel)
        assert dispatch.status(order.id, places).state == "queued"


def test_the_same_key_gives_the_same_order(places: Places) -> None:
    first, runs = ordered("train-aaaaaa", "k"), Runs.at(places)
    with orders.held(first.id, places):
        dispatch.order(first, places)
        assert dispatch.order(ordered("train-bbbbbb", "k"), places) == first
        with pytest.raises(Conflict) as refused:
            dispatch.order(ordered("train-bbbbbb", "k", timeout=61), places)
        assert refused.value.differences == ("timeout",)
        runs.add(packed(first))
        # What only packing finds out is not compared.
        assert dispatch.order(ordered("train-bbbbbb", "k"), places) == packed(first)
    assert runs.ids() == [first.id]


def test_the_key_of_what_became_no_run_is_free_again(places: Places) -> None:
    first, second = ordered("train-aaaaaa", "k"), ordered("train-bbbbbb", "k")
    with orders.held(first.id, places):
        dispatch.order(first, places)
        refusal.write(first.id, Runs.at(places), "failed", None)
    with orders.held(second.id, places):
        assert dispatch.order(second, places) == second
        assert dispatch.order(ordered("train-cccccc", "k"), places) == second
    # Its packer is gone.
    third = ordered("train-dddddd", "k")
    assert dispatch.order(third, places) == third
