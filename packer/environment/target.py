"""What an environment is resolved for: a platform and a Python minor."""

from __future__ import annotations

from packer import image_paths
from packer.environment.interpreter import Interpreter
from packer.record import Record

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_NEWEST_GLIBC = 45
_NEWEST_MUSL = 4


class Target(Record, frozen=True):
    """Where the image is to run."""

    platform: str
    """OCI platform: "linux/amd64"."""
    packages: str
    """The site directory below `image_paths.PREFIX`."""
    tags: tuple[str, ...]
    """Wheel tags that run there, the best first."""
    is_foreign: bool = False
    """Whether the sandbox's own platform is another, so that its files prove nothing."""


def of(interpreter: Interpreter, platform: str = "") -> Target:
    """The target for `interpreter`'s environment; its own platform unless `platform` is given."""
    own = own_platform(interpreter)
    platform = platform or own
    return Target(
        platform=platform,
        packages=image_paths.site_packages(interpreter.minor),
        tags=_tags(interpreter.minor, platform),
        is_foreign=platform != own,
    )


def own_platform(interpreter: Interpreter) -> str:
    """The OCI platform of the sandbox: "linux/amd64"."""
    system, _, machine = interpreter.platform.partition("-")
    machine = machine.rpartition("-")[2]
    names = {name: oci for oci, name in _MACHINES.items()}
    return f"{system}/{names.get(machine, machine)}"


def _tags(minor: str, platform: str) -> tuple[str, ...]:
    """Everything that may run: which glibc there is, a base image decides later."""
    from packaging import tags

    version = tuple(int(number) for number in minor.split("."))
    short = "".join(minor.split("."))
    platforms = list(_platforms(platform))
    # The second abi is that of free-threaded builds (PEP 703).
    found = [
        *tags.cpython_tags(version, [f"cp{short}", f"cp{short}t"], platforms),
        *tags.compatible_tags(version, f"cp{short}", platforms),
    ]
    return tuple(map(str, found))


def _platforms(platform: str) -> list[str]:
    machine = platform.partition("/")[2]
    machine = _MACHINES.get(machine, machine)
    found = [f"manylinux_2_{glibc}_{machine}" for glibc in range(_NEWEST_GLIBC, 4, -1)]
    old = {"manylinux_2_17": "manylinux2014", "manylinux_2_12": "manylinux2010"}
    old["manylinux_2_5"] = "manylinux1"
    for new, name in old.items():
        found.insert(found.index(f"{new}_{machine}") + 1, f"{name}_{machine}")
    found.append(f"linux_{machine}")
    return found + [f"musllinux_1_{musl}_{machine}" for musl in range(_NEWEST_MUSL, -1, -1)]
