"""Which builder does what for an image: a pure function of what it is made from."""

from __future__ import annotations

from typing import Literal

from packer.building.choice import Choice
from packer.building.image_settings import ImageSettings
from packer.environment.environment_report import EnvironmentReport
from packer.environment.lock import Lock
from packer.layers import environment_plan
from packer.record import Record


class Task(Record, frozen=True):
    """One thing that is done."""

    builder: Literal["native", "buildkit"]
    takes: str
    makes: str


def plan(
    lock: Lock, report: EnvironmentReport, image: ImageSettings, choice: Choice
) -> tuple[Task, ...]:
    """The tasks in their order: native for data, BuildKit for what has to be run."""
    tasks = []
    if image.apt:
        tasks.append(Task(builder="buildkit", takes=f"apt: {', '.join(image.apt)}", makes="base"))
    tasks += [
        Task(builder="buildkit", takes=f"run: {command}", makes="base") for command in image.run
    ]
    versions = {pin.name: pin.version for pin in lock.wheels}
    tasks += [
        Task(builder="buildkit", takes=source, makes=f"wheel {name} {versions.get(name, '')}")
        for name, source in sorted(report.built.items())
    ]
    layers = len(environment_plan.plan(lock))
    takes = [_counted(len(lock.wheels), "wheel")]
    takes += [f"{_counted(len(lock.files), 'distribution')} as files"] if lock.files else []
    takes += [_counted(len(lock.overlay), "changed file")] if lock.overlay else []
    by: Literal["native", "buildkit"] = "buildkit" if choice.whole else "native"
    tasks.append(Task(builder=by, takes=", ".join(takes), makes=_counted(layers, "layer")))
    tasks.append(Task(builder="native", takes="project, runner, command", makes="run image"))
    return tuple(tasks)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
