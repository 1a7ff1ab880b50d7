"""A CUDA environment of 4 GB: its wheels → layers in a registry, from a sandbox that has it
installed, and from a Mac's that is retargeted.

The peer copies the same wheel files into the same registry as raw blobs, side by side, with the
same client: no conversion can be faster than that.

    python -m bench torch                             the table
    python -m bench.torch_environment HOME REPO LOCK PYTHON CACHE
                                                      one process: wheels in the cache → pushed;
                                                      without REPO ("") they are fetched, no more
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench import sandbox
from bench.measure import Row, command, ms, paired, ratio
from packer import record
from packer.digest import Digest
from packer.environment import locking
from packer.environment.cuda import CudaWish
from packer.environment.environment import Environment
from packer.environment.interpreter import Interpreter, describe
from packer.environment.lock import Lock, WheelPin
from packer.environment.sandbox import Sandbox
from packer.images import image
from packer.images.descriptor import Descriptor
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT
from packer.registry.access import Access
from packer.registry.client import Client
from packer.registry.content import FileContent
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from packer.registry.upload import Upload
from packer.wheels.wheelhouse import Arrivals, Fetch, Wheelhouse
from tests.registries.process import RegistryProcess

RUNS = 3
MEMORY = 400_000_000
SPEED = 0.6
AT_ONCE = 8
ADDED = ("einops", "0.8.1")
"""What is installed besides, later."""
CACHE = sandbox.CACHE / "sendoff"
NO_TORCH_INDEX = "http://127.0.0.1:9/whl"
"""PyPI's own builds are taken: PyTorch's index is not everywhere within reach."""


def rows(folder: Path) -> list[Row]:
    found = environment()
    dict(found.fetch(found.lock.wheels))
    size = sum(pin.size for pin in found.lock.wheels)
    what = f"torch for CUDA, {len(found.lock.wheels)} wheels, {size / 1e9:.2f} GB"
    with RegistryProcess(folder / "registry") as server:
        measured = _speed(what, found, folder, server)
        measured += [_memory(what), *_again(what, folder, server.host)]
        return [*measured, _from_nothing(what, found, folder, server)]


class Resolved(NamedTuple):
    """An environment's lock, and where its wheels come from."""

    lock: Lock
    interpreter: Interpreter
    fetch: Fetch


EMPTY: tuple[str, tuple[str, ...]] = ("empty", ())


def installed(found: Resolved) -> tuple[str, tuple[str, ...]]:
    """A sandbox with all of it, as pip would leave it, from the same wheels."""
    wheels = dict(found.fetch(found.lock.wheels))
    return "torch", ("--no-deps", *(str(wheels[pin.sha256]) for pin in found.lock.wheels))


def compiled(found: Resolved) -> tuple[str, tuple[str, ...]]:
    """One with what holds modules of Python alone, and their .pyc: torch has another build."""
    wanted = [pin for pin in found.lock.wheels if not pin.name.startswith(("nvidia-", "torch"))]
    return "no-torch", ("--no-deps", *(f"{pin.name}=={pin.version}" for pin in wanted))


def _interpreter(venv: tuple[str, tuple[str, ...]]) -> Interpreter:
    return describe(sandbox.venv(*venv) / "bin" / "python", CACHE)


def environment(*added: tuple[str, str], cache: Path = CACHE) -> Resolved:
    """A Mac's environment for linux/amd64 and CUDA, with `added` installed as well."""
    from tests.described import description

    interpreter = _interpreter(EMPTY)
    mac = description.without(description.environment("macos-arm64"), "pyobjc-core")
    more = [{"name": name, "version": version} for name, version in added]
    extra = description.read(
        {"platform": "macosx-14.0-arm64", "python": "3.11.9", "distribution": more}
    )
    found = Environment(
        interpreter=msgspec.structs.replace(interpreter, platform="macosx-14.0-arm64"),
        packages=mac.packages,
        distributions=(*mac.distributions, *extra.distributions),
    )
    wish = CudaWish(lines=("12.8",), index=NO_TORCH_INDEX)
    request = Sandbox(
        interpreter=interpreter,
        project=Path(__file__).parent,
        cache=cache,
        platform="linux/amd64",
        cuda=wish,
    )
    drafted = locking.draft(found, request, SILENT)
    house = locking.wheelhouse(request)
    return Resolved(drafted.locked.lock, interpreter, house_fetch(house))


