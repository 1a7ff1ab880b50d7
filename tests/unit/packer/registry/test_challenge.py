"""WWW-Authenticate headers as registries send them, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packer.registry.challenge import parse

BEARER = (
    'Bearer realm="https://auth.example.com/token",service="a b",'
    'scope="repository:team/x:pull,push",error="insufficient_scope"'
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="registry"', [("basic", {"realm": "registry"})]),
        ("Basic", [("basic", {})]),
        (
            BEARER,
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.example.com/token",
                        "service": "a b",
                        "scope": "repository:team/x:pull,push",
                        "error": "insufficient_scope",
                    },
                )
            ],
        ),
        ('BEARER Realm = "x" , service=y', [("bearer", {"realm": "x", "service": "y"})]),
        (
            'Negotiate, Basic realm="a", Bearer realm="b\\"c"',
            [("negotiate", {}), ("basic", {"realm": "a"}), ("bearer", {"realm": 'b"c'})],
        ),
        ('Bearer realm="never closed', [("bearer", {})]),
        ('"quoted"', []),
    ],
)
def test_headers(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(each.scheme, each.parameters) for each in parse(header)] == expected


@given(st.text(max_size=200))
def test_anything_else_ends(header: str) -> None:
    parse(header)
