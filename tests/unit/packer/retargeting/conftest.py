"""PyTorch's index and a package index, played by a real server with small real wheels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import indexes as played
from tests.indexes import Indexes


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Indexes]:
    with Indexes() as served:
        played.pytorch(served)
        for name, value in played.settings(served).items():
            monkeypatch.setenv(name, value)
        yield served
