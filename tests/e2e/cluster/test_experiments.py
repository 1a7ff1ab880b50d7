"""Scripts that were not written for sendoff on a cluster's GPUs, and what that took."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import experiments
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Site
from tests.e2e.experiments import EXPERIMENTS, FRONTS, Experiment

PHASES = ("queued", "pulling", "starting", "running", "uploading")
PRICE = 2.5
SENT = len(EXPERIMENTS) * len(FRONTS)


class Wave:
    """Every experiment through every front, all at once, for the two GPUs there are."""

    def __init__(self, site: Site, env: dict[str, str], group: str) -> None:
        self.site, self.env, self.group = site, env, group
        settings = {"gpu": "h100", "group": group, "timeout": "5m"}
        self.sent = {
            (experiment.name, name): front(experiment, env, settings)
            for experiment in EXPERIMENTS
            for name, front in FRONTS.items()
        }


@pytest.fixture(scope="module")
def wave(site: Site, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wave]:
    home = str(tmp_path_factory.mktemp("home"))
    env = environment(experiments.sandbox(), cache) | site.variables() | {"HOME": home}
    env["SENDOFF_PRICES"] = f"h100={PRICE}"
    group = f"wave-{os.urandom(4).hex()}"
    yield Wave(site, env, group)
    groups = f"sendoff.io/group in ({group},{group}-again)"
    site.kubectl("delete", "jobs", "-l", groups, "--wait=false")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_what_it_reports_is_read_whichever_front_it_came_by(
    wave: Wave, experiment: Experiment
) -> None:
    found = []
    for name in FRONTS:
        index = experiments.index_of(experiment, wave.env, wave.sent[experiment.name, name])
        experiments.check(experiment, index)
        found.append((index["digest"], experiments.same(experiment, index)))
        assert set(index["phases"]) == set(PHASES)
        assert index["phases"]["running"] == pytest.approx(index["seconds"], abs=0.001)
    assert all(each == found[0] for each in found)


def test_the_wave_is_added_up_by_class_and_priced(wave: Wave) -> None:
    some = EXPERIMENTS[0]
    for run in wave.sent.values():
        experiments.sendoff(some, wave.env, "wait", run)
    bill = json.loads(experiments.sendoff(some, wave.env, "cost", "--group", wave.group, "--json"))
    (h100,) = bill["classes"]
    assert (bill["runs"], h100["gpu"], h100["indexes"]) == (SENT, "h100", SENT)
    seconds = h100["seconds"]
    held = sum(seconds[name] for name in PHASES[1:])
    assert h100["gpu_hours"] == pytest.approx(held / 3600)
    assert bill["cost"] == h100["cost"] == pytest.approx(h100["gpu_hours"] * PRICE)
    assert (bill["unpriced"], bill["currency"], h100["busy"]) == ([], "USD", None)
    # All took turns on two GPUs.
    assert seconds["queued"] > seconds["running"] / SENT
    shown = experiments.sendoff(some, wave.env, "cost", "--group", wave.group)
    assert shown.splitlines()[1].split()[0] == "h100"
    assert "USD" in shown


def test_the_phases_are_what_the_cluster_saw(wave: Wave) -> None:
    """Its own stamps have whole seconds: those of the pod's place, and of its container's start."""
    (run, *_) = wave.sent.values()
    index = experiments.index_of(EXPERIMENTS[0], wave.env, run)
    pod = wave.site.pod(run, 0)
    placed = next(x for x in pod["status"]["conditions"] if x["type"] == "PodScheduled")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    job = json.loads(wave.site.kubectl("get", "job", run, "-o", "json"))
    sent = experiments.stamp(job["metadata"]["creationTimestamp"])
    phases = index["phases"]
    scheduled = experiments.stamp(placed["lastTransitionTime"]) - sent
    pulled = experiments.stamp(ended["startedAt"]) - sent
    whole = experiments.stamp(ended["finishedAt"]) - sent
    assert phases["queued"] == pytest.approx(scheduled, abs=2)
    assert phases["queued"] + phases["pulling"] == pytest.approx(pulled, abs=2)
    assert sum(phases.values()) == pytest.approx(whole, abs=2)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_it_is_reproduced_to_the_bit_from_its_run_and_from_its_digest(
    wave: Wave, experiment: Experiment
) -> None:
    settings = {"gpu": "h100", "group": f"{wave.group}-again", "timeout": "5m"}
    run = experiments.to_be_reproduced(experiment, wave.env, settings)
    digest = experiments.index_of(experiment, wave.env, run)["digest"]
    first = experiments.reproduced(experiment, wave.env, run)
    assert (first["digest"], first["earlier"]) == (digest, run)
    again = experiments.reproduced(experiment, wave.env, digest)
    assert again["digest"] == digest
    assert len({run, first["run"], again["run"]}) == 3
