"""One job of a Hydra multirun, where it runs. Hydra is the environment's own."""

from __future__ import annotations

import importlib
import os

from . import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(task: Any, overrides: list[str], job: dict[str, Any]) -> Any:
    """Run the task with a composed configuration; the job's `JobReturn`.

    `task` is a function, or how one is spelled on a command line. `overrides` are for people.
    `job` has `config`, `context` and `singletons` of the process that composed it.
    """
    del overrides
    function = call.load(task) if isinstance(task, str) else task
    # `hydra.main` would read the command line.
    function = getattr(function, "__wrapped__", function)
    singleton: Any = importlib.import_module("hydra.core.singleton")
    core: Any = importlib.import_module("hydra.core.utils")
    singleton.Singleton.set_state(job["singletons"])
    core.setup_globals()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    config = job["config"]
    omegaconf: Any = importlib.import_module("omegaconf")
    # The folder that it was composed in is another one, with other files or none.
    with omegaconf.read_write(config.hydra.runtime):
        config.hydra.runtime.cwd = os.getcwd()
    return core.run_job(
        task_function=function,
        config=config,
        hydra_context=job["context"],
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
