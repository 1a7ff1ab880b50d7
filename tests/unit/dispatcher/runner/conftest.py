"""A pod of the test's own."""

from __future__ import annotations

import pytest

from tests import pod as pods


@pytest.fixture
def pod(tmp_path, store) -> pods.Pod:
    return pods.make(tmp_path, store.root, store)
