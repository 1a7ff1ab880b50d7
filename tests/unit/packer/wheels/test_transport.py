"""Indexes behind proxies."""

from __future__ import annotations

import pytest

from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources
from packer.wheels.transport import Transport
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy


@pytest.mark.usefixtures("without_proxies")
def test_the_proxy_of_the_environment_but_for_what_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Proxy(("127.0.0.1", 1)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"ann:pass@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
        proxy.on("GET", "", Answer(200, body=b"wheel"))
        transport, read = Transport(IndexSources()), bytearray()
        transport.read("http://index.test/a.whl", read.extend)
        assert read == b"wheel"
        assert proxy.log[0].headers["proxy-authorization"] == "Basic YW5uOnBhc3M="
        monkeypatch.setattr("packer.wheels.transport._ATTEMPTS", 1)
        with pytest.raises(WheelUnavailable):
            transport.read("http://127.7.7.7:1/a.whl", read.extend)
        assert len(proxy.log) == 1
