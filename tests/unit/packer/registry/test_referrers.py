from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from packer.digest import Digest
from packer.images.descriptor import INDEX
from packer.images.layout import Layout
from packer.registry import artifact as artifacts
from packer.registry.access import Access
from packer.registry.artifact import Artifact, Referrer
from packer.registry.client import Manifest
from packer.registry.errors import (
    AnswerUnreadable,
    DigestGone,
    ReferrersContended,
    RegistryReadOnly,
)
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.registries.images import make_image
from tests.registries.process import RegistryProcess
from tests.registries.referrers import ReferrersRegistry

BILL = Artifact(kind="application/spdx+json", data=b'{"a":1}', name="bill.json")
STATEMENT = Artifact(
    kind="application/vnd.in-toto+json", data=b"{}", annotations={"in-toto.io/predicate-type": "p"}
)


def by_kind(referrer: Referrer) -> str:
    return referrer.kind


@pytest.fixture(params=["tag", "api", "silent"])
def there(
    request: pytest.FixtureRequest,
    server: RegistryProcess,
    path: str,
    access: Access,
    tmp_path,
) -> Iterator[tuple[str, Registry]]:
    """Registries without the API, with it, and with one that does not say so."""
    if request.param == "tag":
        repository = Repository(host=server.host, path=path)
        yield request.param, Registry(repository, access, tmp_path / "cache")
        return
    with ReferrersRegistry(silent=request.param == "silent") as started:
        repository = Repository(host=started.host, path=path)
        yield request.param, Registry(repository, access, tmp_path / "cache")


@pytest.fixture
def pushed(layout: Layout) -> Callable[[Registry], Digest]:
    def push(registry: Registry) -> Digest:
        digest = make_image(layout)
        registry.push(PushRequest(layout=layout.root, images=(digest,)))
        return digest

    return push


def test_documents_are_found_again(there: tuple[str, Registry], pushed) -> None:
    kind, registry = there
    digest, other = pushed(registry), pushed(registry)
    before = registry.manifest(digest)
    made = registry.attach(digest, (BILL, STATEMENT))
    assert sorted(registry.referrers(digest), key=by_kind) == sorted(made, key=by_kind)
    assert [each.kind for each in registry.referrers(digest, BILL.kind)] == [BILL.kind]
    assert [registry.document(each) for each in made] == [BILL.data, STATEMENT.data]
    assert registry.manifest(digest) == before, "the image itself stays"
    assert registry.referrers(other) == ()
    assert (artifacts.tag(digest) in registry.tags()) == (kind != "api")


def test_the_same_document_is_attached_once(there: tuple[str, Registry], pushed) -> None:
    _, registry = there
    digest = pushed(registry)
    assert registry.attach(digest, (BILL,)) == registry.attach(digest, (BILL,))
    assert len(registry.referrers(digest)) == 1


def test_nothing_refers_to_what_is_nowhere(there: tuple[str, Registry]) -> None:
    _, registry = there
    nowhere = Digest("sha256:" + "0" * 64)
    assert registry.referrers(nowhere) == ()
    with pytest.raises(DigestGone):
        registry.attach(nowhere, (BILL,))


def test_others_lists_are_kept(registry: Registry, client, pushed) -> None:
    digest = pushed(registry)
    [first] = registry.attach(digest, (BILL,))
    tag = artifacts.tag(digest)
    index = json.loads(client.manifest(tag).data)
    index["annotations"] = {"by": "another tool"}
    data = json.dumps(index).encode()
    client.put_manifest(tag, Manifest(Digest.of(data), INDEX, data))
    [second] = registry.attach(digest, (STATEMENT,))
    assert registry.referrers(digest) == (first, second)
    assert json.loads(client.manifest(tag).data)["annotations"] == {"by": "another tool"}


def test_who_overwrites_the_list_is_answered_in_kind(
    registry: Registry, proxy: Proxy, client, pushed
) -> None:
    digest = pushed(registry)
    registry.attach(digest, (BILL,))
    tag = artifacts.tag(digest)
    old = client.manifest(tag)
    # Twice somebody else's list is what is there afterwards.
    proxy.on("PUT", f"/manifests/{tag}", Answer(201), times=2)
    made = registry.attach(digest, (STATEMENT,))
    assert made[0] in registry.referrers(digest)
    assert old.data != client.manifest(tag).data


def test_who_overwrites_it_for_ever_is_named(registry: Registry, proxy: Proxy, pushed) -> None:
    digest = pushed(registry)
    proxy.on("PUT", f"/manifests/{artifacts.tag(digest)}", Answer(201), times=20)
    with pytest.raises(ReferrersContended) as caught:
        registry.attach(digest, (BILL,))
    assert caught.value.retryable
    assert registry.referrers(digest) == ()


def test_a_list_that_is_none_is_said_so(registry: Registry, proxy: Proxy, pushed) -> None:
    digest = pushed(registry)
    proxy.on("GET", f"/manifests/{artifacts.tag(digest)}", Answer(200, {}, b'{"manifests":[1]}'))
    with pytest.raises(AnswerUnreadable):
        registry.referrers(digest)


def test_a_registry_that_takes_nothing_keeps_what_it_has(
    registry: Registry, proxy: Proxy, pushed
) -> None:
    digest = pushed(registry)
    proxy.on("POST", "/blobs/uploads/", Answer(405, {}, b"{}"), times=9)
    with pytest.raises(RegistryReadOnly):
        registry.attach(digest, (BILL,))
    assert registry.referrers(digest) == ()
    assert registry.tags() == []