def house_fetch(house: Wheelhouse) -> Fetch:
    """What the builder fetches wheels with."""
    return lambda pins: house.fetch(pins, SILENT)


def push(found: Resolved, home: Path, name: str) -> Digest:
    """Build the layers of an environment that `name` has not, and push the image."""
    layout = Layout(home / "layout")
    registry = Registry(Repository.parse(name), Access(), home / "cache")
    with registry.layers(layout.root, ()) as shared:
        layers = build_layers(
            found.lock,
            {},
            found.fetch,
            found.interpreter,
            layout,
            home / "memory",
            SILENT,
            shared=shared,
        )
        shared.settle(SILENT)
    made = image.write(
        Image(layers=layers, platform=found.lock.platform, python=found.lock.python), layout
    )
    registry.push(PushRequest(layout=layout.root, images=(made.digest,)))
    return made.digest


def copy(found: Resolved, name: str) -> None:
    """The wheel files themselves as blobs, the largest first."""
    files = dict(found.fetch(found.lock.wheels))
    client = Client(Repository.parse(name), Access(), writes=True)

    def one(pin: WheelPin) -> None:
        digest = Digest.from_hex(pin.sha256)
        blob = Descriptor(digest=digest, size=pin.size, media_type="application/octet-stream")
        content = FileContent(blob, files[pin.sha256], lambda _: None)
        Upload(client, content, lambda _: None).run()

    ordered = sorted(found.lock.wheels, key=lambda pin: -pin.size)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, ordered))


def _speed(what: str, found: Resolved, folder: Path, server: RegistryProcess) -> list[Row]:
    """The wheels as the pack that fetched them left them, known by their layers; and nothing known
    of them, as only a pack that was interrupted leaves them: no copy has to inflate 7 GB.
    """
    home, lock = folder / "ours", folder / "lock"
    lock.write_bytes(record.encode(found.lock))
    name = f"{server.host}/bench/torch"
    peer: Callable[[], object] = lambda: copy(found, f"{server.host}/bench/raw")  # noqa: E731

    def ours(venv: tuple[str, tuple[str, ...]]) -> Callable[[], object]:
        return _process_of(home, name, lock, venv, CACHE)

    def empty() -> None:
        _remove(server, home / "layout", home / "cache")

    def cold() -> None:
        _remove(server, home)

    def just_installed() -> None:
        cold()
        read(sandbox.venv(*installed(found)))

    full, bare = ours(installed(found)), ours(compiled(found))
    measured = []
    for state, before, work, goal in (
        ("in the cache, to a repository that has none of it", empty, full, SPEED),
        ("the same, nothing known of them, just installed", just_installed, full, 0),
        ("the same, nothing known of them, not in the sandbox", cold, bare, 0),
    ):
        mine, theirs = paired((before, work), (empty, peer), runs=RUNS)
        factor = ratio(mine, theirs)
        measured.append(
            Row(
                f"{what}: {state} → pushed",
                f"{ms(mine.median)}, {factor:.2f} × the speed",
                f"the wheel files as blobs: {ms(theirs.median)}",
                f"≥ {goal:g} ×" if goal else "",
                factor >= goal,
            )
        )
    empty()
    full()
    return measured


