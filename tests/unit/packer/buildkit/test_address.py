from __future__ import annotations

import pytest

from packer.buildkit import address
from packer.buildkit.errors import BuilderInvalid


@pytest.mark.parametrize(
    ("text", "driver", "endpoint"),
    [
        ("", "", ""),
        ("docker", "docker", ""),
        ("unix:///run/buildkitd.sock", "remote", "unix:///run/buildkitd.sock"),
        ("tcp://builder.example:1234", "remote", "tcp://builder.example:1234"),
        ("docker-container://", "docker-container", ""),
        ("kubernetes://", "kubernetes", ""),
    ],
)
def test_a_setting_names_a_driver(text: str, driver: str, endpoint: str) -> None:
    found = address.parse(text)
    assert (found.driver, found.endpoint) == (driver, endpoint)


def test_options_are_in_the_query() -> None:
    found = address.parse("kubernetes://builders?image=registry.example/buildkit&kubeconfig=/k")
    assert found.options == {"namespace": "builders", "image": "registry.example/buildkit"}
    assert found.kubeconfig == "/k"
    secure = address.parse("tcp://builder.example:1234?cacert=/ca.pem")
    assert secure.endpoint == "tcp://builder.example:1234"
    assert secure.options == {"cacert": "/ca.pem"}


def test_what_is_made_for_sendoff_has_a_name_of_its_own() -> None:
    names = [
        address.parse(text).name
        for text in ("unix:///a", "unix:///b", "kubernetes://a", "kubernetes://a?replicas=2")
    ]
    assert len(set(names)) == 4
    assert all(name.startswith("sendoff-") for name in names)
    assert [address.parse(text).name for text in ("", "docker")] == ["", "default"]


@pytest.mark.parametrize(
    "text",
    [
        "podman",
        "ssh://host",
        "unix://relative",
        "tcp://host",
        "tcp://:1234",
        "tcp://host:many",
        "kubernetes://a?nodeselector=a=b,c=d",
    ],
)
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(BuilderInvalid) as refused:
        address.parse(text)
    assert refused.value.code == "BUILDER_INVALID"
    assert text in refused.value.what()
    assert "unix:///PATH" in refused.value.fix()
