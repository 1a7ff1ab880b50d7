from __future__ import annotations

import json

import msgspec
import pytest

from dispatcher.docker import container
from dispatcher.docker.container import Spread, Surroundings
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Run
from packer.digest import Digest

DIGEST = Digest.of(b"image")
REQUEST = Request(
    inputs=(Input(command=("python", "train.py"), digest=DIGEST),),
    repository="registry.example/team/runs",
    target="docker",
)


def run(count: int = 1, **request) -> Run:
    asked = msgspec.structs.replace(REQUEST, inputs=REQUEST.inputs * count, **request)
    return Run(
        id="train-abcdef",
        created="2026-11-24T03:11:27Z",
        request=asked,
        snapshot=DIGEST,
        environment=DIGEST,
    )


@pytest.mark.parametrize(
    ("name", "asked", "around"),
    [
        ("plain", run(), Surroundings(cores=4, memory=8 << 30)),
        (
            "all",
            run(
                3,
                resources=Resources(gpu="h100:2", cpus=1.5, memory=1 << 30),
                retries=2,
                max_parallel=2,
            ),
            Surroundings(cores=4, memory=8 << 30, store="/var/results", user="1001:1001"),
        ),
    ],
)
def test_containers(golden, name: str, asked: Run, around: Surroundings):
    made = container.containers(asked, around)
    golden(f"docker/{name}.json", json.dumps(made, indent=1) + "\n")


@pytest.mark.parametrize(
    ("retries", "each", "expected"), [(0, 1, 0), (0, 5, 0), (1, 1, 1), (2, 1, 2), (1, 5, 9)]
)
def test_every_input_may_have_all_of_its_tries(retries: int, each: int, expected: int):
    assert container.restarts(run(retries=retries), each) == expected


@pytest.mark.parametrize(
    ("inputs", "parallel", "cores", "expected"),
    [
        (1, 0, 8, (1, 1)),
        (10, 0, 4, (4, 3)),
        (10, 3, 8, (3, 4)),
        (2, 5, 1, (2, 1)),
        (9, 8, 1, (5, 2)),
    ],
)
def test_inputs_are_spread(inputs: int, parallel: int, cores: int, expected):
    found = container.spread(run(inputs, max_parallel=parallel), cores)
    assert found == Spread(containers=expected[0], each=expected[1])
    assert found.containers * found.each >= inputs > (found.containers - 1) * found.each


def test_containers_may_take_as_long_as_their_inputs_one_after_another():
    asked = run(10, timeout=14_400.0, grace=30.0, retries=1)
    lasting = container.lasting(asked, Spread(containers=4, each=3))
    assert lasting == (14_400 + 30 + 3600) * 3 * 2
    assert container.lasting(run(1, timeout=60.0), Spread(containers=1, each=1)) == 24 * 3600
    assert container.lasting(run(10), Spread(containers=4, each=3)) == 0, "nobody knows"
