"""What an environment is resolved for: a platform and a Python minor."""

from __future__ import annotations

from packer import image_paths
from packer.environment.interpreter import Interpreter
from packer.record import Record

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_OLDEST_GLIBC, _NEWEST_GLIBC = 5, 45
_NEWEST_MUSL = 4
_USUAL_GLIBC = 28
"""What bases have at least; where one does not tell, wheels that ask for no more come first."""


class Target(Record, frozen=True):
    """Where the image is to run."""

    platform: str
    """OCI platform: "linux/amd64"."""
    packages: str
    """The site directory below `image_paths.PREFIX`."""
    tags: tuple[str, ...]
    """Wheel tags that run there, the best first."""
    glibc: int = 0
    """N of its C library's version 2.N; 0 where that is not known."""
    is_foreign: bool = False
    """Whether the sandbox's own platform is another, so that its files prove nothing."""

    @property
    def uv_platform(self) -> str:
        """What uv calls it: `--python-platform`, of the oldest glibc that bases have."""
        system, _, machine = self.platform.partition("/")
        if system != "linux" or machine not in _MACHINES:
            return "linux"
        is_old = 0 < self.glibc < _USUAL_GLIBC
        return _MACHINES[machine] + ("-manylinux2014" if is_old else "-manylinux_2_28")


def of(interpreter: Interpreter, platform: str = "", glibc: str = "") -> Target:
    """The target for `interpreter`'s environment; its own platform unless `platform` is given.

    `glibc` is the version of the image's C library, "2.36"; empty where that is not known.
    """
    own = own_platform(interpreter)
    platform = platform or own
    newest = _glibc(glibc)
    return Target(
        platform=platform,
        packages=image_paths.site_packages(interpreter.minor),
        tags=_tags(interpreter.minor, _platforms(platform, newest)),
        glibc=newest,
        is_foreign=platform != own,
    )


def own_platform(interpreter: Interpreter) -> str:
    """The OCI platform of the sandbox: "linux/amd64"."""
    system, _, machine = interpreter.platform.partition("-")
    machine = machine.rpartition("-")[2]
    names = {name: oci for oci, name in _MACHINES.items()}
    return f"{system}/{names.get(machine, machine)}"


def _glibc(version: str) -> int:
    major, _, rest = version.partition(".")
    return int(rest.partition(".")[0]) if major == "2" and rest else 0


def _tags(minor: str, platforms: list[str]) -> tuple[str, ...]:
    from packaging import tags

    version = tuple(int(number) for number in minor.split("."))
    short = "".join(minor.split("."))
    found = [
        *tags.cpython_tags(version, [f"cp{short}"], platforms),
        *tags.compatible_tags(version, f"cp{short}", platforms),
    ]
    return tuple(map(str, found))


def _platforms(platform: str, glibc: int) -> list[str]:
    """Those that run with 2.`glibc`; where that is 0, all that may, the surest first."""
    machine = platform.partition("/")[2]
    machine = _MACHINES.get(machine, machine)
    sure = range(glibc or _USUAL_GLIBC, _OLDEST_GLIBC - 1, -1)
    unsure = () if glibc else range(_USUAL_GLIBC + 1, _NEWEST_GLIBC + 1)
    found = [f"manylinux_2_{each}_{machine}" for each in (*sure, *unsure)]
    old = {"manylinux_2_17": "manylinux2014", "manylinux_2_12": "manylinux2010"}
    old["manylinux_2_5"] = "manylinux1"
    for new, name in old.items():
        if f"{new}_{machine}" in found:
            found.insert(found.index(f"{new}_{machine}") + 1, f"{name}_{machine}")
    found.append(f"linux_{machine}")
    musl = () if glibc else range(_NEWEST_MUSL, -1, -1)
    return found + [f"musllinux_1_{each}_{machine}" for each in musl]
