"""Who needs whom among distributions, by the markers of one platform (PEP 508)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from packer.environment.distribution import Distribution, normalized
from packer.environment.interpreter import Interpreter

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Wanted = tuple[str, str]
"""A name, and an extra of it ("" for its plain requirements)."""

_SYSTEMS = {
    "linux": ("linux", "Linux"),
    "macosx": ("darwin", "Darwin"),
    "darwin": ("darwin", "Darwin"),
}
_LINUX_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def markers(interpreter: Interpreter, platform: str) -> dict[str, str]:
    """The environment markers of `interpreter`'s version on an OCI platform ("linux/amd64")."""
    system, _, machine = platform.partition("/")
    sys_platform, platform_system = _SYSTEMS.get(system, (system, system.title()))
    if sys_platform == "linux":
        machine = _LINUX_MACHINES.get(machine, machine)
    elif machine == "amd64":
        machine = "x86_64"
    return {
        "implementation_name": interpreter.implementation.lower(),
        "implementation_version": interpreter.version,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": interpreter.implementation,
        "platform_release": "",
        "platform_system": platform_system,
        "platform_version": "",
        "python_full_version": interpreter.version,
        "python_version": interpreter.minor,
        "sys_platform": sys_platform,
    }


class Requirements:
    """The requirements of `known` distributions that hold on one platform."""

    def __init__(self, known: Mapping[str, Distribution], environment: Mapping[str, str]) -> None:
        self._known, self._environment = known, dict(environment)

    def reach(self, roots: Iterable[str], extras: Iterable[Wanted] = ()) -> set[str]:
        """The roots, with these extras, and everything they need that is installed."""
        return {name for name, _ in self.walk(roots, extras)}

    def walk(self, roots: Iterable[str], extras: Iterable[Wanted] = ()) -> set[Wanted]:
        """The same, each name with every extra of it that is wanted."""
        pending = [*((name, "") for name in sorted(roots)), *extras]
        seen = set(pending)
        while pending:
            for need in self.needs(*pending.pop()):
                if need not in seen:
                    seen.add(need)
                    pending.append(need)
        return seen

    def needs(self, name: str, extra: str) -> Iterator[Wanted]:
        """What `name` with `extra` needs that is installed."""
        if extra:
            yield name, ""
        for requirement in self.holding(name, extra):
            needed = normalized(requirement.name)
            if needed in self._known:
                yield needed, ""
                yield from ((needed, normalized(each)) for each in requirement.extras)

    def holding(self, name: str, extra: str) -> Iterator[Requirement]:
        """The requirements of `name` with `extra` whose markers hold."""
        from packaging.requirements import InvalidRequirement, Requirement

        for text in self._known[name].requires:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            marker = requirement.marker
            if marker is None or marker.evaluate({**self._environment, "extra": extra}):
                yield requirement
