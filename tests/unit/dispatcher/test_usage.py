"""What runs took, added up by class."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher import usage
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Manifest, Phases, Usage
from dispatcher.status import IndexStatus
from packer.digest import Digest

IMAGE = Digest.of(b"image")


def asked(gpu: str) -> Request:
    inputs = (Input(command=("x",), digest=IMAGE),)
    return Request(inputs=inputs, repository="r", resources=Resources(gpu=gpu))


def ended(phases: Phases | None = None, **more) -> Manifest:
    fields = {"state": "succeeded", "exit_code": 0, "phases": phases or Phases()}
    return Manifest(run="r", index=0, attempt=1, digest=IMAGE, command=("x",), **{**fields, **more})


FULL = Phases(queued=100, pulling=10, starting=1, running=80, uploading=9)


def test_a_gpu_is_held_from_its_place_to_its_last_result():
    held = usage.of_manifest(asked("h100:2"), ended(FULL, usage=Usage(wall=80, gpu_busy=0.5)))
    assert (held.gpu, held.count, held.gpu_seconds) == ("h100", 2, 200)
    (total,) = usage.by_class([held])
    assert (total.gpu_seconds, total.measured, total.busy) == (200, 200, 80)
    assert total.busy_share == 0.4
    assert total.gpu_hours == 200 / 3600
    assert usage.gpu_hours([held]) == total.gpu_hours


def test_classes_are_added_up_apart_and_what_nobody_knows_stays_unknown():
    mine = [
        usage.of_manifest(asked("h100"), ended(FULL)),
        usage.of_manifest(asked("h100"), ended(Phases(queued=1, running=20))),
        usage.of_manifest(asked(""), ended(Phases(starting=1, running=2))),
        usage.of_manifest(asked("cpu"), ended(Phases(running=3))),
    ]
    cpu, h100 = usage.by_class(mine)
    assert (cpu.gpu, cpu.indexes, cpu.gpu_seconds) == ("cpu", 2, 0)
    assert cpu.phases == Phases(starting=1, running=5)
    assert (h100.indexes, h100.gpu_seconds, h100.busy_share) == (2, 120, None)
    assert h100.phases == Phases(queued=101, pulling=10, starting=1, running=100, uploading=9)
    assert usage.by_class([]) == ()


def test_a_record_from_before_there_were_phases_has_its_wall_time():
    held = usage.of_manifest(asked("a40"), ended(usage=Usage(wall=7)))
    assert held.phases == Phases(running=7)
    assert usage.of_manifest(asked("a40"), ended(state="failed")).gpu_seconds == 0


@pytest.mark.parametrize(
    ("product", "name", "count"),
    [
        ("NVIDIA A100-SXM4-80GB", "a100-80gb", 2),
        ("NVIDIA A100-SXM4-40GB", "a100", 2),
        ("NVIDIA H100 80GB HBM3", "h100", 1),
        ("NVIDIA L4", "h100,a100,a100-80gb", 1),
    ],
)
def test_of_several_classes_the_one_that_was_seen_counts(product, name, count):
    manifest = ended(hardware={"gpus": [{"name": product}] * 2})
    held = usage.of_manifest(asked("h100,a100:2,a100-80gb:2"), manifest)
    assert (held.gpu, held.count) == (name, count)


def test_a_slice_is_one_class_however_it_was_asked_for():
    wishes = ("a100:mig-1g.5gb", "a100-mig-1g.5gb", "A100:MIG-1g.5gb:2")
    (used,) = usage.by_class(usage.of_manifest(asked(gpu), ended(FULL)) for gpu in wishes)
    assert (used.gpu, used.indexes, used.gpu_seconds) == ("a100-mig-1g.5gb", 3, 400)


@pytest.mark.parametrize(
    ("target", "gpus", "name", "count"),
    [
        ("local", 0, "cpu", 0),
        ("local", 1, "h100", 1),
        ("local", 8, "h100", 2),
        # There the target gave them, whatever the driver told.
        ("docker", 0, "h100", 2),
        ("kubernetes", 0, "h100", 2),
    ],
)
def test_on_a_machine_of_ones_own_the_gpus_count_that_are_there(target, gpus, name, count):
    request = msgspec.structs.replace(asked("h100:2"), target=target)
    facts = {"gpus": [{"name": "NVIDIA H100"}] * gpus} if gpus else {}
    held = usage.of_manifest(request, ended(FULL, hardware={"host": "here", **facts}))
    assert (held.gpu, held.count, held.phases) == (name, count, FULL)


def test_words_that_are_no_class_are_taken_as_they_are():
    held = usage.of_manifest(asked("a box of GPUs!"), ended(FULL))
    assert (held.gpu, held.count) == ("a box of GPUs!", 1)


def test_what_goes_on_counts_up_to_now_and_what_waits_does_not():
    indexes = [
        IndexStatus(index=0, state="succeeded", manifest=ended(FULL)),
        IndexStatus(index=1, state="running", started="2026-11-24T03:11:27Z"),
        IndexStatus(index=2, state="running"),
        IndexStatus(index=3, state="queued"),
        IndexStatus(index=4, state="lost"),
    ]
    now = 1795489887.0 + 30
    found = list(usage.of_statuses(asked("h100:4"), indexes, now))
    assert [each.gpu_seconds for each in found] == [400, 120, 0]
