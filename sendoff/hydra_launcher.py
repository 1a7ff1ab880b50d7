"""`hydra/launcher=sendoff`: each job of a Hydra multirun is an index of one run.

    python train.py --multirun hydra/launcher=sendoff hydra.launcher.gpu=h100 lr=0.1,0.01

Hydra finds it through `hydra_plugins.sendoff_launcher`, and imports it at every start.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, cast

from hydra.core.singleton import Singleton
from hydra.core.utils import (
    JobReturn,
    JobRuntime,
    JobStatus,
    configure_log,
    filter_overrides,
    setup_globals,
)
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf, open_dict

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from sendoff.handle import Index

log = logging.getLogger(__name__)


# Optional[…], because Hydra resolves the annotations of a config.
@dataclass
class SendoffLauncherConf:
    """What `hydra.launcher` may hold, each as `sendoff.ship` takes it; None leaves it out."""

    _target_: str = "hydra_plugins.sendoff_launcher.SendoffLauncher"
    target: Optional[str] = None  # noqa: UP045
    gpu: Optional[str] = None  # noqa: UP045
    cpus: Optional[float] = None  # noqa: UP045
    memory: Optional[str] = None  # noqa: UP045
    timeout: Optional[str] = None  # noqa: UP045
    retries: Optional[int] = None  # noqa: UP045
    max_parallel: Optional[int] = None  # noqa: UP045
    per_pod: Optional[int] = None  # noqa: UP045
    group: Optional[str] = None  # noqa: UP045
    queue: Optional[str] = None  # noqa: UP045
    project: Optional[str] = None  # noqa: UP045


class SendoffLauncher(Launcher):
    """Sends the jobs off together and waits for them; their files come to the sweep's directory."""

    def __init__(self, **wishes: Any) -> None:
        """`wishes` as for `sendoff.ship`; None for what is left to the settings."""
        self._wishes = {name: value for name, value in wishes.items() if value is not None}
        self._config: DictConfig
        self._context: HydraContext
        self._task: TaskFunction

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Called by Hydra before `launch`."""
        self._context, self._task, self._config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run all jobs; what each came to, in order."""
        from dispatcher.runner.site.sendoff import hydra_job
        from sendoff.functions.arguments import Bound
        from sendoff.functions.shipment import Options, ship
        from sendoff.functions.spelling import spell

        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        options = Options(name=self._task.__name__).changed(self._wishes)
        project = Path(options.project or ".").resolve()
        spelling = spell(self._task, project)
        # What is pickled names it by its module, which is another one there.
        task = spelling.word or self._task
        if spelling.path:
            task = self._task
        sweep = Path(str(self._config.hydra.sweep.dir))
        calls = [
            Bound(
                function=hydra_job.run,
                placed=(task, list(overrides), self._job(overrides, initial_job_idx + place)),
            )
            for place, overrides in enumerate(job_overrides)
        ]
        run = ship(calls, options)
        log.info("Sent off %d jobs: %s", len(calls), run.id)
        for index in run.as_ended():
            words = " ".join(filter_overrides(job_overrides[index.number]))
            log.info("\t#%d : %s: %s", initial_job_idx + index.number, words, index.state)
        return [self._returned(index, sweep) for index in run]

    def _job(self, overrides: Sequence[str], number: int) -> dict[str, Any]:
        config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
        sweep = Path(str(config.hydra.sweep.dir))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            config.hydra.sweep.dir = _parted(sweep)[1]
            # Plain: the class that describes it is not there, nor is this launcher.
            config.hydra.launcher = OmegaConf.to_container(config.hydra.launcher)
        state = Singleton.get_state()
        instances = state["instances"].items()
        state["instances"] = {kind: one for kind, one in instances if kind is JobRuntime}
        context = replace(self._context, config_loader=cast("Any", None))
        return {"config": config, "context": context, "singletons": state}

    def _returned(self, index: Index, sweep: Path) -> JobReturn:
        here, there = _parted(sweep)
        if any(file.path.startswith(f"{there}/") for file in index.files):
            index.results(here, f"{there}/**")
        try:
            found: JobReturn = index.value()
        except Exception as error:  # noqa: BLE001 (Hydra raises it where the value is asked for)
            found = JobReturn()
            found.status, found.return_value = JobStatus.FAILED, error
        return found


def _parted(sweep: Path) -> tuple[Path, str]:
    """A folder here, and the sweep's directory from there: where it is below a job's own folder."""
    if sweep.is_absolute() or ".." in sweep.parts or not sweep.name:
        whole = Path(os.path.abspath(sweep))  # noqa: PTH100 (`Path.absolute` keeps "..")
        return whole.parent, whole.name
    return Path(), str(sweep)
