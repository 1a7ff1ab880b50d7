"""The containers of a run: a pure function of its record. The keywords are the docker SDK's."""

from __future__ import annotations

import os
from typing import Any

from dispatcher.credentials import LIFETIME
from dispatcher.gpu_expression import parse
from dispatcher.request import Request
from dispatcher.run import Run
from packer.image_paths import PREFIX, RUNNER_PROGRAM
from packer.record import Record

RUN_LABEL = "io.sendoff.run"
PLACE_LABEL = "io.sendoff.place"
"""Which of the run's containers it is, from 0."""
PLACES_LABEL = "io.sendoff.places"
"""How many containers the run has."""
CONFIG = "/etc/sendoff"
"""Where the runner finds its assignment and credentials, as in a pod."""
SCRATCH = "/sendoff"
_AROUND = 3600.0
"""Seconds that fetching inputs and storing results may take, for each attempt."""
STORE = "/var/lib/sendoff/store"
"""Where a directory store is mounted."""


class Spread(Record, frozen=True):
    """How inputs are spread over containers: each works through so many, one after another."""

    containers: int
    each: int


class Surroundings(Record, frozen=True):
    """What of this machine a container depends on."""

    cores: int
    """Containers at once where the request leaves it to the target."""
    memory: int
    """Bytes of the engine's machine, which a container has where the request leaves it."""
    store: str = ""
    """The directory of the store; empty for one that is a server."""
    user: str = ""
    """Who writes to that directory: "1000:1000"; empty for the image's own user."""


def spread(run: Run, cores: int) -> Spread:
    """At most `max_parallel` containers (else one for each core), all with as many inputs."""
    inputs = len(run.request.inputs)
    each = -(-inputs // min(inputs, run.request.max_parallel or cores))
    return Spread(containers=-(-inputs // each), each=each)


def lasting(run: Run, spread: Spread) -> float:
    """Seconds for which the run's containers may need credentials, a day at least; 0 where their
    commands have no limit.
    """
    request = run.request
    attempt = (request.timeout + request.grace + _AROUND) if request.timeout else 0.0
    whole = attempt * spread.each * (1 + request.retries)
    return max(whole, LIFETIME) if whole else 0


def indexes(run: Run, place: int, shares: Spread) -> range:
    """The inputs of one container."""
    first = place * shares.each
    return range(first, min(first + shares.each, len(run.request.inputs)))


def restarts(run: Run, each: int) -> int:
    """How often a container is started again: enough for every try of each of its inputs.

    Its runner counts those of an input, and ends well where no further one makes sense.
    """
    return (run.request.retries + 1) * each - 1 if run.request.retries else 0


def containers(run: Run, around: Surroundings) -> list[dict[str, Any]]:
    """Keywords of `docker.DockerClient.containers.create`, for each container of the run."""
    shares = spread(run, around.cores)
    return [_container(run, place, shares, around) for place in range(shares.containers)]


def image(request: Request) -> str:
    """The image of all containers, by digest."""
    return f"{request.repository}@{request.inputs[0].digest}"


def name(run_id: str, place: int) -> str:
    """Fixed by the run, so that creating it twice is a conflict and no second container."""
    return f"{run_id}-{place}"


def _container(run: Run, place: int, shares: Spread, around: Surroundings) -> dict[str, Any]:
    request = run.request
    # One machine has what it has: of several classes the first one's count is taken.
    wanted = parse(request.resources.gpu)
    gpus = wanted[0].count if wanted else 0
    keywords: dict[str, Any] = {
        "image": image(request),
        "name": name(run.id, place),
        "command": [f"{PREFIX}/bin/python", "-I", "-S", RUNNER_PROGRAM, "pod"],
        "labels": {
            RUN_LABEL: run.id,
            PLACE_LABEL: str(place),
            PLACES_LABEL: str(shares.containers),
        },
        "environment": {
            "JOB_COMPLETION_INDEX": str(place),
            "SENDOFF_POD_CONFIG": CONFIG,
            # Else a CUDA base would see every GPU of the machine.
            **({} if gpus else {"NVIDIA_VISIBLE_DEVICES": "void"}),
        },
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "stop_signal": "SIGTERM",
        "network_mode": "bridge",
        # As in a pod: loaders of data share batches through it, and the engine gives 64 MB.
        "shm_size": (request.resources.memory or around.memory) // 2,
    }
    if most := restarts(run, shares.each):
        keywords["restart_policy"] = {"Name": "on-failure", "MaximumRetryCount": most}
    if gpus:
        keywords["device_requests"] = [{"count": gpus, "capabilities": [["gpu"]]}]
    if request.resources.cpus:
        keywords["nano_cpus"] = int(request.resources.cpus * 1e9)
    if request.resources.memory:
        keywords["mem_limit"] = request.resources.memory
        # Without it as much again could be swapped.
        keywords["memswap_limit"] = request.resources.memory
    if around.store:
        keywords["volumes"] = {os.path.abspath(around.store): {"bind": STORE, "mode": "rw"}}  # noqa: PTH100
        keywords["user"] = around.user
    return keywords
