"""Pushes to a registry that speaks TLS, with an authority and logins of one's own."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.registry.access import Access
from packer.registry.errors import RedirectRefused
from packer.registry.pull import for_push
from packer.registry.push_request import Pushed, PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from packer.registry.upload import Upload
from tests.faults.faults import Answer, CutRequest, LoseAnswer
from tests.faults.proxy import Proxy
from tests.registries.certificates import Identity
from tests.registries.images import complete, make_image, make_layer
from tests.registries.process import RegistryProcess
from tests.registries.token_server import TokenServer, User
from tests.unit.packer.registry.conftest import Log

Serve = Callable[..., RegistryProcess]

PIECE = 1_000_000
LARGE = 3 * PIECE


@pytest.fixture
def tokens(signer: Identity, identity: Identity) -> Iterator[TokenServer]:
    """Logins go to one that speaks TLS as well, and to no other."""
    users = {"ann": User("pass", {"*": "pull,push"})}
    with TokenServer(signer, users, tls=identity) as server:
        yield server


@pytest.fixture(params=["nobody", "a password", "a token"])
def server(
    request: pytest.FixtureRequest,
    serve: Serve,
    identity: Identity,
    tokens: TokenServer,
    log_in: Log,
) -> RegistryProcess:
    """It speaks TLS, and wants that of everybody."""
    if request.param == "nobody":
        return serve(identity=identity)
    log_in("ann", "pass")
    if request.param == "a token":
        return serve(identity=identity, tokens=tokens)
    return serve(identity=identity, passwords={"ann": "pass"})


@pytest.fixture
def access(identity: Identity) -> Access:
    return Access(certificates=identity.authority, patience=5.0)


@pytest.fixture
def proxy(server: RegistryProcess, identity: Identity) -> Iterator[Proxy]:
    """What fails between us and that registry, and speaks TLS to both."""
    towards_us = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    towards_us.load_cert_chain(identity.certificate, identity.key)
    onwards = ssl.create_default_context(cafile=str(identity.authority))
    with Proxy(("127.0.0.1", server.port), tls=towards_us, upstream_tls=onwards) as started:
        yield started


@pytest.fixture(autouse=True)
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what is large in pieces that tests have the time for."""
    monkeypatch.setitem(Upload.__init__.__kwdefaults__, "chunk", PIECE)


@pytest.fixture
def base_layer(layout: Layout) -> Layer:
    return make_layer(Layout(layout.root.parent / "away"), LARGE)


@pytest.fixture
def large(layout: Layout) -> Layer:
    return make_layer(layout, LARGE)


def push_on_base(
    registry: Registry, layout: Layout, base_layer: Layer, large: Layer
) -> tuple[Digest, Pushed]:
    """A base into a repository of its own, then an image on it with a large and a small layer."""
    away = Layout(layout.root.parent / "away")
    here = registry.repository
    where = Repository(host=here.host, path=f"{here.path}-base")
    made = make_image(away, base_layer)
    Registry(where, registry._access, registry._cache).push(
        PushRequest(layout=away.root, images=(made,), tags={"1": made})
    )
    base = registry.base(f"{where}:1", "linux/amd64")
    image = make_image(layout, *base.layers, large, make_layer(layout))
    wanted = PushRequest(
        layout=layout.root, images=(image,), tags={"one": image}, base=for_push(base)
    )
    return image, registry.push(wanted)


def test_everything_arrives(  # noqa: PLR0917
    server: RegistryProcess,
    access: Access,
    path: str,
    layout: Layout,
    base_layer: Layer,
    large: Layer,
    tmp_path: Path,
) -> None:
    registry = Registry(Repository(host=server.host, path=path), access, tmp_path / "cache")
    image, pushed = push_on_base(registry, layout, base_layer, large)
    assert pushed.mounted == (base_layer.digest,)
    assert large.digest in pushed.uploaded
    assert registry.has("one") == image
    assert complete(registry, layout, image)


def test_a_large_blob_goes_in_pieces(
    registry: Registry, layout: Layout, base_layer: Layer, large: Layer, proxy: Proxy
) -> None:
    image, _ = push_on_base(registry, layout, base_layer, large)
    assert complete(registry, layout, image)
    # Both large layers, each in four pieces; the base's, mounted, is not sent again.
    assert len(proxy.seen("PATCH", "uploads")) == 8
    assert [each.status for each in proxy.seen("POST", "mount=")] == [201]


def test_what_passes(
    registry: Registry, layout: Layout, base_layer: Layer, large: Layer, proxy: Proxy
) -> None:
    cut = proxy.on("PATCH", "uploads", CutRequest(after=300_000), skip=1, times=2)
    limited = proxy.on("PUT", "uploads", Answer(429, {"Retry-After": "1"}), times=2)
    begun = proxy.on("POST", "uploads", LoseAnswer(), skip=1)
    stored = proxy.on("PUT", "manifests", LoseAnswer(), times=2)
    image, pushed = push_on_base(registry, layout, base_layer, large)
    assert [len(rule.met) for rule in (cut, limited, begun, stored)] == [2, 2, 1, 2]
    assert large.digest in pushed.uploaded
    assert registry.has("one") == image
    assert complete(registry, layout, image)
    # The pieces that had arrived were not sent again.
    assert proxy.up < 3.5 * LARGE


def test_a_login_goes_to_no_token_server_without_tls(  # noqa: PLR0917
    serve: Serve, identity: Identity, signer: Identity, log_in: Log, access: Access, tmp_path: Path
) -> None:
    log_in("ann", "pass")
    with TokenServer(signer, {"ann": User("pass", {"*": "pull,push"})}) as plain:
        host = serve(identity=identity, tokens=plain).host
        registry = Registry(Repository(host=host, path="tests/x"), access, tmp_path / "cache")
        with pytest.raises(RedirectRefused):
            registry.check()
        assert not plain.given
