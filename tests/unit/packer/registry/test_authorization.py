"""Logins against real registries: Basic, and tokens from a real token server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from packer.images.layout import Layout
from packer.registry import authorization
from packer.registry.access import Access
from packer.registry.client import Client
from packer.registry.errors import RedirectRefused, RegistryAuth
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.faults import Answer, Delay, LoseAnswer
from tests.faults.proxy import Proxy
from tests.registries.images import complete, make_image, make_layer
from tests.registries.process import RegistryProcess
from tests.registries.token_server import TokenServer
from tests.unit.packer.registry.conftest import Log, helper

Serve = Callable[..., RegistryProcess]
Open = Callable[..., Registry]
HandOut = Callable[[str], None]


@pytest.fixture
def open_registry(tmp_path: Path) -> Open:
    """The repository `x` of a registry; each call has connections and tokens of its own."""
    numbers = iter(range(100))

    def open_registry(port: int, path: str = "tests/x") -> Registry:
        access = Access(patience=3 + next(numbers) / 100)
        host = f"127.0.0.1:{port}"
        return Registry(Repository(host=host, path=path), access, tmp_path / "cache")

    return open_registry


def request(layout: Layout) -> PushRequest:
    return PushRequest(layout=layout.root, images=(make_image(layout),))


def test_basic(serve: Serve, layout: Layout, log_in: Log, open_registry: Open) -> None:
    log_in("ann", "pass:word")
    registry = open_registry(serve(passwords={"ann": "pass:word"}).port)
    pushed = registry.push(request(layout))
    assert registry.has(pushed.images[0])


def test_basic_costs_one_refused_request_a_process(
    serve: Serve, layout: Layout, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    with Proxy(("127.0.0.1", serve(passwords={"ann": "pass"}).port)) as proxy:
        registry = open_registry(proxy.port)
        registry.check()
        registry.push(request(layout))
        assert [each.status for each in proxy.log].count(401) == 1


def test_basic_without_a_login(serve: Serve, open_registry: Open) -> None:
    registry = open_registry(serve(passwords={"ann": "pass"}).port)
    with pytest.raises(RegistryAuth) as caught:
        registry.check()
    assert "there is none" in caught.value.why()
    assert caught.value.fix().startswith("docker login 127.0.0.1")


def test_basic_with_a_wrong_password(serve: Serve, log_in: Log, open_registry: Open) -> None:
    log_in("ann", "wrong")
    registry = open_registry(serve(passwords={"ann": "pass"}).port)
    with pytest.raises(RegistryAuth) as caught:
        registry.check()
    assert "does not accept the login from SENDOFF_REGISTRY_PASSWORD" in caught.value.why()
    assert "UNAUTHORIZED" in caught.value.evidence()
    assert "wrong" not in str(caught.value.as_dict())


def test_dockers_login(serve: Serve, layout: Layout, no_login: Path, open_registry: Open) -> None:
    server = serve(passwords={"ann": "pass"})
    config = f'{{"auths": {{"{server.host}": {{"auth": "YW5uOnBhc3M="}}}}}}'
    (no_login / "config.json").write_text(config)
    open_registry(server.port).push(request(layout))


def test_a_credential_helper(
    serve: Serve,
    layout: Layout,
    no_login: Path,
    open_registry: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(passwords={"ann": "pass"})
    tell = """echo '{"Username": "ann", "Secret": "pass"}'"""
    helper(no_login, monkeypatch, f'read host; echo "$1 $host" >>"$HOME/asked"; {tell}')
    (no_login / "config.json").write_text(f'{{"credHelpers": {{"{server.host}": "tests"}}}}')
    registry = open_registry(server.port)
    image = registry.push(request(layout)).images[0]
    assert complete(registry, layout, image)
    # Asked once for the whole push, and for this registry only.
    assert (no_login.parent / "asked").read_text() == f"get {server.host}\n"


def test_a_credential_helper_with_an_identity_token(  # noqa: PLR0917
    serve: Serve,
    tokens: TokenServer,
    layout: Layout,
    no_login: Path,
    open_registry: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(tokens=tokens)
    told = """echo '{"Username": "<token>", "Secret": "refresh"}'"""
    helper(no_login, monkeypatch, f"cat >/dev/null; {told}")
    (no_login / "config.json").write_text('{"credsStore": "tests"}')
    registry = open_registry(server.port)
    image = registry.push(request(layout)).images[0]
    assert complete(registry, layout, image)
    assert {user for user, _ in tokens.given} == {"ann"}


class TestLoginsThatChange:
    """Credential helpers give what lasts for hours, and people log in when they are told to."""

    @pytest.fixture
    def hand_out(self, no_login: Path, monkeypatch: pytest.MonkeyPatch) -> HandOut:
        """Have the credential helper of every host tell this password of ann's from now on."""
        (no_login / "config.json").write_text('{"credsStore": "tests"}')
        helper(no_login, monkeypatch, 'cat >/dev/null; echo >>"$HOME/asked"; cat "$HOME/told"')

        def hand_out(password: str) -> None:
            told = json.dumps({"Username": "ann", "Secret": password})
            (no_login.parent / "told").write_text(told)

        return hand_out

    @pytest.fixture
    def asked(self, no_login: Path) -> Callable[[], int]:
        """How often the helper was asked."""
        return lambda: len((no_login.parent / "asked").read_text())

    def test_basic(
        self, serve: Serve, layout: Layout, open_registry: Open, hand_out: HandOut, asked
    ) -> None:
        server = serve(passwords={"ann": "first"})
        hand_out("first")
        registry = open_registry(server.port)
        registry.push(request(layout))
        hand_out("second")
        server.change_passwords({"ann": "second"})
        image = registry.push(request(layout)).images[0]
        assert complete(registry, layout, image)
        assert asked() == 2

    def test_a_token_server_that_no_longer_knows_the_login(  # noqa: PLR0917 - two servers, a helper
        self,
        serve: Serve,
        tokens: TokenServer,
        layout: Layout,
        open_registry: Open,
        hand_out: HandOut,
        asked: Callable[[], int],
    ) -> None:
        hand_out("pass")
        registry = open_registry(serve(tokens=tokens).port)
        registry.push(request(layout))
        tokens.users["ann"].password = "second"
        hand_out("second")
        # Reading takes a token of its own.
        assert registry.has("latest") is None
        assert asked() == 2
        assert len(tokens.given) == 2

    def test_a_registry_that_forbids_what_a_login_that_ended_asks_for(
        self, serve: Serve, open_registry: Open, hand_out: HandOut, asked
    ) -> None:
        hand_out("pass")
        with Proxy(("127.0.0.1", serve(passwords={"ann": "pass", "bob": "x"}).port)) as proxy:
            registry = open_registry(proxy.port)
            registry.check()
            # As ECR says it: 403, your authorization token has expired.
            proxy.on("HEAD", "manifests", Answer(403), times=2)
            with pytest.raises(RegistryAuth):
                registry.has("latest")
            assert asked() == 2
            proxy.on("HEAD", "manifests", Delay(0))
            hand_out("word")
            with pytest.raises(RegistryAuth):
                registry.has("latest")
            assert [each.status for each in proxy.seen("HEAD", "manifests")] == [403, 403, 401]

    def test_a_login_that_stays_wrong_is_tried_once(
        self, serve: Serve, open_registry: Open, hand_out: HandOut
    ) -> None:
        hand_out("wrong")
        with Proxy(("127.0.0.1", serve(passwords={"ann": "pass"}).port)) as proxy:
            with pytest.raises(RegistryAuth):
                open_registry(proxy.port).check()
            assert [each.status for each in proxy.log] == [401, 401]

    @pytest.mark.parametrize("kind", ["basic", "token", "anonymous"])
    def test_logging_in_as_the_refusal_says(  # noqa: PLR0917 - two kinds of registry
        self, serve: Serve, tokens: TokenServer, open_registry: Open, hand_out, no_login, kind: str
    ) -> None:
        tokens.anonymous = {"*": "pull"} if kind == "anonymous" else {}
        server = serve(passwords={"ann": "pass"}) if kind == "basic" else serve(tokens=tokens)
        registry = open_registry(server.port)
        (no_login / "config.json").rename(no_login / "kept")
        with pytest.raises(RegistryAuth) as caught:
            registry.check()
        assert "there is none" in caught.value.why()
        (no_login / "kept").rename(no_login / "config.json")
        hand_out("pass")
        registry.check()


