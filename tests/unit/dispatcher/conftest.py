"""Small images by hand, and places to run them in."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from dispatcher import dispatch
from dispatcher.local import supervision, target
from dispatcher.places import Places
from dispatcher.request import Input, Request
from dispatcher.run import Failure, Manifest, Run, new_id
from dispatcher.runner.address import S3Address
from dispatcher.runner.s3_store import S3Store
from dispatcher.runner_tree import runner_tree
from dispatcher.status import RunStatus
from dispatcher.store import Runs
from packer.digest import Digest
from packer.image_paths import PREFIX, WORKSPACE, site_packages
from packer.images.layout import Layout
from packer.layers.layer import Layer, LayerWriter
from tests import minio
from tests.faults.proxy import Proxy
from tests.stack.unavailable import Unavailable

PYTHON = platform.python_version()
MINOR = PYTHON.rpartition(".")[0]
SITE = f"{PREFIX}/{site_packages(MINOR)}"


@dataclass
class Bench:
    """A layout, a store and a cache of the test's own."""

    places: Places
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        self.layout = Layout(self.places.layout)

    @property
    def stored(self) -> Path:
        """The directory that is the store."""
        return Path(self.places.store)

    def layer(self, files: dict[str, bytes | str]) -> Layer:
        """A layer of files; their paths are in-image paths."""
        with self.layout.blob() as blob:
            writer = LayerWriter(blob)
            for path, content in sorted(files.items()):
                data = content.encode() if isinstance(content, str) else content
                writer.file(path[1:], data, executable=data.startswith(b"#!"))
            made = writer.finish()
            blob.commit(made.digest)
        return made

    def image(self, *layers: Layer, python: str = PYTHON, labels: dict | None = None) -> Digest:
        """An image of these layers."""
        config = self.layout.write(
            json.dumps(
                {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": {
                        "Env": [f"PATH={PREFIX}/bin:/usr/bin:/bin", f"VIRTUAL_ENV={PREFIX}"],
                        "WorkingDir": WORKSPACE,
                        "Labels": {"io.sendoff.python": python, "io.sendoff.base": "empty"}
                        | (labels or {}),
                    },
                    "rootfs": {"type": "layers", "diff_ids": [x.diff_id for x in layers]},
                }
            ).encode()
        )
        return self.layout.write(
            json.dumps(
                {
                    "schemaVersion": 2,
                    "config": {"digest": config},
                    "layers": [{"digest": x.digest, "size": x.size} for x in layers],
                }
            ).encode()
        )

    def code(self, environment: dict[str, str] | None = None, **files: str) -> Digest:
        """An image with the runner, an environment, and a project of these modules."""
        packages = {f"{SITE}/{name}": text for name, text in (environment or {}).items()}
        project = {f"{WORKSPACE}/{name}.py": text for name, text in files.items()}
        return self.image(
            self.layer(packages or {f"{SITE}/inside.py": "here = 1\n"}),
            self.layer(dict(runner_tree())),
            self.layer(project or {f"{WORKSPACE}/README": "empty"}),
        )

    def slow(self, line: str, seconds: float) -> Digest:
        """An image whose runner waits before that line of its own, the first of these."""
        runner = dict(runner_tree())
        (path,) = (each for each in runner if each.endswith("_runner/__main__.py"))
        text = runner[path].decode()
        assert f"    {line}" in text
        waiting = text.replace(line, f"import time; time.sleep({seconds}); {line}", 1)
        return self.image(
            self.layer({f"{SITE}/inside.py": "here = 1\n"}),
            self.layer({**runner, path: waiting.encode()}),
        )

    def run(self, *commands: list[str], digest: Digest | None = None, **request) -> Run:
        """A run of these commands, not sent off yet."""
        digest = digest or self.code()
        return Run(
            id=new_id(request.get("name") or "test"),
            created="2026-11-24T03:11:27Z",
            request=Request(
                inputs=tuple(Input(command=tuple(x), digest=digest) for x in commands),
                repository=str(self.places.layout),
                **request,
            ),
            snapshot=digest,
            environment=digest,
        )

    def submit(self, *commands: list[str], **request) -> Run:
        """A run of these commands, sent off."""
        return dispatch.submit(self.run(*commands, **request), self.places)

    def wait(self, *runs: Run, timeout: float = 60) -> RunStatus:
        """The status of the last run once all have ended."""
        status = dispatch.wait([run.id for run in runs], self.places, timeout)[-1]
        assert status.final, status
        return status

    def end(self, *commands: list[str], **request) -> Manifest:
        """What became of the first index of a run of these commands."""
        manifest = self.wait(self.submit(*commands, **request)).indexes[0].manifest
        assert manifest
        return manifest

    def output(self, manifest: Manifest, path: str) -> bytes:
        """The content of a result."""
        keys = f"runs/{manifest.run}/{manifest.index}/{manifest.attempt}/files/{path}"
        return Runs.at(self.places).store.get(keys)

    def failure(self, *commands: list[str], **request) -> Failure:
        """Why the first index of a run of these commands failed."""
        manifest = self.end(*commands, **request)
        assert manifest.failure, manifest
        return manifest.failure

    def until(self, condition, seconds: float = 20):
        """The first true value of `condition`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.005)
        return value

    def read(self, path: Path) -> str:
        """The text of a file; empty where there is none yet."""
        return path.read_text() if path.exists() else ""

    def marked(self, path: Path) -> int:
        """The process id that a command has written there."""
        return int(self.until(lambda: self.read(path).strip()))

    def running(self, pid: int) -> bool:
        """Whether the process lives, and is no zombie."""
        status = self.read(Path(f"/proc/{pid}/stat"))
        return bool(status) and status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared: it is named by content, and a test that needs an empty one makes it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_supervision(monkeypatch: pytest.MonkeyPatch) -> Iterator[supervision.Supervision]:
    """No supervisor that an earlier test of this process has kept for its next run."""
    ours = supervision.Supervision()
    for module in (supervision, target):
        monkeypatch.setattr(module, "SUPERVISION", ours)
    yield ours
    ours.close()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Of the test's own, all of them empty."""
    return _places(tmp_path, tmp_path / "cache")


@pytest.fixture
def bench(tmp_path: Path, cache: Path) -> Bench:
    return Bench(_places(tmp_path, cache))


def _places(folder: Path, cache: Path) -> Places:
    return Places(
        layout=folder / "images",
        store=str(folder / "store"),
        cache=cache,
        state=folder / "state",
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[minio.Server]:
    try:
        with minio.server(tmp_path_factory.mktemp("minio")) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def proxy(server) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", server.port)) as running:
        yield running


@pytest.fixture
def store(server, proxy) -> S3Store:
    """A store of the test's own, through a proxy that fails when asked to."""
    from minio.credentials.providers import StaticProvider

    address = S3Address(server.through(proxy.port, f"test-{uuid4().hex}"), minio.REGION)
    return S3Store(address, StaticProvider(minio.USER, minio.PASSWORD))


@pytest.fixture
def bucket(server, proxy, bench, monkeypatch) -> Places:
    """The places of a client whose store is a bucket, through the proxy."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.USER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio.PASSWORD)
    address = server.through(proxy.port, f"test-{uuid4().hex}")
    return msgspec.structs.replace(bench.places, store=address, region=minio.REGION)
