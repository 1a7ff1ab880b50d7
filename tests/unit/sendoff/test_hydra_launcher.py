"""What Hydra sees of the launcher before and after a multirun."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher

import sendoff
from sendoff.functions.shipment import Options
from sendoff.hydra_launcher import SendoffLauncher, SendoffLauncherConf

FIELDS = [each.name for each in dataclasses.fields(SendoffLauncherConf) if each.name[0] != "_"]


def test_hydra_finds_it() -> None:
    names = [each.__name__ for each in Plugins.instance().discover(Launcher)]
    assert names.count("SendoffLauncher") == 1


@pytest.mark.parametrize("name", FIELDS)
def test_each_of_its_settings_is_a_wish(name: str) -> None:
    found = Options().changed({name: "1"})
    assert found.project == "1" or found.wishes == {name: "1"}


def test_what_is_left_out_is_left_to_the_settings() -> None:
    assert SendoffLauncher(gpu=None, timeout="1h")._wishes == {"timeout": "1h"}


def test_a_job_that_failed_raises_where_its_value_is_asked_for(work) -> None:
    run = sendoff.remote(work.picky).spawn(1).wait()
    found = SendoffLauncher()._returned(run[0], Path("multirun/now"))
    assert found.status is JobStatus.FAILED
    with pytest.raises(ValueError, match="one"):
        _ = found.return_value
    # It wrote nothing below the sweep's directory, and so none is made.
    assert not Path("multirun").exists()
