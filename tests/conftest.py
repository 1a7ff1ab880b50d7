"""What every test may use: golden files, and skips that CI counts as failures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.stack.fixtures"]

# Commands of tests leave no process behind; those of a warm one turn it on for themselves.
os.environ["SENDOFF_WARM"] = "0"

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")
    parser.addoption("--fail-on-skip", action="store_true", help="a skipped test is a failure")


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """Compare text or bytes with a file under tests/golden; `make golden` rewrites it."""

    def compare(name: str, actual: str | bytes) -> None:
        data = actual.encode() if isinstance(actual, str) else actual
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert data.decode() == path.read_bytes().decode(), f"{path} differs: make golden"

    return compare


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if (
        report.skipped
        and item.config.getoption("--fail-on-skip")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
