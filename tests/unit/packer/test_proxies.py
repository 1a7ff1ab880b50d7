from __future__ import annotations

import pytest

from packer import proxies

PROXY = "http://proxy.example:3128"

pytestmark = pytest.mark.usefixtures("without_proxies")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3:6443", ""),
        ("11.1.2.3:6443", PROXY),
        ("192.168.7.1", ""),
        ("192.168.7.2", PROXY),
        ("[fd00::1]:6443", ""),
        ("[fe00::1]", PROXY),
        ("api.lab.svc:443", ""),
        ("api.example", PROXY),
        ("127.0.0.1:8001", ""),
    ],
)
def test_what_no_proxy_leaves_out(
    monkeypatch: pytest.MonkeyPatch, host: str, expected: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8, 192.168.7.1,fd00::/8,.svc, 1.2.3.4/99")
    assert proxies.of_environment(host, "https") == expected


def test_the_first_scheme_that_has_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxies.of_environment("a.example", "https", "all") == ""
    monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
    assert proxies.of_environment("a.example", "https", "all") == PROXY
    assert proxies.of_environment("a.example", "https") == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example")
    assert proxies.of_environment("a.example", "https", "all") == "http://other.example"