def test_variables_are_for_the_registry_that_images_go_to(
    serve: Serve, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    other = serve(passwords={"ann": "pass"})
    with pytest.raises(RegistryAuth) as caught:
        open_registry(serve().port).base(f"{other.host}/base:1", "linux/amd64")
    assert "there is none" in caught.value.why()


def test_tokens(
    serve: Serve, tokens: TokenServer, layout: Layout, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    registry = open_registry(serve(tokens=tokens).port)
    first = registry.push(request(layout))
    registry.push(request(layout))
    assert registry.has(first.images[0])
    assert tokens.given == [
        ("ann", ("repository:tests/x:pull,push",)),
        ("ann", ("repository:tests/x:pull",)),
    ]


def test_an_identity_token(
    serve: Serve, tokens: TokenServer, layout: Layout, no_login: Path, open_registry: Open
) -> None:
    server = serve(tokens=tokens)
    config = f'{{"auths": {{"{server.host}": {{"identitytoken": "refresh"}}}}}}'
    (no_login / "config.json").write_text(config)
    open_registry(server.port).push(request(layout))
    assert tokens.given == [("ann", ("repository:tests/x:pull,push",))]


def test_a_token_that_is_no_longer_accepted_is_renewed_once(
    serve: Serve, tokens: TokenServer, layout: Layout, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    registry = open_registry(serve(tokens=tokens).port)
    tokens.stale = 1
    registry.push(request(layout))
    assert len(tokens.given) == 2
    tokens.stale = 99
    registry = open_registry(serve(tokens=tokens).port)
    with pytest.raises(RegistryAuth):
        registry.push(request(layout))


def test_many_requests_share_one_renewal(
    serve: Serve, tokens: TokenServer, layout: Layout, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    registry = open_registry(serve(tokens=tokens).port)
    tokens.stale = 1
    image = make_image(layout, *(make_layer(layout) for _ in range(20)))
    registry.push(PushRequest(layout=layout.root, images=(image,)))
    assert len(tokens.given) == 2


def test_a_token_is_renewed_before_it_ends(
    serve: Serve, tokens: TokenServer, log_in: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in("ann", "pass")
    with Proxy(("127.0.0.1", serve(tokens=tokens).port)) as proxy:
        host = f"127.0.0.1:{proxy.port}"
        client = Client(Repository(host=host, path="tests/x"), Access(patience=1))
        assert client.find_manifest("none") is None
        assert client.find_manifest("none") is None
        assert len(tokens.given) == 1
        later = authorization.time.monotonic() + tokens.lifetime - 10
        monkeypatch.setattr(authorization.time, "monotonic", lambda: later)
        assert client.find_manifest("none") is None
        assert len(tokens.given) == 2
        assert [each.status for each in proxy.log] == [401, 404, 404, 404]


def test_no_right_to_push(
    serve: Serve, tokens: TokenServer, layout: Layout, log_in: Log, open_registry: Open
) -> None:
    log_in("bob", "word")
    registry = open_registry(serve(tokens=tokens).port)
    assert registry.has("latest") is None
    for act in (registry.check, lambda: registry.push(request(layout))):
        with pytest.raises(RegistryAuth) as caught:
            act()
        assert caught.value.what().startswith("no right to push to 127.0.0.1")
        assert caught.value.why() == "the login from SENDOFF_REGISTRY_PASSWORD lacks that right"
        assert "for the right to push to" in caught.value.fix()


def test_a_password_that_the_token_server_does_not_know(
    serve: Serve, tokens: TokenServer, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "wrong")
    with pytest.raises(RegistryAuth) as caught:
        open_registry(serve(tokens=tokens).port).check()
    assert "does not accept the login" in caught.value.why()
    assert "incorrect username or password" in caught.value.evidence()


def test_anybody_may_read(serve: Serve, tokens: TokenServer, open_registry: Open) -> None:
    tokens.anonymous = {"*": "pull"}
    registry = open_registry(serve(tokens=tokens).port)
    assert registry.has("latest") is None
    with pytest.raises(RegistryAuth) as caught:
        registry.check()
    assert "there is none for it" in caught.value.why()


def test_a_token_server_that_fails_now_and_then(
    serve: Serve, tokens: TokenServer, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    server = serve(tokens=tokens)
    with (
        Proxy(("127.0.0.1", int(tokens.realm.split(":")[2].split("/")[0]))) as between,
        Proxy(("127.0.0.1", server.port)) as proxy,
    ):
        realm = f"http://127.0.0.1:{between.port}/token"
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="{tokens.service}"'}
        proxy.on("*", "", Answer(401, challenge))
        between.on("GET", "/token", Answer(503, {"Retry-After": "1"}))
        between.on("GET", "/token", LoseAnswer())
        open_registry(proxy.port).check()
        assert [each.status for each in between.log] == [503, 0, 200]


@pytest.mark.parametrize("realm", ["http://tokens.example.com/", "ftp://x/", "/token", ""])
def test_a_password_goes_to_no_unencrypted_token_server(
    proxy: Proxy, log_in: Log, open_registry: Open, realm: str
) -> None:
    log_in("ann", "pass")
    proxy.on("*", "", Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}), times=9)
    with pytest.raises(RedirectRefused):
        open_registry(proxy.port).check()


def test_what_no_challenge_explains(proxy: Proxy, log_in: Log, open_registry: Open) -> None:
    log_in("ann", "pass")
    proxy.on("*", "", Answer(401, {"WWW-Authenticate": "Negotiate"}, b"who are you?"), times=9)
    with pytest.raises(RegistryAuth) as caught:
        open_registry(proxy.port).check()
    assert "who are you?" in caught.value.evidence()
    assert len(proxy.log) == 1


def test_forbidden(proxy: Proxy, log_in: Log, open_registry: Open) -> None:
    log_in("ann", "pass")
    body = b'{"errors":[{"code":"DENIED","message":"quota"}]}'
    proxy.on("POST", "", Answer(403, {}, body), times=9)
    with pytest.raises(RegistryAuth) as caught:
        open_registry(proxy.port).check()
    assert caught.value.evidence() == "403 DENIED: quota"
    assert len(proxy.log) == 1


def test_the_best_of_several_challenges(
    serve: Serve, tokens: TokenServer, log_in: Log, open_registry: Open
) -> None:
    log_in("ann", "pass")
    with Proxy(("127.0.0.1", serve(tokens=tokens).port)) as proxy:
        bearer = f'Bearer realm="{tokens.realm}",service="{tokens.service}"'
        both = {"WWW-Authenticate": 'Basic realm="x"', "www-authenticate": bearer}
        proxy.on("*", "", Answer(401, both))
        open_registry(proxy.port).check()
        assert tokens.given
