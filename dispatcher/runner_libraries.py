"""What the runner imports besides the standard library where results go to an object store.

The pins are data, `runner-libraries.toml`; `python -m dispatcher.runner_libraries` writes them
anew. They have no URLs: a wheel is looked for by name and sha256 where the sandbox's packages are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packer.layers.library_layers import PINS_FORMAT

PINS = Path(__file__).with_name("runner-libraries.toml")
# What minio's S3 client needs, and nothing of its administration client: see `runner.isolation`.
_WANTED = "minio>=7.2.20,<8\nurllib3>=2.5\ncertifi\ntyping-extensions\n"
_OLDEST = "3.10"
_PLATFORMS = ("-any.whl", "manylinux")
_MACHINES = ("-any.whl", "x86_64", "aarch64")


def pins() -> bytes:
    """The text of the pins, for `packer.pack_request.PackRequest.libraries`."""
    return PINS.read_bytes()


def _resolve() -> list[dict[str, Any]]:
    import tomllib

    from uv import find_uv_bin

    from packer import process

    command = [find_uv_bin(), "pip", "compile", "-", "--format", "pylock.toml", "--quiet"]
    command += ["--universal", "--no-deps", "--python-version", _OLDEST, "--only-binary", ":all:"]
    # A version of each that every minor can use, so that one name is one version.
    command += ["--fork-strategy", "fewest", "--no-header"]
    locked = tomllib.loads(process.run(command, stdin=_WANTED.encode()).decode())
    packages: list[dict[str, Any]] = locked["packages"]
    return packages


def _lines(packages: list[dict[str, Any]]) -> Iterator[str]:
    yield "# Written by `python -m dispatcher.runner_libraries`."
    yield f'format = "{PINS_FORMAT}"'
    for package in packages:
        for wheel in package["wheels"]:
            filename = wheel["url"].rpartition("/")[2]
            if not _serves(filename):
                continue
            yield ""
            yield "[[wheels]]"
            yield f'name = "{package["name"]}"'
            yield f'version = "{package["version"]}"'
            yield f'filename = "{filename}"'
            yield f'sha256 = "{wheel["hashes"]["sha256"]}"'
            yield f"size = {wheel['size']}"


def _serves(filename: str) -> bool:
    """Whether a wheel may run in an image: glibc, a machine we pack for, not free-threaded."""
    interpreter, abi, _ = filename.removesuffix(".whl").rsplit("-", 3)[1:]
    return (
        any(part in filename for part in _PLATFORMS)
        and any(part in filename for part in _MACHINES)
        and not abi.endswith("t")
        and not interpreter.startswith("pp")
    )


if __name__ == "__main__":
    PINS.write_text("\n".join(_lines(_resolve())) + "\n")
