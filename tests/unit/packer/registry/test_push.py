"""Images into a real registry: what moves, what does not, and what survives."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, LayoutDamaged
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.registry.access import Access
from packer.registry.errors import (
    DigestGone,
    PushInterrupted,
    RegistryReadOnly,
    RegistryRefused,
)
from packer.registry.pull import for_push
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.faults import Answer, BlackHole, CutRequest, Delay, Fault, LoseAnswer
from tests.faults.proxy import Proxy
from tests.registries.images import complete, make_image, make_layer
from tests.registries.process import RegistryProcess

Serve = Callable[..., RegistryProcess]

BIG = 3_000_000


@pytest.fixture
def wheels(layout: Layout) -> list[Layer]:
    return [make_layer(layout, BIG) for _ in range(3)]


@pytest.fixture
def environment(layout: Layout, wheels: list[Layer]) -> Digest:
    return make_image(layout, *wheels)


def request(layout: Layout, *images: Digest, **options: object) -> PushRequest:
    return PushRequest(layout=layout.root, images=images, **options)


def run_image(layout: Layout, wheels: list[Layer], command: str = "true") -> Digest:
    return make_image(layout, *wheels, make_layer(layout), command=command)


def requests(proxy: Proxy) -> list[str]:
    """Methods and kinds, in no order."""
    kinds = ("manifests", "uploads", "blobs")
    return sorted(
        f"{each.method} {next(kind for kind in kinds if kind in each.target)}" for each in proxy.log
    )


def test_everything_arrives(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest, proxy: Proxy
) -> None:
    image = run_image(layout, wheels)
    tags = {"env-abc": environment, "project-1": image}
    pushed = registry.push(request(layout, image, environment=environment, tags=tags))
    assert pushed.images == (image,)
    assert set(pushed.manifests) == {image, environment}
    assert len(pushed.uploaded) == 6
    assert pushed.sent == sum(each.size for each in wheels) + sum(
        layout.path(digest).stat().st_size
        for digest in (*pushed.uploaded, *pushed.manifests)
        if digest not in {each.digest for each in wheels}
    )
    assert registry.has("env-abc") == environment
    assert registry.has("project-1") == image
    assert complete(registry, layout, image)
    assert complete(registry, layout, environment)
    assert proxy.up > pushed.sent


def test_after_a_code_change_exactly_what_is_new(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest, proxy: Proxy
) -> None:
    registry.push(request(layout, run_image(layout, wheels), environment=environment))
    proxy.forget()
    code = make_layer(layout, 200_000)
    changed = make_image(layout, *wheels, code)
    pushed = registry.push(request(layout, changed, environment=environment))
    assert requests(proxy) == ["POST uploads"] * 2 + ["PUT manifests"] + ["PUT uploads"] * 2
    assert len(pushed.uploaded) == 2
    assert code.size < proxy.up < code.size + 20_000
    assert complete(registry, layout, changed)


def test_nothing_changed_is_one_question(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest, proxy: Proxy
) -> None:
    wanted = request(layout, run_image(layout, wheels), environment=environment)
    registry.push(wanted)
    proxy.forget()
    pushed = registry.push(wanted)
    assert requests(proxy) == ["HEAD manifests"]
    assert pushed.sent == 0
    assert not pushed.manifests


def test_a_tag_is_put_once(registry: Registry, layout: Layout, proxy: Proxy) -> None:
    first, second = make_image(layout), make_image(layout)
    registry.push(request(layout, first, tags={"one": first}))
    proxy.forget()
    registry.push(request(layout, first, tags={"one": first}))
    assert requests(proxy) == ["HEAD manifests"]
    registry.push(request(layout, first, second, tags={"one": second, "two": first}))
    assert registry.has("one") == second
    assert registry.has("two") == first


def test_another_machine_asks_for_the_images_and_no_blob(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest, proxy: Proxy
) -> None:
    wanted = request(layout, run_image(layout, wheels), environment=environment)
    registry.push(wanted)
    proxy.forget()
    other = Registry(registry.repository, registry._access, registry._cache / "other")
    assert other.push(wanted).sent == 0
    assert requests(proxy) == ["HEAD manifests"] * 2
    proxy.forget()
    changed = request(layout, run_image(layout, wheels), environment=environment)
    third = Registry(registry.repository, registry._access, registry._cache / "third")
    pushed = third.push(changed)
    assert len(pushed.uploaded) == 2
    assert proxy.up < 20_000


def test_a_sweep(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest, proxy: Proxy
) -> None:
    shared = [*wheels, make_layer(layout)]
    images = tuple(make_image(layout, *shared, command=f"run {n}") for n in range(30))
    pushed = registry.push(request(layout, *images, environment=environment))
    assert len(pushed.uploaded) == 3 + 1 + 1 + 30
    assert len(proxy.seen("PUT", "manifests")) == 31
    assert all(registry.has(image) for image in images)


def test_blobs_that_the_registry_lost_are_sent_again(
    registry: Registry,
    layout: Layout,
    wheels: list[Layer],
    environment: Digest,
    server: RegistryProcess,
) -> None:
    registry.push(request(layout, run_image(layout, wheels), environment=environment))
    links = server.data / "docker/registry/v2/repositories" / registry.repository.path / "_layers"
    shutil.rmtree(links)
    for wheel in wheels:
        hexed = wheel.digest.hex
        shutil.rmtree(server.data / "docker/registry/v2/blobs/sha256" / hexed[:2] / hexed)
    changed = run_image(layout, wheels)
    pushed = registry.push(request(layout, changed, environment=environment))
    assert {each.digest for each in wheels} <= set(pushed.uploaded)
    assert complete(registry, layout, changed)
    # What was believed is forgotten, and what was seen since is known.
    again = registry.push(request(layout, run_image(layout, wheels), environment=environment))
    assert {each.digest for each in wheels} <= {*again.present, *again.uploaded}


def test_a_registry_that_was_emptied(
    serve: Serve, layout: Layout, wheels: list[Layer], tmp_path: Path
) -> None:
    with RegistryProcess(tmp_path / "first") as first:
        here = Repository(host=first.host, path="tests/x")
        registry = Registry(here, Access(patience=5), tmp_path / "cache")
        wanted = request(layout, run_image(layout, wheels), environment=make_image(layout, *wheels))
        registry.push(wanted)
        port = first.port
    serve(port=port)
    pushed = registry.push(wanted)
    assert pushed.manifests
    assert complete(registry, layout, wanted.images[0])


def test_a_registry_that_says_it_lacks_what_it_has(
    registry: Registry, layout: Layout, proxy: Proxy
) -> None:
    body = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}'
    proxy.on("PUT", "manifests", Answer(400, {}, body), times=2)
    with pytest.raises(RegistryRefused) as caught:
        registry.push(request(layout, make_image(layout)))
    assert "MANIFEST_BLOB_UNKNOWN" in caught.value.evidence()


@pytest.mark.parametrize("fault", [Answer(500), Answer(429), LoseAnswer(), CutRequest(after=10)])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_what_passes(
    registry: Registry, layout: Layout, proxy: Proxy, fault: Fault, method: str
) -> None:
    proxy.on(method, "", fault, times=3)
    image = make_image(layout, make_layer(layout, BIG), make_layer(layout))
    registry.push(request(layout, image, tags={"one": image}))
    assert complete(registry, layout, image)
    assert registry.has("one") == image


def test_a_registry_that_goes_away_and_comes_back(
    registry: Registry, layout: Layout, wheels: list[Layer], proxy: Proxy
) -> None:
    image = run_image(layout, wheels)
    proxy.refuse()
    back = threading.Timer(0.5, proxy.heal)
    back.start()
    registry.push(request(layout, image))
    back.join()
    assert complete(registry, layout, image)


def test_an_interrupted_push_goes_on_where_it_was(
    repository: Repository, layout: Layout, wheels: list[Layer], proxy: Proxy, tmp_path: Path
) -> None:
    image = run_image(layout, wheels)
    registry = Registry(repository, Access(patience=0.5, at_once=1), tmp_path / "cache")
    proxy.on("PUT", "uploads", Answer(503, {"Retry-After": "0"}), skip=2, times=10**6)
    with pytest.raises(PushInterrupted) as caught:
        registry.push(request(layout, image))
    assert caught.value.code == "PUSH_INTERRUPTED"
    proxy.heal()
    proxy.forget()
    pushed = registry.push(request(layout, image))
    assert len(pushed.uploaded) == 3
    assert len(pushed.present) == 2
    assert proxy.up < 2 * BIG


def test_the_first_failure_ends_the_others_at_once(
    repository: Repository, layout: Layout, wheels: list[Layer], proxy: Proxy, tmp_path: Path
) -> None:
    registry = Registry(repository, Access(patience=60), tmp_path / "cache")
    proxy.on("PUT", "uploads", Answer(503, {"Retry-After": "15"}), times=10**6)
    small = make_image(layout, *wheels)
    proxy.on("POST", "uploads", Answer(400, {}, b"no"), skip=2, times=10**6)
    began = time.monotonic()
    with pytest.raises(RegistryRefused):
        registry.push(request(layout, small))
    assert time.monotonic() - began < 10


def test_a_layout_that_lacks_a_layer(registry: Registry, layout: Layout) -> None:
    layer = make_layer(layout)
    image = make_image(layout, layer)
    layout.path(layer.digest).unlink()
    with pytest.raises(BlobMissing):
        registry.push(request(layout, image))
    layout.path(layer.digest).write_bytes(b"short")
    with pytest.raises(BlobAltered):
        registry.push(request(layout, image))


def test_a_layout_with_something_else_for_a_manifest(registry: Registry, layout: Layout) -> None:
    with pytest.raises(LayoutDamaged):
        registry.push(request(layout, layout.write(b"[]")))


def test_read_only(serve: Serve, layout: Layout, tmp_path: Path) -> None:
    here = Repository(host=serve(read_only=True).host, path="tests/x")
    registry = Registry(here, Access(patience=1), tmp_path / "cache")
    with pytest.raises(RegistryReadOnly):
        registry.push(request(layout, make_image(layout)))
    with pytest.raises(RegistryReadOnly):
        registry.check()


def test_two_pushes_at_once(
    registry: Registry, layout: Layout, wheels: list[Layer], environment: Digest
) -> None:
    image = run_image(layout, wheels)
    wanted = request(layout, image, environment=environment, tags={"x": image})
    failed: list[BaseException] = []

    def push() -> None:
        try:
            registry.push(wanted)
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert complete(registry, layout, image)


@pytest.mark.parametrize("bound", [2, 3])
def test_blobs_go_side_by_side_and_never_more_than_may(
    repository: Repository, layout: Layout, proxy: Proxy, tmp_path: Path, bound: int
) -> None:
    registry = Registry(repository, Access(patience=5, at_once=bound), tmp_path / "cache")
    image = make_image(layout, *(make_layer(layout) for _ in range(7)))
    proxy.on("*", "uploads", Delay(0.05), times=99)
    registry.push(request(layout, image))
    assert complete(registry, layout, image)
    assert 2 <= proxy.at_once("PUT", "uploads") <= bound
    assert proxy.at_once() == bound


def test_progress_is_told_in_bytes(registry: Registry, layout: Layout, wheels, proxy) -> None:
    class Listener:
        def __init__(self) -> None:
            self.total = self.amount = 0
            self.ended = ""

        def start(self, what: str, total: int = 0) -> None:
            assert what == f"pushing to {registry.repository}"
            self.total = total

        def advance(self, amount: int) -> None:
            self.amount += amount

        def done(self, note: str = "") -> None:
            self.ended = note

    listener = Listener()
    proxy.on("PUT", "uploads", CutRequest(after=BIG // 2), times=2)
    registry.push(request(layout, run_image(layout, wheels)), listener)
    assert listener.amount == listener.total > 3 * BIG
    assert listener.ended == "9.0 MB sent"


class TestBaseLayers:
    """Layers of a base image lie in another repository, not in the layout."""

    @pytest.fixture
    def away(self, tmp_path: Path) -> Layout:
        return Layout(tmp_path / "away")

    @pytest.fixture
    def base_layer(self, away: Layout) -> Layer:
        return make_layer(away, BIG)

    def pushed_base(self, where: Repository, away: Layout, layer: Layer, cache: Path) -> None:
        image = make_image(away, layer)
        tags = {"1": image}
        Registry(where, Access(patience=5), cache).push(request(away, image, tags=tags))

    def test_of_the_same_registry_are_mounted(
        self, registry: Registry, layout: Layout, away: Layout, base_layer: Layer, proxy: Proxy
    ) -> None:
        where = Repository(host=registry.repository.host, path=f"{registry.repository.path}-base")
        self.pushed_base(where, away, base_layer, registry._cache)
        base = registry.base(f"{where}:1", "linux/amd64")
        proxy.forget()
        image = make_image(layout, *base.layers, make_layer(layout))
        pushed = registry.push(request(layout, image, base=for_push(base)))
        assert pushed.mounted == (base_layer.digest,)
        assert proxy.up < 20_000
        assert complete(registry, layout, image)

    def test_that_the_registry_does_not_mount_are_copied(
        self, registry: Registry, layout: Layout, away: Layout, base_layer: Layer, proxy: Proxy
    ) -> None:
        where = Repository(host=registry.repository.host, path=f"{registry.repository.path}-base")
        self.pushed_base(where, away, base_layer, registry._cache)
        base = registry.base(f"{where}:1", "linux/amd64")
        proxy.on("POST", "mount=", Answer(401), times=9)
        image = make_image(layout, *base.layers)
        pushed = registry.push(request(layout, image, base=for_push(base)))
        assert base_layer.digest in pushed.uploaded
        assert complete(registry, layout, image)

    def test_of_another_registry_are_copied(
        self, registry: Registry, serve: Serve, layout: Layout, away: Layout, base_layer: Layer
    ) -> None:
        with Proxy(("127.0.0.1", serve().port)) as between:
            where = Repository(host=f"127.0.0.1:{between.port}", path="bases/python")
            self.pushed_base(where, away, base_layer, registry._cache)
            base = registry.base(f"{where}:1", "linux/amd64")
            between.on("GET", "blobs", CutRequest(after=0))
            image = make_image(layout, *base.layers)
            pushed = registry.push(request(layout, image, base=for_push(base)))
            assert base_layer.digest in pushed.uploaded
            assert complete(registry, layout, image)
            between.forget()
            registry.push(request(layout, make_image(layout, *base.layers, make_layer(layout))))
            assert not between.log

    def test_of_an_environment_image_in_the_same_repository(
        self, registry: Registry, layout: Layout, away: Layout, base_layer: Layer, proxy: Proxy
    ) -> None:
        """Somebody else made and pushed it; here its layers were never seen."""
        environment = make_image(away, base_layer)
        tags = {"env-1": environment}
        registry.push(request(away, environment, tags=tags))
        base = registry.base(f"{registry.repository}:env-1", "linux/amd64")
        other = Registry(registry.repository, registry._access, registry._cache / "other")
        proxy.forget()
        image = make_image(layout, *base.layers, make_layer(layout))
        pushed = other.push(request(layout, image, base=for_push(base)))
        assert len(pushed.uploaded) == 2
        assert len(proxy.log) == 5
        assert complete(registry, layout, image)

    def test_that_are_gone(
        self, registry: Registry, layout: Layout, away: Layout, base_layer: Layer, serve: Serve
    ) -> None:
        server = serve()
        where = Repository(host=server.host, path="bases/python")
        self.pushed_base(where, away, base_layer, registry._cache)
        base = registry.base(f"{where}:1", "linux/amd64")
        shutil.rmtree(server.data / "docker/registry/v2/repositories/bases/python/_layers")
        with pytest.raises(DigestGone):
            registry.push(request(layout, make_image(layout, *base.layers), base=for_push(base)))


class TestSkopeo:
    """Another program's view of what was pushed."""

    @pytest.fixture
    def pushed(self, server: RegistryProcess, path: str, layout: Layout, tmp_path: Path):
        if not shutil.which("skopeo"):
            pytest.skip("skopeo is not installed")
        registry = Registry(
            Repository(host=server.host, path=path), Access(patience=5), tmp_path / "cache"
        )
        image = make_image(layout, make_layer(layout, BIG), make_layer(layout))
        registry.push(request(layout, image, tags={"one": image}))
        return f"docker://{registry.repository}", image

    def test_inspects_it(self, pushed: tuple[str, Digest]) -> None:
        name, image = pushed
        for target in (":one", f"@{image}"):
            command = ["skopeo", "inspect", "--tls-verify=false", name + target]
            seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            assert seen["Digest"] == image
            assert len(seen["Layers"]) == 2

    def test_copies_it(self, pushed: tuple[str, Digest], layout: Layout, tmp_path: Path) -> None:
        name, image = pushed
        copied = Layout(tmp_path / "copied")
        command = ["skopeo", "copy", "-q", "--src-tls-verify=false", f"{name}@{image}"]
        subprocess.run([*command, f"oci:{copied.root}:one"], check=True)
        content = json.loads(copied.read(image))
        for each in (content["config"], *content["layers"]):
            digest = Digest(each["digest"])
            assert copied.read(digest) == layout.read(digest)


def test_silence_of_one_request_does_not_stop_the_push(
    registry: Registry, layout: Layout, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packer.registry.transport.READ", 0.3)
    proxy.on("POST", "", BlackHole())
    proxy.on("PUT", "manifests", BlackHole())
    image = make_image(layout)
    registry.push(request(layout, image))
    assert complete(registry, layout, image)
