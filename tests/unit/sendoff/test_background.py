"""Packing in the background, whose store fails now and then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher import refusal
from dispatcher.store import RunKeys
from sendoff.session import Session
from tests import minio
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.stack.unavailable import Unavailable

RUN = "train-abcdef"
PACKER = f"""
from pathlib import Path
from sendoff.background import Work
from sendoff.session import Session
Work({RUN!r}, Session.open(Path()))._heed_cancellation()
"""


@pytest.mark.parametrize(
    ("method", "name", "told"),
    [("HEAD", "cancel.json", "cancelled"), ("PUT", "refusal.json", None)],
)
def test_cancelling_ends_packing_though_the_store_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, name: str, told: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.USER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio.PASSWORD)
    monkeypatch.setenv("SENDOFF_STORE_REGION", minio.REGION)
    try:
        with minio.server(tmp_path / "minio") as server, Proxy(("127.0.0.1", server.port)) as proxy:
            refused = proxy.on(method, name, Answer(400))
            monkeypatch.setenv("SENDOFF_STORE", server.through(proxy.port))
            runs = Session.open(tmp_path).runs()
            with subprocess.Popen([sys.executable, "-c", PACKER], start_new_session=True) as packer:
                try:
                    proxy.wait(lambda: bool(proxy.seen("HEAD", "cancel.json")), 60)
                    runs.store.put(RunKeys(RUN).cancel, b"{}")
                    assert packer.wait(60) == -9
                finally:
                    packer.kill()
            assert refused.met
            found = refusal.read(RUN, runs)
            assert (found.state if found else None) == told
    except Unavailable as reason:
        pytest.skip(str(reason))
