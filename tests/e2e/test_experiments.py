"""Scripts that were not written for sendoff, sent off unchanged on this machine."""

from __future__ import annotations

import os

import pytest

import sendoff
from tests.e2e import experiments
from tests.e2e.experiments import EXPERIMENTS, FRONTS, Experiment
from tests.e2e.sandboxes import TOOLS

pytestmark = [
    pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name),
    pytest.mark.usefixtures("here"),
]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home, sandbox = tmp_path_factory.mktemp("home"), experiments.sandbox()
    ours = ("SENDOFF_T", "SENDOFF_R", "XDG")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "HOME": str(home),
        "VIRTUAL_ENV": str(sandbox),
        "PATH": f"{sandbox}/bin:{TOOLS}:/usr/bin:/bin",
    }


@pytest.fixture
def here(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, as a command with those variables would be."""
    for name in list(os.environ):
        if name.startswith("XDG"):
            monkeypatch.delenv(name)
    for name in ("HOME", "VIRTUAL_ENV", "PATH"):
        monkeypatch.setenv(name, env[name])


def test_every_front_reads_what_it_reports_and_gets_the_same_bytes(
    experiment: Experiment, env: dict[str, str]
) -> None:
    before = sorted(experiment.project.rglob("*"))
    found = []
    for front in FRONTS.values():
        run = front(experiment, env, {"group": "experiments", "timeout": "5m"})
        index = experiments.index_of(experiment, env, run)
        experiments.check(experiment, index)
        found.append((index["digest"], experiments.same(experiment, index)))
        measured = sendoff.get(run).indexes[0].measured()
        assert {name: len(measured[name].history) for name in experiment.metrics} == dict(
            experiment.metrics
        )
    assert all(each == found[0] for each in found)
    # Nothing was left in the author's folder.
    assert sorted(experiment.project.rglob("*")) == before


def test_it_is_reproduced_to_the_bit_from_its_run_and_from_its_digest(
    experiment: Experiment, env: dict[str, str]
) -> None:
    settings = {"group": "reproduced", "timeout": "5m"}
    run = experiments.to_be_reproduced(experiment, env, settings)
    digest = experiments.index_of(experiment, env, run)["digest"]
    first = experiments.reproduced(experiment, env, run)
    assert (first["digest"], first["earlier"]) == (digest, run)
    again = experiments.reproduced(experiment, env, digest)
    assert again["digest"] == digest
    assert len({run, first["run"], again["run"]}) == 3
