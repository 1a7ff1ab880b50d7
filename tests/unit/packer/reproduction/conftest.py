"""A layout and what reads it as a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.images.layout import Layout
from packer.images.layout_shelf import LayoutShelf


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture
def shelf(layout: Layout) -> LayoutShelf:
    return LayoutShelf(layout.root)