def _from_nothing(what: str, found: Resolved, folder: Path, server: RegistryProcess) -> Row:
    """Downloading, converting and pushing, against downloading alone; each once."""
    home, lock, venv = folder / "nothing", folder / "lock", compiled(found)

    def side(name: str) -> Callable[[], object]:
        return _process_of(home, name, lock, venv, home / "cache")

    def empty() -> None:
        _remove(server, home)

    whole, fetched = paired(
        (empty, side(f"{server.host}/bench/nothing")), (empty, side("")), runs=1, warmup=0
    )
    empty()
    factor = 1 / ratio(whole, fetched)
    return Row(
        f"{what}: nothing here → pushed",
        f"{ms(whole.median)}, {factor:.2f} × the time",
        f"the wheels fetched, no more: {ms(fetched.median)}",
        "",
        met=True,
    )


def _process_of(
    home: Path, name: str, lock: Path, venv: tuple[str, tuple[str, ...]], cache: Path
) -> Callable[[], object]:
    """This module as a process, with the Python of a sandbox."""
    python = sandbox.venv(*venv) / "bin" / "python"
    module = [sys.executable, "-m", "bench.torch_environment"]
    return command([*module, str(home), name, *map(str, (lock, python, cache))])


def _remove(server: RegistryProcess, *folders: Path) -> None:
    """These folders, and all that the registry has."""
    for each in (*folders, *server.data.glob("docker/registry/v2/*")):
        shutil.rmtree(each, ignore_errors=True)


def read(venv: Path) -> None:
    """Have all of an environment in memory, as it is when it was just installed."""
    for path in venv.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as stream:
                while stream.read(1 << 20):
                    pass


def _memory(what: str) -> Row:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    goal = f"< {MEMORY / 1e6:.0f} MB"
    return Row(f"{what}: peak memory", f"{peak / 1e6:.0f} MB", "", goal, peak < MEMORY)


def _again(what: str, folder: Path, host: str) -> list[Row]:
    """On another machine: nothing in its caches, all layers in the registry."""
    from tests.faults.proxy import Proxy

    address, _, port = host.partition(":")
    with Proxy((address, int(port))) as proxy, tempfile.TemporaryDirectory(dir=folder) as home:
        name = f"127.0.0.1:{proxy.port}/bench/torch"
        same = _elsewhere(Path(home) / "same", name)
        first = Row(
            f"{what}: the same on a machine that has nothing",
            f"{same.fetched} wheels of {same.size / 1e6:.1f} MB fetched, "
            f"{(proxy.up + proxy.down) / 1e3:.0f} kB to and from the registry",
            "",
            "no wheel of 20 MB or more",
            same.largest < 20_000_000,
        )
        proxy.forget()
        more = _elsewhere(Path(home) / "more", name, ADDED)
        return [
            first,
            Row(
                f"{what}: {ADDED[0]} added, on a machine that has nothing",
                f"{more.fetched} wheels of {more.size / 1e6:.1f} MB fetched, "
                f"{proxy.up / 1e6:.2f} MB sent",
                "",
                "< 0.5 % of it sent",
                proxy.up < more.whole * 0.005,
            ),
        ]


class Elsewhere(NamedTuple):
    """What a push from an empty machine took."""

    fetched: int
    size: int
    largest: int
    whole: int


def _elsewhere(home: Path, name: str, *added: tuple[str, str]) -> Elsewhere:
    found = environment(*added, cache=home / "cache")
    asked: list[WheelPin] = []

    def fetch(pins: tuple[WheelPin, ...]) -> Arrivals:
        asked.extend(pins)
        return found.fetch(pins)

    push(found._replace(fetch=fetch), home, name)
    sizes = [pin.size for pin in asked]
    whole = sum(pin.size for pin in found.lock.wheels)
    return Elsewhere(len(sizes), sum(sizes), max(sizes, default=0), whole)


def _process(home: Path, name: str, lock: Path, python: Path, cache: Path) -> None:
    found = record.decode(lock.read_bytes(), Lock)
    interpreter = describe(python, CACHE)
    house = locking.wheelhouse(Sandbox(interpreter=interpreter, project=home, cache=cache))
    if name:
        print(push(Resolved(found, interpreter, house_fetch(house)), home, name))
    else:
        print(len(dict(house.fetch(found.wheels, SILENT))), "wheels")


if __name__ == "__main__":
    _process(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:]))
