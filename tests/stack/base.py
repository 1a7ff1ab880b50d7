"""The images every cluster needs: a pause program, and a Debian base with Python for CPU runs.

These, and a root for bases that some tests build, are made once into the cache and have the same
bytes for every start.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.stack.images import Image, compressed
from tests.stack.locking import locked
from tests.stack.places import CACHE
from tests.stack.programs import program
from tests.stack.unavailable import Unavailable

_EPOCH = 1735689600
_SUITE = "bookworm"
_PYTHON = "/usr/bin/python3.11"
# What manylinux wheels may expect of the system (PEP 599's libraries that are not in libc6), and
# what the standard library reads: certificates, time zones, names of services.
_PACKAGES = ("python3", "ca-certificates", "libgomp1", "libstdc++6", "netbase", "tzdata")
_WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
# mmdebstrap copies these from the machine that builds.
_CLEAN = 'rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'
_HOOKS = (
    'chroot "$1" useradd --create-home --uid 1000 --shell /bin/bash sendoff',
    _CLEAN,
    f'chroot "$1" {_PYTHON} -c "import platform; print(platform.python_version())" > "$VERSION"',
)


def pause() -> Image:
    """Raises Unavailable without a C compiler."""
    source = Path(__file__).parent / "pause" / "pause.c"
    return _cached("pause", source.read_bytes(), lambda work: _make_pause(source, work))


def debian() -> Image:
    """Debian with Python, and user 1000 whose home is writable.

    Raises:
        Unavailable: mmdebstrap needs root and Debian's packages.
    """
    pins = json.dumps([_EPOCH, _SUITE, _PYTHON, _PACKAGES, _WITHOUT, _HOOKS]).encode()
    return _cached("base-cpu", pins, _make_debian)


def trixie() -> Image:
    """Debian's next suite as it is bootstrapped, to build upon: not even Python is in it.

    Raises:
        Unavailable: as `debian`.
    """
    pins = json.dumps([_EPOCH, "trixie", _WITHOUT, _CLEAN]).encode()

    def make(work: Path) -> dict[str, object]:
        _bootstrap("trixie", work, hooks=(_CLEAN,))
        return {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}

    return _cached("base-trixie", pins, make)


def _cached(name: str, pins: bytes, make: Callable[[Path], dict[str, object]]) -> Image:
    """The image in the cache directory that is named for `pins`, made now if there is none.

    `make` leaves `layer.tar` in the directory it is given and returns the image's configuration.
    """
    home = CACHE / f"{name}-{hashlib.sha256(pins).hexdigest()[:12]}"
    with locked(CACHE / f"{name}.lock"):
        if not home.is_dir():
            for unfinished in CACHE.glob(f".{name}-*"):
                shutil.rmtree(unfinished, ignore_errors=True)
            sys.stderr.write(f"making the image {name} (once)\n")
            work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE))
            configuration = make(work)
            diff_id = compressed(work / "layer.tar", work / "layer.tar.gz")
            (work / "layer.tar").unlink()
            known = {"diff_id": diff_id, "configuration": configuration}
            (work / "image.json").write_text(json.dumps(known))
            work.chmod(0o755)
            work.rename(home)
    return Image(layer=home / "layer.tar.gz", **json.loads((home / "image.json").read_text()))


def _make_pause(source: Path, work: Path) -> dict[str, object]:
    compiler, _ = program("gcc"), program("/usr/include/unistd.h")
    _run([str(compiler), "-static", "-Os", "-s", "-o", str(work / "pause"), str(source)])
    entry = tarfile.TarInfo("pause")
    entry.size, entry.mode = (work / "pause").stat().st_size, 0o755
    with tarfile.open(work / "layer.tar", "w") as tar, (work / "pause").open("rb") as content:
        tar.addfile(entry, content)
    (work / "pause").unlink()
    return {"Entrypoint": ["/pause"], "User": "65535:65535"}


def _make_debian(work: Path) -> dict[str, object]:
    version = work / "version"
    _bootstrap(_SUITE, work, hooks=_HOOKS, packages=_PACKAGES, VERSION=str(version))
    return {
        "User": "1000:1000",
        "WorkingDir": "/home/sendoff",
        "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/home/sendoff",
            "LANG=C.UTF-8",
        ],
        "Cmd": ["/bin/bash"],
        "Labels": {
            "io.sendoff.base.python": _PYTHON,
            "io.sendoff.base.python-version": version.read_text().strip(),
        },
    }


def _bootstrap(
    suite: str, work: Path, *, hooks: Sequence[str], packages: Sequence[str] = (), **variables: str
) -> None:
    """Make `layer.tar` in `work` of a suite of Debian, as it is in the archive now."""
    if os.geteuid() != 0:
        raise Unavailable("a Debian base image needs root to be made")
    command = [str(program("mmdebstrap")), "--mode=root", "--variant=minbase", "--quiet"]
    command += [f"--include={','.join(packages)}"] if packages else []
    command += [f"--dpkgopt=path-exclude={each}" for each in _WITHOUT]
    command += [f"--customize-hook={each}" for each in hooks]
    command += [suite, str(work / "layer.tar")]
    _run(command, SOURCE_DATE_EPOCH=str(_EPOCH), **variables)


def _run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip()[-600:]}")
