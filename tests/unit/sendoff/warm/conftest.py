from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.sendoff.warm.warmth import Warmth


@pytest.fixture
def warmth() -> Iterator[Warmth]:
    with Warmth() as made:
        yield made
